/** The first wait and the longest. */
const FIRST_MS = 250;
const LONGEST_MS = 5000;
/** From one to the next: an edge that is started again is there after one to three seconds, and is not to be waited for much longer. */
const GROWTH = 1.5;

/** How long to wait before each attempt. Spread at random, so that the callers of an edge do not all come back at once. */
export class Backoff {
  readonly #random: () => number;
  #attempts = 0;

  /** @param random in [0, 1) */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Between half of the wait and all of it; the first is short. */
  nextMs(): number {
    const fullMs = Math.min(LONGEST_MS, FIRST_MS * GROWTH ** this.#attempts++);
    return fullMs * (0.5 + 0.5 * this.#random());
  }
}
