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

/**
 * Does what takes a signal: that aborts with `signal`, or after `ms` with a `TimeoutError`.
 * `AbortSignal.timeout` under `AbortSignal.any` may be collected before it fires (nodejs/node#57736); a timer is not.
 */
export async function within<T>(ms: number, signal: AbortSignal, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const timeout = new AbortController();
  const cancel = after(ms, () => timeout.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError')));
  try {
    return await act(AbortSignal.any([signal, timeout.signal]));
  } finally {
    cancel();
  }
}
