import type { Floor } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { Notes, type NotesSaved } from './notes.js';
import type { Act, Decision } from './types.js';

const MICRO_TURN_MS = 200;

/** A stretch of decisions in virtual time: what was told, and the micro-turn that it was told for. */
class Run {
  readonly notes: Notes;
  readonly told: { turn: number; seconds: number; text: string }[] = [];
  index = -1;

  constructor(same?: Readonly<Record<string, string>>) {
    this.notes = new Notes(MICRO_TURN_MS, same);
  }

  /** The next decision: words with the session time at which they ended, and acts. */
  turn(
    words: readonly (readonly [text: string, endMs: number])[] = [],
    acts: readonly Act[] = [],
    floor: Floor = 'silent',
  ): this {
    this.index++;
    const decided = {
      words: words.map(([text, endMs]) => ({ text, endMs, confidence: 1 })),
      acts,
      index: this.index,
      floor,
    };
    for (const { seconds, text } of this.notes.take(decided)) this.told.push({ turn: this.index + 1, seconds, text });
    return this;
  }
  /** Up to and with the decision of `index`. */
  to(index: number): this {
    while (this.index < index) this.turn();
    return this;
  }
  /** Words that end 200 ms after each other, the last one at `endMs`; it is decided in its micro-turn. */
  says(text: string, endMs: number, acts: readonly Act[] = []): this {
    const words = text.split(' ').map((word, i, all) => [word, endMs - 200 * (all.length - 1 - i)] as const);
    return this.to(Math.floor(endMs / MICRO_TURN_MS) - 1).turn(words, acts);
  }
  acts(...acts: Act[]): this {
    return this.turn([], acts);
  }
  /** `seconds@turn`, in order. */
  get ages(): string[] {
    return this.told.map(({ seconds, turn }) => `${seconds}@${turn}`);
  }
  /** First words of the notes that ages were told of in this micro-turn. */
  toldAt(turn: number): string[] {
    return this.told.filter((one) => one.turn === turn).map(({ text }) => text.split(' ')[0]!);
  }
}

/** The micro-turn in which `ms` is so many seconds ago. */
const turnOf = (ms: number, seconds: number) => Math.floor((ms + 1000 * seconds) / MICRO_TURN_MS);

describe('notes', () => {
  it('tell what was said, and how old it is, in the micro-turns in which it is that old', () => {
    const run = new Run().says('remind me in three minutes', 2080).acts('note').to(1000);
    expect(run.ages).toEqual(
      [10, 20, 30, 40, 50, 60, 120, 180].map((seconds) => `${seconds}@${turnOf(2080, seconds)}`),
    );
    expect(new Set(run.told.map(({ text }) => text))).toEqual(new Set(['remind me in three minutes']));
  });

  it('tell an age with the decision before its micro-turn, wherever in it the request ended', () => {
    for (const endMs of [2000, 2001, 2199, 2200]) {
      const run = new Run().says('now', endMs, ['note']).to(70);
      expect(run.ages).toEqual([`10@${endMs < 2200 ? 60 : 61}`]);
    }
  });

  it('are told between the tens where they have the words of the age, as the model reads them', () => {
    const same = { '22': 'twenty two', second: 'seconds', '60': 'sixty', '1': 'one', minute: 'minutes', '5': 'five' };
    const ages = (text: string) =>
      new Run(same).says(text, 8000, ['note']).to(360).told.map(({ seconds }) => seconds); // prettier-ignore
    expect(ages('in twenty two seconds please')).toEqual([10, 20, 22, 30, 40, 50, 60]);
    expect(ages('in 22 second')).toEqual([10, 20, 22, 30, 40, 50, 60]);
    for (const other of ['in twenty seconds', 'in twenty two minutes', 'two twenty seconds', 'in five seconds']) {
      expect(ages(other)).toEqual([10, 20, 30, 40, 50, 60]);
    }
    // What is left of "in a minute" where the small word was not heard is a request that waits for a minute.
    const minute = new Run(same).says('remind me in minutes', 8000, ['note']);
    for (let other = 1; other <= 5; other++) minute.says('stray', 8000 + 2000 * other, ['note']);
    expect(minute.to(360).told.findLast(({ text }) => text === 'remind me in minutes')!.seconds).toBe(60);
    const run = new Run().says('in twenty two seconds', 2000, ['note']).to(200);
    expect(run.ages).toEqual(['10@60', '20@110', '30@160']);
  });

  it('go on in another process as if there had been one', () => {
    const same = { '22': 'twenty two', second: 'seconds' };
    const script = (run: Run) =>
      run
        .says('call mum in twenty two seconds', 2000, ['note'])
        .says('and in five minutes the oven', 9000, ['note'])
        .says('in ten', 12_000);
    const rest = (run: Run) => run.acts('note').to(118).acts('remind').acts('cancel').to(400);
    const whole = rest(script(new Run(same)));
    const before = script(new Run(same));
    const after = new Run(same);
    after.index = before.index;
    after.notes.takeUp(JSON.parse(JSON.stringify(before.notes.saved)) as NotesSaved);
    rest(after);
    expect([...before.told, ...after.told]).toEqual(whole.told);
    expect(after.told.length).toBeGreaterThan(5);
    const reminds = {
      words: [],
      acts: ['remind'],
      index: 401,
      floor: 'silent',
      say: 'reminder',
    } as unknown as Decision;
    expect(after.notes.heed(reminds)).toEqual(whole.notes.heed(reminds));
  });

  it('are told, whenever another is taken, how long before that they were', () => {
    const run = new Run().says('first', 1000, ['note']).says('second', 8500, ['note']).says('third', 111_000, ['note']);
    const [second, ...third] = run.told.filter(({ turn }) => turn === 43 || turn === 556);
    expect(second).toEqual({ turn: 43, seconds: 8, text: 'first' }); // 7.5
    expect(third).toEqual([
      { turn: 556, seconds: 60, text: 'first' }, // 110: a minute has passed
      { turn: 556, seconds: 60, text: 'second' },
    ]);
    expect(new Run().says('one', 1000, ['note']).says('two', 1400, ['note']).to(40).told).toEqual([]);
  });

  it('are of the whole utterance, over a short pause and not over a long one', () => {
    const short = new Run().says('remind me', 1000).says('in a minute', 2900, ['note']).to(80); // 1500 ms
    expect(short.told[0]!.text).toBe('remind me in a minute');
    const long = new Run().says('so it was', 1000).says('in a minute', 2901, ['note']).to(80);
    expect(long.told[0]!.text).toBe('in a minute');
  });

  it('are taken when the model acts, of what had been said by then', () => {
    const run = new Run().says('in a minute', 1000).acts('note').says('please', 1800).to(80);
    expect(run.told).toEqual([{ turn: turnOf(1000, 10), seconds: 10, text: 'in a minute' }]);
  });

  it('are of what was typed, from the micro-turn that it was fed in', () => {
    const run = new Run().says('hello', 600);
    run.notes.typed('Remind me in 25s, please!', 10);
    run.to(10).acts('note').to(80);
    expect(run.told).toEqual([{ turn: 60, seconds: 10, text: 'remind me in 25 s please' }]);
  });

  it('are of the newer of what was typed and what was said', () => {
    const run = new Run();
    run.notes.typed('typed', 2);
    run.says('spoken', 1000, ['note']);
    run.notes.typed('again', 20);
    run.to(19).acts('note').to(70);
    expect(run.told.map(({ text, turn }) => [text, turn])).toEqual([
      ['spoken', 21],
      ['spoken', 55],
      ['again', 70],
    ]);
  });

  it('take no message for one that has no words', () => {
    const run = new Run().says('spoken', 1000);
    run.notes.typed('?!', 10);
    expect(run.to(10).acts('note').to(60).told.map(({ text }) => text)).toEqual(['spoken']); // prettier-ignore
  });

  it('are of nothing where nothing was said', () => {
    expect(new Run().acts('note').to(400).told).toEqual([]);
  });

  it('skip the ages that have passed when the model acts late', () => {
    expect(new Run().says('now', 1000).to(59).acts('note').to(160).ages).toEqual(['20@105', '30@155']);
    // Of the micro-turn that comes next none has passed.
    expect(new Run().says('now', 1000).to(53).acts('note').to(60).ages).toEqual(['10@55']);
    expect(new Run().says('now', 1000).to(54).acts('note').to(60).ages).toEqual([]);
  });

  it('lose no age where decisions are missing', () => {
    const run = new Run().says('one', 1000, ['note']).says('two', 9000, ['note']);
    run.index = 129;
    run.turn().to(140);
    expect(run.told.map(({ text, seconds, turn }) => [text, seconds, turn])).toEqual([
      ['one', 8, 46],
      ['one', 10, 131],
      ['two', 10, 131],
      ['one', 20, 131],
    ]);
    expect(run.to(160).ages.slice(4)).toEqual(['20@145', '30@155']);
  });

  it('are taken once of the same request, however often the model says so', () => {
    const run = new Run().says('now', 1000).acts('note', 'note').acts().acts('note').to(70);
    expect(run.ages).toEqual(['10@55']);
  });

  it('end with the reminder of the one that was told last', () => {
    const run = new Run().says('first', 1000, ['note']).says('second', 3000, ['note']);
    run.to(54).acts('remind').to(120); // of the first: its age was told for this micro-turn
    expect(run.toldAt(65)).toEqual(['second']);
    expect(run.toldAt(105)).toEqual([]);
    expect(run.toldAt(115)).toEqual(['second']);
  });

  it('end with the reminder of the newest where none was told yet, or it came after', () => {
    const early = new Run().says('first', 1000, ['note']).says('second', 3000, ['note']);
    early.to(30).acts('remind').to(70);
    expect(early.ages).toEqual(['2@16', '10@55']);
    const between = new Run().says('minutes', 1000, ['note']).to(60).says('seconds', 14_000, ['note']);
    between.to(90).acts('remind').to(125);
    expect(between.ages).toEqual(['10@55', '13@71', '20@105']);
    expect(new Set(between.told.map(({ text }) => text))).toEqual(new Set(['minutes']));
  });

  describe('of a model that is told what they name', () => {
    const same = { minute: 'minutes', '2': 'two', '5': 'five', '10': 'ten', '25': 'twenty five', '30': 'thirty' };

    it('outlive a reminder of something else, or of nothing, until their time has come', () => {
      const run = new Run(same).says('in two minutes', 1000, ['note']).says('in thirty seconds', 3000, ['note']);
      run.to(60).acts('remind').to(turnOf(3000, 30));
      expect(run.toldAt(turnOf(3000, 30))).toEqual(['in']);
      run.acts('remind').to(turnOf(1000, 120)).acts('remind').to(2000);
      const later = run.told.filter(({ turn }) => turn > 170);
      expect(later.map(({ text, seconds }) => `${text}: ${seconds}`)).toEqual(
        [40, 50, 60, 120].map((age) => `in two minutes: ${age}`),
      );
    });

    it('end with a reminder that is early by two seconds, and one of a few seconds with its own', () => {
      const run = new Run(same).says('okay start', 1000, ['note']).says('in thirty seconds', 3000, ['note']);
      run.to(turnOf(3000, 28)).acts('remind').says('in five seconds', 40_000, ['note']).to(225).acts('remind').to(400);
      expect(run.told.filter(({ turn }) => turn > 201).map(({ text }) => text)).toEqual(
        Array.from({ length: 3 }, () => 'okay start'), // 40, 50, 60
      );
    });

    it('name the longer of two ages, and each of two that it asks for', () => {
      const run = new Run(same)
        .says('in twenty five minutes', 1000, ['note'])
        .to(turnOf(1000, 300))
        .acts('remind')
        .to(2000);
      expect(run.told.at(-1)).toMatchObject({ seconds: 360 });
      const two = new Run(same)
        .says('start the timer', 1000, ['note'])
        .says('in thirty seconds no in ten seconds', 9000, ['note']);
      two.to(turnOf(9000, 10)).acts('remind').to(200);
      expect(new Set(two.told.filter(({ turn }) => turn > 96).map(({ text }) => text))).toEqual(
        new Set(['start the timer']),
      );
    });

    it('end by a cancel where they wait, and are not forgotten for what does not', () => {
      const run = new Run(same).says('in five minutes', 1000, ['note']).says('in two minutes', 5000, ['note']);
      run
        .says('okay start', 9000, ['note'])
        .acts('cancel')
        .says('done', 20_000, ['note'])
        .says('start', 22_000, ['note']);
      expect(run.told.filter(({ turn }) => turn === 101).map(({ text }) => text)).toEqual([
        'in five minutes',
        'okay start',
      ]);
      run.says('done', 24_000, ['note']).says('start', 26_000, ['note']).to(turnOf(1000, 300));
      expect(run.told.at(-1)).toMatchObject({ text: 'in five minutes', seconds: 300 });
    });
  });

  it('end one by one', () => {
    const run = new Run().says('first', 1000, ['note']).says('second', 3000, ['note']).to(70);
    run.acts('remind').acts('remind').acts('remind').to(400);
    expect(run.ages).toEqual(['2@16', '10@55', '10@65']);
  });

  it('end by a cancel, the newest first', () => {
    const run = new Run().says('first', 1000, ['note']).says('second', 9000, ['note']).to(60);
    run.acts('cancel').to(120);
    expect(run.told.map(({ text }) => text)).toEqual(['first', 'first', 'first']);
    expect(run.acts('cancel').to(400).told).toHaveLength(3);
  });

  describe('that were called off', () => {
    const same = { second: 'seconds', '7': 'seven', '9': 'nine', '5': 'five' };
    const decision = (index: number, acts: readonly Act[]): Decision => ({
      ...{ lease: 1, index, words: [], floor: 'silent', confidence: 1, lagMs: 0, stepMs: 0 },
      ...{ acts, say: acts.includes('remind') ? 'Here is your reminder.' : '' },
    });
    const isSaid = ({ notes, index }: Run) => notes.heed(decision(index + 1, ['remind', 'stop'])).say !== '';
    const noted = (read?: Readonly<Record<string, string>>) => new Run(read).says('in seven seconds', 2000, ['note']);

    it.each([
      ['told what a note names', same],
      ['told nothing of it', undefined],
    ] as const)('are not reminded of, by a model that is %s', (_, read) => {
      expect(isSaid(noted(read).to(44))).toBe(true);
      const run = noted(read).to(20).acts('cancel').to(44);
      expect(run.notes.heed(decision(45, ['remind', 'stop']))).toEqual(decision(45, ['stop']));
      expect(run.notes.heed(decision(45, ['stop']))).toEqual(decision(45, ['stop']));
    });

    it('leave others to come', () => {
      const run = noted(same).says('in nine seconds', 4000, ['note']).to(24).acts('cancel').to(44);
      expect(isSaid(run)).toBe(true);
      expect(isSaid(run.acts('remind').to(62))).toBe(false);
    });

    it('are over with the next note, and after a minute', () => {
      const run = noted(same).to(20).acts('cancel').to(44);
      expect(isSaid(run.says('again', 9200, ['note']))).toBe(true);
      const later = noted(same).to(20).acts('cancel');
      expect(isSaid(later.to(319))).toBe(false);
      expect(isSaid(later.to(321))).toBe(true);
    });

    it('by a stop are those that have come once', () => {
      const once = noted(same).to(20).acts('stop').to(44);
      expect(isSaid(once)).toBe(true);
      const often = new Run(same).says('every five seconds', 2000, ['note']).to(34).acts('remind').to(60);
      expect(isSaid(often)).toBe(true);
      often.acts('remind').to(70).turn([], ['stop'], 'barge-in');
      expect(isSaid(often.to(84))).toBe(true);
      expect(isSaid(often.to(90).acts('stop').to(110))).toBe(false);
    });

    it('are none of a model that has noted nothing', () => {
      expect(isSaid(new Run(same).to(20).acts('cancel').to(44))).toBe(true);
    });
  });

  it('are four at most, the oldest is forgotten', () => {
    const run = new Run();
    for (const [i, name] of ['a', 'b', 'c', 'd', 'e'].entries()) run.says(name, 1000 + 2000 * i, ['note']);
    run.told.length = 0; // how long before each the others were
    expect(run.to(120).told.map(({ text }) => text)).toEqual(['b', 'c', 'd', 'e', 'b']);
  });

  it('keep the last ten words', () => {
    const words = 'a b c d e f g h i j k l'.split(' ');
    const spoken = new Run().says(words.join(' '), 4000, ['note']).to(80);
    expect(spoken.told[0]!.text).toBe(words.slice(2).join(' '));
    const typed = new Run();
    typed.notes.typed(words.join(', '), 0);
    expect(typed.acts('note').to(80).told[0]!.text).toBe(words.slice(2).join(' '));
  });

  describe('of more words than they hold', () => {
    const same = { '2': 'two', '20': 'twenty', '22': 'twenty two', second: 'seconds' };
    const rest = 'that i need to call my mother about the weekend';
    const noted = (text: string, read?: Readonly<Record<string, string>>) => {
      const [spoken, typed] = [new Run(read).says(text, 8000, ['note']), new Run(read)];
      typed.notes.typed(text.replaceAll(' ', ', '), 40);
      typed.to(40).acts('note');
      const first = [spoken, typed].map((run) => run.to(100).told.map(({ text, turn }) => `${text} @${turn}`)[0]);
      expect(first[1]).toBe(first[0]);
      return first[0];
    };

    it('end with the last age where nothing after it is one', () => {
      expect(noted(`remind me in two minutes ${rest}`, same)).toBe('remind me in two minutes @90');
      expect(noted(`so if you can please try to remind me in 22 second ${rest} in town`, same)).toBe(
        'you can please try to remind me in 22 second @90',
      );
      expect(noted(`in two minutes no in twenty seconds ${rest}`, same)).toBe(
        'in two minutes no in twenty seconds @90',
      );
    });

    it('end with it where it would be cut, and not where it is whole', () => {
      const [cut, whole] = ['that i need to call my mother now', 'that i need to call my mother'];
      expect(noted(`remind me in twenty two minutes ${cut}`, same)).toBe('remind me in twenty two minutes @90');
      expect(noted(`remind me in twenty two minutes ${whole}`, same)).toBe(`twenty two minutes ${whole} @90`);
    });

    it('end with the last word after a pause, in the next message, and of a model that is not told what they name', () => {
      expect(noted(`remind me in two minutes ${rest}`)).toBe(`${rest} @90`);
      const run = new Run(same).says('remind me in two minutes', 2000);
      run.says(`so ${rest}`, 6000, ['note']).notes.typed('remind me in two minutes', 50);
      run.notes.typed(`so ${rest}`, 60);
      expect(
        new Set(
          run
            .to(60)
            .acts('note')
            .to(120)
            .told.map(({ text }) => text),
        ),
      ).toEqual(new Set([rest]));
    });

    it('are as old as the last word', () => {
      const run = new Run(same).says(`remind me in twenty two seconds ${rest}`, 8000, ['note']).to(turnOf(8000, 30));
      expect(run.ages).toEqual([10, 20, 22, 30].map((seconds) => `${seconds}@${turnOf(8000, seconds)}`));
    });
  });

  it('count an hour, in minutes after the first, and are forgotten then', () => {
    const run = new Run().says('in an hour', 1000, ['note']).to(turnOf(1000, 2 * 3600));
    const due = [10, 20, 30, 40, 50, ...Array.from({ length: 60 }, (_, i) => 60 * (i + 1))];
    expect(run.ages).toEqual(due.map((seconds) => `${seconds}@${turnOf(1000, seconds)}`));
  });

  it('are still there to be answered in their last minute, and not after it', () => {
    const run = new Run().says('in an hour', 1000, ['note']).to(turnOf(1000, 3590));
    run.says('in a minute', run.index * 200 + 600, ['note']).to(turnOf(1000, 3600) - 1);
    run.acts('remind').to(turnOf(1000, 3610));
    expect(run.told.at(-1)!.text).toBe('in a minute');
    const late = new Run().says('in an hour', 1000).to(turnOf(1000, 3605)).acts('note');
    expect(late.to(turnOf(1000, 3700)).ages).toEqual([]);
  });
});
