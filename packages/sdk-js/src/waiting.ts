import { MicroturnError } from '@microturn/protocol';
import type { Observable } from 'rxjs';
import type { Clock } from './clock.js';
import { aborted } from './connection/aborted.js';

/** What `promise` gives, or the signal's reason where that comes first. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  let onAbort: (() => void) | undefined;
  const abort = new Promise<never>((_, reject) => {
    onAbort = () => reject(aborted(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  });
  try {
    const result = await Promise.race([promise, abort]);
    if (signal.aborted) throw aborted(signal);
    return result;
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}

/** Resolves after `ms`, or when the signal is aborted. */
export function sleep(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener('abort', done);
  });
}

/** 24 days: what is set for longer, a browser runs at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly clock: Clock;
}

/**
 * What `read` gives once `predicate` accepts it; looked at now, and after each change.
 * @throws {MicroturnError} `net/timeout`, the signal's reason, or `session/closed` when `changes` completes
 * @throws {RangeError} where `timeoutMs` is no time
 */
export function waitUntil<T>(
  read: () => T,
  changes: Observable<void>,
  predicate: (value: T) => boolean,
  { signal, timeoutMs = Infinity, clock }: WaitOptions,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (!(typeof timeoutMs === 'number' && timeoutMs >= 0)) {
      throw new RangeError(`timeoutMs: expected a number of 0 or more, got ${timeoutMs}`);
    }
    const now = read();
    if (predicate(now)) return resolve(now);
    if (signal?.aborted) return reject(aborted(signal));
    const subscription = changes.subscribe({
      next: () => {
        const value = read();
        try {
          if (!predicate(value)) return;
          resolve(value);
        } catch (error) {
          reject(error);
        }
        subscription.unsubscribe();
      },
      complete: () => reject(new MicroturnError('session/closed')),
    });
    const fail = (error: MicroturnError) => {
      reject(error);
      subscription.unsubscribe();
    };
    if (signal) {
      const onAbort = () => fail(aborted(signal));
      signal.addEventListener('abort', onAbort);
      subscription.add(() => signal.removeEventListener('abort', onAbort));
    }
    if (timeoutMs <= LONGEST_TIMER_MS) {
      const late = () => fail(new MicroturnError('net/timeout', `\`until\` was not met after ${timeoutMs} ms`));
      subscription.add(clock.after(timeoutMs, late));
    }
    return undefined;
  });
}
