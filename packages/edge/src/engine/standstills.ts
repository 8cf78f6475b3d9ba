/** How often to call `beat`. */
export const BEAT_MS = 20;
/** Longer than this between two beats is a pause of the whole process: of its machine, or by a debugger. */
const STILL_MS = 80;
/** A process that stands still again within this time has too much to do. */
const AGAIN_MS = 10_000;
/** Before it, what was due may not have been decided yet; after it, what waited is caught up with first. */
const AROUND_MS = 200;

/**
 * Notices that the process stood still, by a beat that came late. Micro-turns that were due then are late for no fault of
 * the engine. One pause is excused; those that follow within ten seconds are not, since a machine with too much to do
 * looks like that.
 */
export class Standstills {
  #beatMs: number;
  #lastMs = -Infinity;
  #excused = { fromMs: Infinity, untilMs: -Infinity };

  constructor(nowMs: number) {
    this.#beatMs = nowMs;
  }

  /** To be called every `BEAT_MS`, and before anything that was late is judged: it may be the first to know. */
  beat(nowMs: number): void {
    const fromMs = this.#beatMs;
    this.#beatMs = nowMs;
    if (nowMs - fromMs <= STILL_MS) return;
    if (nowMs - this.#lastMs > AGAIN_MS) this.#excused = { fromMs: fromMs - AROUND_MS, untilMs: nowMs + AROUND_MS };
    this.#lastMs = nowMs;
  }

  /** Whether how late a micro-turn was that was due then says nothing of the engine. */
  excuses(dueMs: number): boolean {
    return dueMs >= this.#excused.fromMs && dueMs <= this.#excused.untilMs;
  }
}
