import { OPUS_TICKS_PER_MS, rtpDistance } from '@microturn/protocol';

const FRAME_MS = 20;
const FRAME_TICKS = FRAME_MS * OPUS_TICKS_PER_MS;
/** A frame leaves up to two ticks before it is due, so that neither the tick's own step nor a late one makes it late. */
const LEAD_MS = 10;
/** The rule of the way out: nothing is sent that could not be called back. */
export const MAX_AHEAD_MS = 40;
/** Behind by more than this, the frames are not sent in a burst: the sound goes on later. */
const STALL_MS = 60;

/** The place of one frame. */
export interface FrameSlot {
  /** Monotonic ms at which its sound is due, at the earliest listener. */
  readonly dueMs: number;
  readonly rtpTicks: number;
  /** Set on the first frame after a pause. */
  readonly marker: boolean;
}

/**
 * Says when the next frame of 20 ms may leave. The RTP clock is the machine's clock, 48 ticks a millisecond, speech or
 * not: a frame's timestamp says when it was due. Frames of a spurt follow each other without a gap.
 */
export class Pacer {
  readonly #epochMs: number;
  readonly #epochTicks: number;
  /** Where the next frame of the spurt goes, in ticks since the epoch. */
  #next = 0;
  #speaking = false;

  /** @param epochTicks RTP time at `epochMs` */
  constructor(epochMs: number, epochTicks: number) {
    this.#epochMs = epochMs;
    this.#epochTicks = epochTicks;
  }

  get speaking(): boolean {
    return this.#speaking;
  }

  /** Monotonic ms to which sound has been sent. */
  get sentUntilMs(): number {
    return this.#msOf(this.#next);
  }

  /**
   * The slot that may be filled now, if there is one.
   * @param atOnce the frame need not wait for its time, as far as the rule of 40 ms allows
   */
  open(nowMs: number, atOnce = false): FrameSlot | undefined {
    const nowTicks = Math.ceil((nowMs - this.#epochMs) * OPUS_TICKS_PER_MS);
    const behindMs = (nowTicks - this.#next) / OPUS_TICKS_PER_MS;
    const resting = !this.#speaking || behindMs > STALL_MS;
    if (behindMs <= (resting || atOnce ? -(MAX_AHEAD_MS - FRAME_MS) : -LEAD_MS)) return undefined;
    return resting ? this.#slot(Math.max(nowTicks, this.#next), true) : this.#slot(this.#next, false);
  }

  /** The slot has been filled. */
  fill(slot: FrameSlot): void {
    this.#speaking = true;
    this.#next = Math.round((slot.dueMs - this.#epochMs) * OPUS_TICKS_PER_MS) + FRAME_TICKS;
  }

  /** The spurt is over. */
  pause(): void {
    this.#speaking = false;
  }

  /** Monotonic ms at which the sound of an RTP timestamp was due, at the nearest of its turns around the 32 bits. */
  dueMsOf(rtpTicks: number, nowMs: number): number {
    const nowTicks = Math.round((nowMs - this.#epochMs) * OPUS_TICKS_PER_MS);
    return this.#msOf(nowTicks + rtpDistance((this.#epochTicks + nowTicks) >>> 0, rtpTicks));
  }

  #slot(ticks: number, marker: boolean): FrameSlot {
    return { dueMs: this.#msOf(ticks), rtpTicks: (this.#epochTicks + ticks) >>> 0, marker };
  }

  #msOf(ticks: number): number {
    return this.#epochMs + ticks / OPUS_TICKS_PER_MS;
  }
}
