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

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly clock: Clock;
}

/**
 * What `read` gives once `predicate` accepts it; looked at now, and after each change.
 * @throws {MicroturnError} `net/timeout`, the signal's reason, or `session/closed` when `changes` completes
 */
export function waitUntil<T>(
  read: () => T,
  changes: Observable<void>,
  predicate: (value: T) => boolean,
  { signal, timeoutMs, clock }: WaitOptions,
): Promise<T> {
  return new Promise((resolve, reject) => {
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
    if (timeoutMs !== undefined) {
      subscription.add(clock.after(timeoutMs, () => fail(new MicroturnError('net/timeout', `after ${timeoutMs} ms`))));
    }
    return undefined;
  });
}
