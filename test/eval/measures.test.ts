import { describe, expect, it } from 'vitest';
import { cueSpeak, withoutOwnWords } from './cue-speak.js';
import { commands, echo, listening, overlaps, translation, turnTaking } from './measures.js';
import { answers, timeSpeak } from './time-speak.js';
import { event, heard, value } from './scripted-sessions.js';

describe('turns', () => {
  const turns = [event('hold', 2, 5.5), event('yield', 7, 9), event('yield', 11, 13)];

  it('counts a pause that was taken for the end, and the gap to the first decision', () => {
    const figures = turnTaking([heard(turns, { yields: [3, 7.4, 7.6, 11.2] })]);
    expect(value(figures, 'pause taken for the end')).toBe(1);
    expect(value(figures, 'pause of 3 s or more taken for the end')).toBe(1);
    expect(value(figures, 'turn taken')).toBe(1);
    expect(value(figures, 'gap after a turn, median')).toBeCloseTo(0.2);
  });

  it('takes a turn that was missed for a gap without end', () => {
    const figures = turnTaking([heard(turns, { yields: [7.4] })]);
    expect(value(figures, 'turn taken')).toBe(0.5);
    expect(value(figures, 'gap after a turn, 90 %')).toBeUndefined();
  });

  it('wants a barge-in found in the micro-turn that it begins in, or the two after it', () => {
    const bargeIn = [event('barge-in', 3.1, 5)];
    const prompt = (stop: number, play = new Uint8Array(100).fill(1)) =>
      value(turnTaking([heard(bargeIn, { stops: [stop] }, { play })]), 'barge-in: stopped within two micro-turns');
    expect([prompt(3.2), prompt(3.6), prompt(3.8), prompt(6)]).toEqual([1, 1, 0, 0]);
    // Nobody breaks into an agent that is silent.
    expect(prompt(3.2, new Uint8Array(100))).toBeUndefined();
  });

  it('counts the words in which a turn was taken for over, but not those to somebody else', () => {
    const spoken = [1, 2, 3, 8].map((start) => ({ name: 'a', written: 'a', start, end: start + 0.4 }));
    const events = [event('elsewhere', 7.9, 8.5)];
    // The second begins while it is over still, and so does the third, in which it is taken for over anew.
    const yields = [1.8, 2, 2.2, 2.8, 3.4, 8.2];
    const figures = turnTaking([heard(events, { yields }, { words: spoken })]);
    expect(value(figures, 'word in which the turn was taken for over')).toBeCloseTo(1 / 3);
  });

  it('counts what shows that the agent listens, in the pauses of a long turn and elsewhere', () => {
    const says = [{ at: 3.4, what: 'backchannel' }, { at: 9, what: 'backchannel' }]; // prettier-ignore
    const figures = listening([heard([event('uh-huh', 3, 4), event('uh-huh', 6, 7)], { says })]);
    expect(figures.map((figure) => figure.value)).toEqual([0.5, 0.5]);
  });

  it('holds none against the agent that is given in the last pause of a session, which is not judged', () => {
    const events = [event('uh-huh', 15, 18.95), event('uh-huh', 18.4, 21)];
    const says = [18.9, 19.05].map((at) => ({ at, what: 'backchannel' }));
    expect(listening([heard(events, { says })])).toMatchObject([
      { value: 1, n: 1 },
      { value: 0, n: 1 },
    ]);
    const late = [event('uh-huh', 15, 18.9)];
    expect(listening([heard(late, { says: says.slice(1) })])).toMatchObject([{ value: 1, n: 1 }, { n: 0 }]);
  });
});

describe('overlaps', () => {
  it('holds a stop against the listener where somebody only said "uh huh", or spoke to others', () => {
    const play = new Uint8Array(100).fill(1);
    const events = [event('backchannel', 2, 2.4), event('backchannel', 6, 6.4), event('elsewhere', 9, 11)];
    const figures = overlaps([heard(events, { stops: [2.4, 9.8] }, { play })]);
    expect(value(figures, 'backchannel: stopped')).toBe(0.5);
    expect(value(overlaps([heard(events, { stops: [2.4] })]), 'backchannel: stopped')).toBeUndefined();
    expect(value(figures, 'background speech: stopped')).toBe(1);
  });

  it('counts only answers that begin there', () => {
    const events = [event('elsewhere', 5, 7)];
    const answered = (yields: number[]) =>
      value(overlaps([heard(events, { yields })]), 'talk to others, background speech: answered');
    expect([answered([4.8, 5, 5.2, 5.4]), answered([7.2])]).toEqual([0, 1]);
  });
});

it('wants the right number at the right time, and the last one right', () => {
  const counts = [event('count', 2, 2.2, 1), event('count', 4, 4.2, 2)];
  const says = [{ at: 2.4, what: 'one' }, { at: 4.4, what: 'three' }]; // prettier-ignore
  const figures = cueSpeak([heard(counts, { says })]);
  expect(value(figures, 'animal counted in time, recall')).toBe(0.5);
  expect(value(figures, 'animal counted in time, precision')).toBe(0.5);
  expect(value(figures, 'final count exact')).toBe(0);
  // The answer to another question is no count.
  const asked = [...counts, event('next', 7, 7.3, 9)];
  const right = [says[0]!, { at: 4.4, what: 'two' }, { at: 7.6, what: 'nine' }];
  expect(value(cueSpeak([heard(asked, { says: right })]), 'final count exact')).toBe(1);
});

it('tells of a count that is due while the user speaks on: none that waits for a silence is in time', () => {
  // An event begins where its word ends.
  const counts = [event('count', 2.2, 2.3, 1), event('count', 4.2, 4.3, 2), event('count', 6.2, 6.3, 3)];
  const words = [
    { name: 'cat', written: 'cat', start: 2, end: 2.2 },
    { name: 'and', written: 'and', start: 2.25, end: 3.2 },
    { name: 'dog', written: 'dog', start: 4, end: 4.2 },
    { name: 'or', written: 'or', start: 4.7, end: 5 },
    { name: 'fox', written: 'fox', start: 6, end: 6.2 },
  ];
  const measure = 'animal counted while the user goes on, recall';
  const counted = (...says: { at: number; what: string }[]) => cueSpeak([heard(counts, { says }, { words })]);
  const one = { at: 2.4, what: 'one' };
  expect(counted(one).find((figure) => figure.measure === measure)).toMatchObject({ value: 1, n: 1 });
  expect(value(counted({ at: 4.6, what: 'two' }, { at: 6.6, what: 'three' }), measure)).toBe(0);
});

it('takes a number that is said twice for one animal for one too many', () => {
  const says = [{ at: 2.3, what: 'one' }, { at: 2.5, what: 'one' }]; // prettier-ignore
  const figures = cueSpeak([heard([event('count', 2, 2.2, 1)], { says })]);
  expect(value(figures, 'animal counted in time, precision')).toBe(0.5);
  expect(value(figures, 'final count exact')).toBe(1);
  // One that was too early does not make the next one wrong.
  const early = [{ at: 1.6, what: 'one' }, says[0]!];
  expect(
    value(cueSpeak([heard([event('count', 2, 2.2, 1)], { says: early })]), 'animal counted in time, precision'),
  ).toBe(0.5);
});

it('takes the answer to the last of what it judges, and none after it', () => {
  const counts = [event('count', 18.7, 18.9, 1), event('count', 19.3, 19.5, 2)];
  const says = [{ at: 19.1, what: 'one' }, { at: 19.7, what: 'two' }]; // prettier-ignore
  const figures = cueSpeak([heard(counts, { says })]);
  expect(figures.map((figure) => figure.value)).toEqual([1, undefined, undefined, 1, 1, undefined]);
});

it('tells of a number in a session that asks for none', () => {
  const measure = 'session that asks for no number and gets one';
  const counting = { says: [{ at: 5, what: 'one' }] };
  const plain = heard([event('delegate', 2, 4)], counting);
  const silent = heard([], { says: [{ at: 5, what: 'backchannel' }] });
  const asked = heard([event('elapsed', 2, 4.8, 3)], counting);
  const figure = cueSpeak([plain, silent, asked]).find((one) => one.measure === measure)!;
  expect(figure).toMatchObject({ value: 0.5, n: 2, better: 'lower' });
});

it('tells stops that were said from those of somebody who talks over the agent, which excuse no other act', () => {
  const events = [event('stop', 2, 2.4), event('barge-in', 8, 9), event('stop', 12, 12.4)];
  const figures = commands([heard(events, { stops: [2.6, 8.4], says: [{ at: 8.6, what: 'cancel' }] })]);
  expect(value(figures, 'stop, recall')).toBeCloseTo(2 / 3);
  expect(value(figures, 'stop that is said, recall')).toBe(0.5);
  expect(value(figures, 'stop, unasked')).toBe(0);
  expect(value(figures, 'cancel, unasked')).toBe(1);
});

it('leaves out of a recording the numbers that the agent says, and nothing else', () => {
  const play = Uint8Array.from({ length: 40 }, (_, turn) => (turn === 5 || turn === 6 || turn >= 20 ? 1 : 0));
  const { session } = heard([], {}, { play, ref: new Int16Array(40 * 3_200).fill(1) });
  const quiet = withoutOwnWords(session);
  expect([...quiet.play]).toEqual([...play].map((one, turn) => (turn < 20 ? 0 : one)));
  const turns = Array.from({ length: 40 }, (_, turn) => turn);
  expect(turns.filter((turn) => quiet.ref[turn * 3_200 + 1] === 0)).toEqual([4, 5, 6, 7]);
  expect([session.play[5], session.ref[5 * 3_200]]).toEqual([1, 1]);
});

describe('what was typed', () => {
  const typed = Array.from({ length: 100 }, (_, turn) => (turn === 5 ? 'count the animals' : ''));
  const marks = typed.map((text) => (text === '' ? '' : '<result>'));
  const counted = { says: [{ at: 2.4, what: 'one' }] };
  const counts = [event('count', 2, 2.2, 1)];

  it('is held against a listener that reads, and no other; marks are no instruction', () => {
    const one = heard(counts, counted, { typed });
    expect(cueSpeak([one])[0]!.n).toBe(0);
    expect(value(cueSpeak([{ ...one, reads: true }]), 'after a typed instruction, recall')).toBe(1);
    expect(cueSpeak([heard(counts, counted, { typed: marks })])[0]!.n).toBe(1);
  });

  it('is a reminder of its own where it stands at the moment from which it counts', () => {
    const reminders = [event('remind', 1, 6, 5), event('remind', 8, 10, 2), event('remind', 10, 12, 2)];
    const says = [6, 10.1, 13].map((at) => ({ at, what: 'remind' }));
    const figures = timeSpeak([{ ...heard(reminders, { says }, { typed }), reads: true }]);
    expect(value(figures, 'reminder that was typed within 0.4 s')).toBe(1);
    expect(value(figures, 'reminder every N seconds within 0.4 s')).toBe(0.5);
    expect(figures[0]).toMatchObject({ value: 1, n: 1 });
  });
});

it('wants a reminder when it is due, and the seconds that went by', () => {
  const events = [event('remind', 3, 8), event('elapsed', 2, 14, 23)];
  const says = [{ at: 8.2, what: 'remind' }, { at: 12, what: 'remind' }, { at: 14.4, what: 'twenty' }, { at: 14.6, what: 'three' }]; // prettier-ignore
  const figures = timeSpeak([heard(events, { says })]);
  expect(value(figures, 'reminder within 0.4 s')).toBe(1);
  expect(value(figures, 'reminder that nobody asked for')).toBe(0.5);
  expect(value(figures, 'duration told within 1.5 s')).toBe(1);
});

it('judges nothing that took less than it was told to', () => {
  const events = [event('remind', 3, 8, 5), event('remind', 3, 63, 60), event('elapsed', 2, 14, 23)];
  const says = [{ at: 63.2, what: 'remind' }];
  const figures = timeSpeak([heard(events, { says }, { play: new Uint8Array(400) })], 'minutes', 60);
  expect(figures[0]).toMatchObject({ suite: 'minutes', value: 1, n: 1 });
  expect(figures.find(({ measure }) => measure.startsWith('duration'))!.n).toBe(0);
});

it('wants the number that comes next, and the right one while a wrong sum is being said', () => {
  const events = [event('next', 2, 2.3, 8), event('next', 6, 6.3, 12), event('sum', 10, 10.2, 7)];
  const says = [{ at: 2.6, what: 'eight' }, { at: 6.6, what: 'eleven' }, { at: 10.6, what: 'seven' }]; // prettier-ignore
  expect(answers([heard(events, { says })]).map((figure) => figure.value)).toEqual([0.5, 1]);
  const late = [{ at: 11.4, what: 'seven' }];
  expect(answers([heard(events, { says: late })]).map((figure) => figure.value)).toEqual([0, 0]);
});

it('wants a result said when it fits, and never without one, of a listener that is told of it', () => {
  const events = [event('relay', 2, 5), event('commit', 8, 8), event('something new', 1, 2)];
  const says = [{ at: 3, what: 'relay' }, { at: 5.2, what: 'relay' }, { at: 11, what: 'commit' }]; // prettier-ignore
  const figures = commands([{ ...heard(events, { says }), reads: true }]);
  expect(value(figures, 'relay, recall')).toBe(1);
  expect(value(figures, 'relay, unasked')).toBe(0.5);
  expect([value(figures, 'commit, recall'), value(figures, 'commit, unasked')]).toEqual([0, 1]);
  expect(value(commands([heard(events, { says })]), 'relay, recall')).toBeUndefined();
});

it('wants each word in the other language while it is news, and no word that was not said', () => {
  const words = [2, 3, 4].map((end, i) => ({ name: 'cat', written: ['cat', 'dog', 'cat'][i]!, start: end - 0.3, end }));
  const events = words.map(({ end }) => event('translate', end, end + 0.2));
  const shows = [{ at: 2.4, what: 'cat' }, { at: 4.8, what: 'cat' }, { at: 4.6, what: 'dog' }]; // prettier-ignore
  const figures = translation([heard(events, { shows }, { words })]);
  expect(figures.map((figure) => figure.value)).toEqual([2 / 3, 2 / 3]);
  expect(figures.map(({ n }) => n)).toEqual([3, 3]);
});

it('lets nobody be interrupted by themselves', () => {
  const play = new Uint8Array(100).fill(1, 10, 30).fill(1, 50, 70);
  expect(echo([heard([], { stops: [3] }, { play })])[0]).toMatchObject({ value: 0.5, n: 2 });
});
