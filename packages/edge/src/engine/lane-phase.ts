/**
 * Where in the micro-turn the boundaries of a lane's rows fall, in whole ms. Those of one thread are spread over it, the
 * first few as evenly as all of them, so that steps do not queue behind one another; threads are shifted against each
 * other, so that the media thread does not cut for all at once.
 * @param lane from 0, within the thread
 */
export function lanePhaseMs(thread: number, lane: number, microTurnMs: number): number {
  const share = (reversedBits(lane) + thread * GOLDEN) % 1;
  return Math.floor(share * microTurnMs);
}

/** The first moment from `nowMs` on whose micro-turns end on the phase: the zero of a session that starts now. */
export function zeroOnPhase(nowMs: number, phaseMs: number, microTurnMs: number): number {
  return Math.ceil((nowMs - phaseMs) / microTurnMs) * microTurnMs + phaseMs;
}

const GOLDEN = 0.618_033_988_749;

/** 0, 1/2, 1/4, 3/4, 1/8, …: van der Corput's sequence, of which every beginning is spread out. */
function reversedBits(index: number): number {
  let value = 0;
  for (let bit = 0.5, rest = index; rest > 0; rest >>= 1, bit /= 2) if (rest & 1) value += bit;
  return value;
}
