/** Packets that the estimate looks back on, and how often it is made anew: five seconds, and every half. */
const WINDOW_PACKETS = 256;
const STEP_PACKETS = 25;
const WINDOW_MS = 10_000;
/** Room for jitter before any was measured, and the least and most of it. */
const START_MARGIN_MS = 20;
const MIN_MARGIN_MS = 10;
const MAX_MARGIN_MS = 100;
/** On top of the jitter that was measured. */
const GUARD_MS = 5;
/** A path that got slower is believed after this long. */
const SLOWER_MS = 400;

/**
 * Tells where a packet belongs on the receiver's clock: at the time of the fastest packets, plus room for jitter.
 * The room follows the jitter of the last seconds, and the fastest packets follow the drift of the sender's clock.
 */
export class ArrivalClock {
  readonly #transits = new Float64Array(WINDOW_PACKETS);
  readonly #arrivals = new Float64Array(WINDOW_PACKETS);
  #count = 0;
  #baseMs = Infinity;
  #marginMs = START_MARGIN_MS;
  #jitterMs = 0;
  #lastTransitMs: number | undefined;

  /** Mean deviation between arrivals (RFC 3550, section 6.4.1). */
  get jitterMs(): number {
    return this.#jitterMs;
  }

  /** From the arrival of the fastest packets to their place. */
  get marginMs(): number {
    return this.#marginMs;
  }

  /**
   * Takes a packet that came in time. `mediaMs` is its RTP time in ms. One that was overtaken, or sent again, says
   * nothing of the path's jitter, but where there are many of them, room for them is what keeps them from being late.
   */
  observe(mediaMs: number, arrivalMs: number, inTurn = true): void {
    const transitMs = arrivalMs - mediaMs;
    if (inTurn) {
      if (this.#lastTransitMs !== undefined)
        this.#jitterMs += (Math.abs(transitMs - this.#lastTransitMs) - this.#jitterMs) / 16;
      this.#lastTransitMs = transitMs;
    }
    const slot = this.#count++ % WINDOW_PACKETS;
    this.#transits[slot] = transitMs;
    this.#arrivals[slot] = arrivalMs;
    if (this.#count < STEP_PACKETS) this.#baseMs = Math.min(this.#baseMs, transitMs);
    else if (this.#count % STEP_PACKETS === 0) this.#estimate(arrivalMs);
  }

  /** Where the first sample of a packet belongs, in ms of the receiver's clock. */
  placeMs(mediaMs: number): number {
    return mediaMs + this.#baseMs + this.#marginMs;
  }

  reset(): void {
    this.#count = 0;
    this.#baseMs = Infinity;
    this.#marginMs = START_MARGIN_MS;
    this.#lastTransitMs = undefined;
  }

  #estimate(nowMs: number): void {
    const newest = this.#last(STEP_PACKETS);
    const fastest = Math.min(...newest.transits);
    if (fastest > this.#baseMs + this.#marginMs && nowMs - newest.firstMs >= SLOWER_MS) {
      this.#count = 0;
      newest.transits.forEach((transitMs, i) => {
        this.#transits[i] = transitMs;
        this.#arrivals[i] = nowMs;
      });
      this.#count = newest.transits.length;
    }
    const known = Math.min(this.#count, WINDOW_PACKETS);
    const sorted: number[] = [];
    for (let i = 0; i < known; i++) if (nowMs - this.#arrivals[i]! <= WINDOW_MS) sorted.push(this.#transits[i]!);
    sorted.sort((a, b) => a - b);
    this.#baseMs = sorted[0]!;
    const slow = sorted[Math.floor((sorted.length - 1) * 0.98)]!;
    this.#marginMs = Math.min(MAX_MARGIN_MS, Math.max(MIN_MARGIN_MS, slow - this.#baseMs + GUARD_MS));
  }

  #last(packets: number): { transits: number[]; firstMs: number } {
    const transits: number[] = [];
    let firstMs = Infinity;
    for (let i = this.#count - packets; i < this.#count; i++) {
      transits.push(this.#transits[i % WINDOW_PACKETS]!);
      firstMs = Math.min(firstMs, this.#arrivals[i % WINDOW_PACKETS]!);
    }
    return { transits, firstMs };
  }
}
