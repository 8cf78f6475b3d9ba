import type { Track } from './track.js';

/** What is answered with a number, and how long that may take. */
export const ANSWERED: ReadonlySet<string> = new Set(['elapsed', 'next', 'sum']);
export const ANSWER_SECONDS = 1.4;
export const NUMBERS =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'.split(
    ' ',
  );
const TENS = ['thirty', 'forty', 'fifty', 'sixty'];

/** The number that the agent tells in this time, of one word or two; 0 where it tells none. */
export function numberTold({ says }: Track, from: number, to: number): number {
  const told = says.filter(({ at }) => at > from && at <= to).map(({ what }) => numberOf(what));
  return told.filter((part) => part > 0).slice(0, 2).reduce((sum, part) => sum + part, 0); // prettier-ignore
}

export function numberOf(word: string): number {
  const tens = TENS.indexOf(word);
  return tens >= 0 ? 10 * (tens + 3) : Math.max(0, NUMBERS.indexOf(word));
}
