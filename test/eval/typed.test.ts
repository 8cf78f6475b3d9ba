import { describe, expect, it } from 'vitest';
import { heard } from './scripted-sessions.js';
import { SAMPLES_PER_TURN } from './test-sets.js';
import type { Track } from './track.js';
import { BLIND } from './typed-blind.js';
import { backgrounds, judged, rooms, type Outcome } from './typed.js';

const all = rooms();
const outcome = (track: Partial<Track> = {}, asked: string[] = []): Outcome => ({
  track: { yields: [], stops: [], words: [], says: [], shows: [], ...track },
  asked,
});
const saying = (...said: [at: number, what: string][]) => outcome({ says: said.map(([at, what]) => ({ at, what })) });

/** What is judged of the room whose first message is this one. */
function verdicts(text: string, made: Outcome, later?: string): (boolean | undefined)[] {
  const room = all.find(({ typed }) => {
    const messages = Object.values(typed);
    return messages[0] === text && (later === undefined || messages[1] === later);
  });
  return room!.judgements.map(({ judge }) => judge(made));
}

// The first message is typed after a second; a decision is known at the end of its micro-turn.
describe('typed instructions', () => {
  it('are judged by their act, in time', () => {
    expect(verdicts('count the animals', saying([1.6, 'handle']))).toEqual([true]);
    expect(verdicts('count the animals', saying([2.8, 'handle']))).toEqual([false]);
    expect(verdicts('count the animals', saying([1.6, 'louder']))).toEqual([false]);
    expect(verdicts('volume up', saying([1.6, 'louder']))).toEqual([true]);
  });

  it('are judged by the reminder, where one is asked for', () => {
    const text = 'remind me in seven seconds';
    expect(verdicts(text, saying([8.1, 'remind']))).toEqual([true]);
    expect(verdicts(text, saying([8.8, 'remind']))).toEqual([false]);
    expect(verdicts(text, saying([8.1, 'remind'], [9.3, 'remind']))).toEqual([false]);
    const every = 'remind me every 3 seconds';
    expect(verdicts(every, saying([4.1, 'remind'], [7.2, 'remind'], [9.9, 'remind']))).toEqual([true]);
    expect(verdicts(every, saying([4.1, 'remind'], [9.9, 'remind']))).toEqual([false]);
  });

  it('are judged by the number that is said', () => {
    expect(verdicts('what comes after six', saying([1.8, 'seven']))).toEqual([true]);
    expect(verdicts('what comes after six', saying([1.8, 'eight']))).toEqual([false]);
    // Asked for after eight seconds; six went by.
    expect(verdicts('i start now', saying([9.6, 'seven']))).toEqual([true]);
    expect(verdicts('i start now', saying([9.6, 'eight']))).toEqual([false]);
    expect(verdicts('i start now', saying([7.4, 'six']))).toEqual([false]);
  });

  it('stop what goes on, and take back what is to come, where there is any', () => {
    const run = 'remind me every 4 seconds';
    const came: [number, string][] = [[5.1, 'remind'], [9.1, 'remind']]; // prettier-ignore
    expect(verdicts(run, saying(...came), 'wait')).toEqual([false, true]);
    const stopped = { ...saying(...came, [13.1, 'remind']).track, stops: [10.8] };
    expect(verdicts(run, outcome(stopped), 'wait')).toEqual([true, false]);
    expect(verdicts(run, outcome({ stops: [10.8] }), 'wait')).toEqual([true, undefined]);
    const once = 'remind me in 12 seconds';
    expect(verdicts(once, saying([1.6, 'note'], [5.6, 'cancel']), 'drop that')).toEqual([true, true]);
    expect(verdicts(once, saying([1.6, 'note'], [13.1, 'remind']), 'drop that')).toEqual([false, false]);
    expect(verdicts(once, saying([5.6, 'cancel']), 'drop that')).toEqual([true, undefined]);
  });

  it('are no questions, which are left to somebody else', () => {
    expect(verdicts('why is the sea salty', outcome({}, ['why is the sea salty']))).toEqual([true]);
    expect(verdicts('why is the sea salty', saying([1.6, 'handle']))).toEqual([false]);
    // Asked, and nevertheless answered.
    const { track } = saying([1.6, 'delegate'], [2.2, 'eight']);
    expect(verdicts('why is the sea salty', outcome(track, ['why is the sea salty']))).toEqual([false]);
  });

  it('are told by skill, and by whose words they are in', () => {
    const blind = BLIND.next[0];
    const texts = new Set(['what comes after six', "what's one more than 13", blind[0]]);
    const some = all.filter(({ typed }) => texts.has(typed[5]!));
    const figures = judged('typed', some, [saying([1.8, 'seven']), saying([1.8, 'eleven']), saying()]);
    expect(figures).toMatchObject([
      { measure: 'next number, said', value: 0.5, n: 2 },
      { measure: 'next number, said (blind)', value: 0, n: 1 },
      { measure: 'all, in words of the recipe', value: 1, n: 1 },
      { measure: 'all, in other words', value: 0, n: 1 },
      { measure: 'all, in words of somebody who has seen none', value: 0, n: 1 },
    ]);
  });

  it('are as often in other words as in those of the recipe, and each of these is there once', () => {
    const [recipe, other] = (['recipe', 'other'] as const).map((wanted) =>
      all.filter(({ wording }) => wording === wanted),
    );
    expect(other).toHaveLength(recipe!.length);
    // Who has seen neither may come upon any of them.
    const texts = [...recipe!, ...other!].map(({ typed }) => Object.values(typed).join('; '));
    expect(new Set(texts).size).toBe(texts.length);
  });
});

it('takes for background what is heard where nobody is', () => {
  const quiet = (floor: Uint8Array, play = new Uint8Array(40)) => {
    const mic = Int16Array.from({ length: 40 * SAMPLES_PER_TURN }, (_, i) => Math.floor(i / SAMPLES_PER_TURN));
    return heard([], {}, { mic, floor, play }).session;
  };
  const [noise, ...others] = backgrounds([
    quiet(new Uint8Array(40).fill(1, 0, 10).fill(4, 30)),
    quiet(
      new Uint8Array(40),
      Uint8Array.from({ length: 40 }, (_, turn) => Number(turn % 8 === 0)),
    ),
  ]);
  expect([noise![0], noise!.at(-1), others.length]).toEqual([11, 28, 0]);
});
