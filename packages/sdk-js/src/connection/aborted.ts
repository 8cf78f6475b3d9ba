import { MicroturnError } from '@microturn/protocol';

/** What a call rejects with when its signal is aborted: the reason where it is coded, else `session/aborted` around it. */
export function aborted(signal: AbortSignal): MicroturnError {
  const reason: unknown = signal.reason;
  if (reason instanceof MicroturnError) return reason;
  return new MicroturnError('session/aborted', undefined, { cause: reason });
}
