import type { Clock } from '../clock.js';

/** A clock that stands still until a test moves it, with timers that fire in order on the way. */
export class ManualClock implements Clock {
  #nowMs: number;
  #timers: { atMs: number; run: () => void }[] = [];
  constructor(nowMs = 0) {
    this.#nowMs = nowMs;
  }
  now(): number {
    return this.#nowMs;
  }
  /** Timers that have not fired: 0 after a clean close. */
  get pending(): number {
    return this.#timers.length;
  }
  /** Calls `run` once, when the clock has moved by `ms`; the result calls it off. An arrow, to be passed on by itself. */
  readonly after = (ms: number, run: () => void): (() => void) => {
    const timer = { atMs: this.#nowMs + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };
  /** Moves the clock, stopping at each timer that is due. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const due = this.#timers.filter(({ atMs }) => atMs <= endMs);
      if (due.length === 0) break;
      const next = due.reduce((first, timer) => (timer.atMs < first.atMs ? timer : first));
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = next.atMs;
      next.run();
    }
    this.#nowMs = endMs;
  }
}
