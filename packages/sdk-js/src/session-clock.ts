/** The quickest messages of this time tell what the time is, and of as much again before it. */
const WINDOW_MS = 10_000;
/** How much slower the time runs where it is ahead: 5 ms in a second, which nobody sees. */
const SLEW = 1 / 200;

/**
 * The session's time on this device. A message says what the time was when it was sent, so the quickest of them tell best: the time
 * follows one that is ahead of it at once. Where even the quickest of late are behind, since the clock of the device runs fast or that of the edge
 * stood still, it runs slower until they agree. It never runs backwards.
 */
export class SessionClock {
  readonly #now: () => number;
  /** The time when a message came last. */
  #last: { readonly sessionMs: number; readonly atMs: number } | undefined;
  /** Session ms less the device's, by the quickest message of this window, and of the one before. */
  #offsetMs = -Infinity;
  #offsetBeforeMs = -Infinity;
  #windowAtMs = -Infinity;

  /** @param now monotonic ms of this device */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Session ms now; 0 where no message has come. */
  get nowMs(): number {
    if (!this.#last) return 0;
    const atMs = this.#now();
    const { sessionMs, atMs: lastAtMs } = this.#last;
    const told = atMs + Math.max(this.#offsetMs, this.#offsetBeforeMs);
    return Math.max(told, sessionMs + (atMs - lastAtMs) * (1 - SLEW));
  }

  /** A message came that was sent at `sessionMs`. */
  tell(sessionMs: number): void {
    const atMs = this.#now();
    this.#last = { sessionMs: this.nowMs, atMs };
    if (atMs - this.#windowAtMs > WINDOW_MS) {
      this.#offsetBeforeMs = this.#offsetMs;
      this.#offsetMs = -Infinity;
      this.#windowAtMs = atMs;
    }
    this.#offsetMs = Math.max(this.#offsetMs, sessionMs - atMs);
  }
}
