import type { Clock } from '../clock.js';
import { Histogram } from './histogram.js';

/** The two calls of Node's event loop that a tick needs. */
export interface TickTimers {
  after(ms: number, call: () => void): () => void;
  /** Once what waits in the sockets has been read and handed on. */
  afterInput(call: () => void): () => void;
}

export const nodeTickTimers: TickTimers = {
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
  afterInput: (call) => {
    // Two turns of the loop: mediasoup hands on what it has read in an immediate of its own, which comes behind ours.
    let immediate = setImmediate(() => (immediate = setImmediate(call)));
    return () => clearImmediate(immediate);
  },
};

/**
 * One steady tick for all sessions. Each is set by the clock and not by the one before, so lateness never adds up;
 * ticks that were missed are left out. A tick runs after pending input, so that a stalled thread reads before it cuts.
 */
export class Ticker {
  readonly lateness = new Histogram();
  readonly #clock: Clock;
  readonly #timers: TickTimers;
  readonly #periodMs: number;
  readonly #onTick: (nowMs: number) => void;
  #dueMs: number;
  #cancel: () => void;

  constructor(clock: Clock, onTick: (nowMs: number) => void, { periodMs = 5, timers = nodeTickTimers } = {}) {
    this.#clock = clock;
    this.#timers = timers;
    this.#periodMs = periodMs;
    this.#onTick = onTick;
    this.#dueMs = clock.now();
    this.#cancel = () => {};
    this.#schedule();
  }

  close(): void {
    this.#cancel();
    this.#dueMs = Infinity;
  }

  #schedule(): void {
    if (this.#dueMs === Infinity) return;
    const nowMs = this.#clock.now();
    this.#dueMs += this.#periodMs * Math.max(1, Math.ceil((nowMs - this.#dueMs) / this.#periodMs));
    this.#cancel = this.#timers.after(Math.max(0, this.#dueMs - nowMs), () => {
      this.#cancel = this.#timers.afterInput(() => this.#tick());
    });
  }

  #tick(): void {
    const nowMs = this.#clock.now();
    this.lateness.add(nowMs - this.#dueMs);
    try {
      this.#onTick(nowMs);
    } finally {
      this.#schedule();
    }
  }
}
