/**
 * Monotonic milliseconds. Every thread of the process reads the same clock, so a moment taken on the media thread
 * means the same on main; wall-clock jumps do not move it.
 */
export interface Clock {
  now(): number;
}

/** The machine's monotonic clock: unlike `performance.now()`, its zero is the same in every worker thread. */
export const monotonicClock: Clock = {
  now: () => Number(process.hrtime.bigint()) / 1e6,
};

/** Runs `fn` once, `ms` from now, without keeping the process alive; the result calls it off. */
export function after(ms: number, fn: () => void): () => void {
  const timer = setTimeout(fn, ms).unref();
  return () => clearTimeout(timer);
}
