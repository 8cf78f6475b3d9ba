/** RTP ticks per millisecond of Opus, whose RTP clock is always 48 kHz (RFC 7587, section 4.1). */
export const OPUS_TICKS_PER_MS = 48;

/** The micro-turn that holds a moment of the session clock. */
export function turnAt(sessionMs: number, microTurnMs: number): number {
  return Math.max(0, Math.floor(sessionMs / microTurnMs));
}

/** Session time in ms at which a micro-turn begins. */
export function turnStartMs(turn: number, microTurnMs: number): number {
  return turn * microTurnMs;
}

/** Samples in one micro-turn; throws a RangeError where that is not a whole number. */
export function samplesPerTurn(microTurnMs: number, rateHz: number): number {
  const samples = (microTurnMs * rateHz) / 1000;
  if (!Number.isInteger(samples) || samples <= 0) {
    throw new RangeError(`a micro-turn must hold a whole number of samples, got ${microTurnMs} ms at ${rateHz} Hz`);
  }
  return samples;
}

/** Signed distance from `from` to `to` on the 32-bit RTP clock, in [-2^31, 2^31). */
export function rtpDistance(from: number, to: number): number {
  return (to - from) | 0;
}

/** `rtpTicks + ticks` on the 32-bit RTP clock. */
export function rtpAdvance(rtpTicks: number, ticks: number): number {
  return (rtpTicks + ticks) >>> 0;
}

/** Signed distance from `from` to `to` on the 16-bit RTP sequence, in [-2^15, 2^15). */
export function sequenceDistance(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}
