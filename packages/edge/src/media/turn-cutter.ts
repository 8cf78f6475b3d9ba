import { turnAt } from '@microturn/protocol';

/** After a stall of more turns than this, the old ones are of no use to anybody. */
const CATCH_UP_TURNS = 5;

/** Knows when micro-turns are due: turn k at `zeroMs + (k + 1) * microTurnMs`. A missed one keeps its index. */
export class TurnCutter {
  readonly #zeroMs: number;
  readonly #microTurnMs: number;
  #next: number;

  /** Starts with the micro-turn that holds `nowMs`. */
  constructor(zeroMs: number, microTurnMs: number, nowMs: number) {
    this.#zeroMs = zeroMs;
    this.#microTurnMs = microTurnMs;
    this.#next = turnAt(nowMs - zeroMs, microTurnMs);
  }

  /** Index of the micro-turn that will be due next. */
  get next(): number {
    return this.#next;
  }

  dueMs(index: number): number {
    return this.#zeroMs + (index + 1) * this.#microTurnMs;
  }

  /** The micro-turns that are due, oldest first. After a long stall only the newest: a storm of old ones helps nobody. */
  take(nowMs: number): number[] {
    const end = Math.floor((nowMs - this.#zeroMs) / this.#microTurnMs);
    if (end <= this.#next) return [];
    const from = end - this.#next > CATCH_UP_TURNS ? end - 1 : this.#next;
    this.#next = end;
    return Array.from({ length: end - from }, (_, i) => from + i);
  }
}
