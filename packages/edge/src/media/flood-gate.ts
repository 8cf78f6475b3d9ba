/**
 * What one sender may cost. A packet weighs one, and one more for each 20 ms of sound in it: about as it takes to take in
 * and to decode. 500 a second is more than packets of 2.5 ms come to; 1200 at once is what a path that stood still for
 * 10 s delivers in packets of 20 ms, and one that stood still for 2 s in the shortest.
 */
const PER_MS = 0.5;
const AT_ONCE = 1200;
const MS_A_UNIT = 20;
/** A burst is over by then: who goes on for so long with more than is let through, never that long without it, floods. */
const FLOOD_MS = 1000;
const PAUSE_MS = 200;

/** Bounds what the packets of one microphone may take of the thread that everybody's media share. Policy: dropNewest. */
export class FloodGate {
  #units = AT_ONCE;
  #filledMs: number | undefined;
  #refusing: { readonly sinceMs: number; untilMs: number } | undefined;
  /** Packets that were not let through. */
  refused = 0;

  /** @returns whether a packet is to be looked at */
  take(nowMs: number): boolean {
    this.#units = Math.min(AT_ONCE, this.#units + (nowMs - (this.#filledMs ?? nowMs)) * PER_MS);
    this.#filledMs = nowMs;
    if (this.#units >= 1) {
      this.#units--;
      return true;
    }
    this.refused++;
    if (this.#refusing && nowMs - this.#refusing.untilMs <= PAUSE_MS) this.#refusing.untilMs = nowMs;
    else this.#refusing = { sinceMs: nowMs, untilMs: nowMs };
    return false;
  }

  /** Counts the sound of a packet that was let through; those that follow pay for it. */
  charge(soundMs: number): void {
    this.#units -= soundMs / MS_A_UNIT;
  }

  /** Whether it goes on and on. */
  get flooded(): boolean {
    return this.#refusing !== undefined && this.#refusing.untilMs - this.#refusing.sinceMs >= FLOOD_MS;
  }

  /** Another stream is judged for itself, by what is left. */
  forgive(): void {
    this.#refusing = undefined;
  }
}
