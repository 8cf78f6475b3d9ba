/** Fifteen packets in a row that did not come: a burst of loss is shorter, as a rule. */
const STALLED_MS = 300;
/** What was done about it may not have helped: told again each time after this many times as long, */
const LONGER = 3;
/** and no more where it has been silent for this: a microphone that was unplugged, perhaps. */
const GIVEN_UP_MS = 10_000;
/** Whoever looks comes every few milliseconds; where it did not for so long, what has come meanwhile waits behind it. */
const ASLEEP_MS = 100;
/** It has come by then. */
const ARREARS_MS = 100;

/** Notices where a stream of packets breaks off, and tells it again where it stays so. */
export class FlowWatch {
  #lastMs: number | undefined;
  #patienceMs = STALLED_MS;
  #lookedMs = -Infinity;

  /** A packet came. */
  arrived(nowMs: number): void {
    this.#lastMs = nowMs;
    this.#patienceMs = STALLED_MS;
  }

  /** The stream has ended, or is meant to be silent. */
  reset(): void {
    this.#lastMs = undefined;
  }

  /** @returns whether it is to be told that it has broken off */
  look(nowMs: number): boolean {
    const asleep = nowMs - this.#lookedMs > ASLEEP_MS;
    this.#lookedMs = nowMs;
    if (this.#lastMs === undefined) return false;
    if (asleep) this.#lastMs = Math.max(this.#lastMs, nowMs - this.#patienceMs + ARREARS_MS);
    if (nowMs - this.#lastMs <= this.#patienceMs) return false;
    this.#patienceMs *= LONGER;
    this.#lastMs = this.#patienceMs > GIVEN_UP_MS ? undefined : nowMs;
    return true;
  }
}
