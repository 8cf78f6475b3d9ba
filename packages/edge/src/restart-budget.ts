import type { Clock } from './clock.js';

/** A part that dies more often than this stays dead: something is wrong that another start does not mend. */
const MOST = 3;
const WITHIN_MS = 60_000;

/** Counts the restarts of one part. */
export class RestartBudget {
  readonly #clock: Clock;
  readonly #takenAtMs: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes one restart; false where there were too many lately. */
  take(): boolean {
    const now = this.#clock.now();
    while (this.#takenAtMs[0] !== undefined && this.#takenAtMs[0] < now - WITHIN_MS) this.#takenAtMs.shift();
    if (this.#takenAtMs.length >= MOST) return false;
    this.#takenAtMs.push(now);
    return true;
  }

  /** The latest one does not count: its cause is out of the way. */
  giveBack(): void {
    this.#takenAtMs.pop();
  }
}
