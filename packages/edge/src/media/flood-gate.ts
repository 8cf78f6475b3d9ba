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
/** Share of the time after that by which it is forgotten: in ten seconds, all of it. */
const FORGOTTEN = 0.1;

/** Bounds what the packets of one microphone may take of the thread that everybody's media share. Policy: dropNewest. */
export class FloodGate {
  #units = AT_ONCE;
  #filledMs: number | undefined;
  /** When it refused last, and how long it has refused lately. */
  #refusedMs = -Infinity;
  #overMs = 0;
  #refusing = false;
  /** Packets that were not let through. */
  refused = 0;

  /** @returns whether a packet is to be looked at */
  take(nowMs: number): boolean {
    this.#units = Math.min(AT_ONCE, this.#units + (nowMs - (this.#filledMs ?? nowMs)) * PER_MS);
    this.#filledMs = nowMs;
    this.#refusing = this.#units < 1;
    if (!this.#refusing) {
      this.#units--;
      return true;
    }
    this.refused++;
    const passedMs = nowMs - this.#refusedMs;
    if (passedMs <= PAUSE_MS) this.#overMs += passedMs;
    else this.#overMs = Math.max(0, this.#overMs - passedMs * FORGOTTEN);
    this.#refusedMs = nowMs;
    return false;
  }

  /** Counts the sound of a packet that was let through; those that follow pay for it. */
  charge(soundMs: number): void {
    this.#units -= soundMs / MS_A_UNIT;
  }

  /** Whether it goes on and on, or comes again and again. */
  get flooded(): boolean {
    return this.#refusing && this.#overMs >= FLOOD_MS;
  }

  /**
   * Another stream is none as long as nothing of it is refused. What was refused before still counts: it may be the same
   * sender's, after a mute or with another track.
   */
  restart(): void {
    this.#refusing = false;
  }
}
