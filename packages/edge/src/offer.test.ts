import { expect, it } from 'vitest';
import { tellOffer, type OfferState } from './offer.js';

/** What a model is told of states that follow each other, one letter in 200 ms: waits, held, taken, void. */
function told(letters: string): string {
  const states: Record<string, OfferState> = { w: 'waits', h: 'held', t: 'taken', '.': 'void' };
  let toldAtMs: number | undefined;
  return [...letters]
    .map((letter, i) => {
      const step = tellOffer(toldAtMs, states[letter]!, i * 200);
      toldAtMs = step.toldAtMs;
      return step.tell === undefined ? '-' : step.tell === 'offered' ? 'o' : 'd';
    })
    .join('');
}

it.each([
  ['at once, and again every two seconds while it waits', '.wwwwwwwwwww.', '-o---------od'],
  ['once that it is void, where it knew of it', '..ww..w.', '--o-d-od'],
  ['nothing while it is said, and of the rest anew', 'wwtttww.', 'o----o-d'],
  ['nothing of what was said to its end', 'wtt...', 'o-----'],
  ['nothing while something else is said, and that it is void', 'hhwhhhh.', '--o----d'],
])('an offer tells %s', (_, letters, expected) => expect(told(letters)).toBe(expected));
