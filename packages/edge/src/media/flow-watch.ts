/** Fifteen packets in a row that did not come: a burst of loss is shorter, as a rule. */
const STALLED_MS = 300;
/** Whoever looks comes every few milliseconds; where it did not for so long, what has come meanwhile waits behind it. */
const ASLEEP_MS = 100;
/** It has come by then. */
const ARREARS_MS = 100;

/** Notices where a stream of packets breaks off. Tells it once, and again after it has flowed. */
export class FlowWatch {
  #lastMs: number | undefined;
  #lookedMs = -Infinity;

  /** A packet came. */
  arrived(nowMs: number): void {
    this.#lastMs = nowMs;
  }

  /** The stream has ended, or is meant to be silent. */
  reset(): void {
    this.#lastMs = undefined;
  }

  /** @returns whether it has just been found to have broken off */
  look(nowMs: number): boolean {
    const asleep = nowMs - this.#lookedMs > ASLEEP_MS;
    this.#lookedMs = nowMs;
    if (this.#lastMs === undefined) return false;
    if (asleep) this.#lastMs = Math.max(this.#lastMs, nowMs - STALLED_MS + ARREARS_MS);
    if (nowMs - this.#lastMs <= STALLED_MS) return false;
    this.#lastMs = undefined;
    return true;
  }
}
