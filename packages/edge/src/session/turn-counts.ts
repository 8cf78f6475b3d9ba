import type { SessionEventBody } from '@microturn/protocol';
import type { SpentTokens } from './background.js';
import type { ServiceCounts } from './service-counts.js';

/** Late micro-turns in a row that are told to the client, and how soon again. */
const LATE_IN_A_ROW = 10;
const LATE_AGAIN_MS = 10_000;

/** Counts a session's micro-turns, and those that were decided late. */
export class TurnCounts {
  readonly #microTurnMs: number;
  #turns: number;
  #late: number;
  #lateInARow = 0;
  #engineLateInARow = 0;
  #toldLateAtMs = -Infinity;

  /** @param from what a process that is gone had counted */
  constructor(microTurnMs: number, from?: { readonly turns: number; readonly late: number }) {
    this.#microTurnMs = microTurnMs;
    this.#turns = from?.turns ?? 0;
    this.#late = from?.late ?? 0;
  }

  get turns(): number {
    return this.#turns;
  }
  get late(): number {
    return this.#late;
  }
  /** Up to now. */
  get lateInARow(): number {
    return this.#lateInARow;
  }
  /** Of those, as the engine's thread saw it: what is late on main alone is no fault of the engine. */
  get engineLateInARow(): number {
    return this.#engineLateInARow;
  }

  /**
   * One more was decided.
   * @param lagMs from its end to its decision here
   * @param engineLagMs to its decision on the engine's thread
   * @returns whether the client is to be told how many were late
   */
  note(lagMs: number, engineLagMs: number, nowMs: number): boolean {
    this.#turns++;
    this.#engineLateInARow = engineLagMs > this.#microTurnMs ? this.#engineLateInARow + 1 : 0;
    if (lagMs <= this.#microTurnMs) {
      this.#lateInARow = 0;
      return false;
    }
    this.#late++;
    this.#lateInARow++;
    if (this.#lateInARow < LATE_IN_A_ROW || nowMs - this.#toldLateAtMs < LATE_AGAIN_MS) return false;
    this.#toldLateAtMs = nowMs;
    return true;
  }

  /** @param spent by the language models of the session; transcriber and voice keep `services` */
  usage(spent: SpentTokens | undefined, services: ServiceCounts): SessionEventBody & { type: 'session.usage' } {
    const { tokensIn = 0, tokensOut = 0, cost } = spent ?? {};
    return {
      type: 'session.usage',
      audioSeconds: (this.#turns * this.#microTurnMs) / 1000,
      microTurns: this.#turns,
      late: this.#late,
      tokensIn,
      tokensOut,
      ...(cost !== undefined && { cost }),
      ...services,
    };
  }
}

/** Of no language model nothing is spent, rather than a cost of 0. */
export function addSpent(a: SpentTokens | undefined, b: SpentTokens | undefined): SpentTokens | undefined {
  if (!a || !b) return a ?? b;
  return { tokensIn: a.tokensIn + b.tokensIn, tokensOut: a.tokensOut + b.tokensOut, cost: a.cost + b.cost };
}
