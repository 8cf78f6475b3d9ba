import { MicroturnError } from '@microturn/protocol';

/** What a call rejects with when its signal is aborted: the reason where it is coded, else `net/closed` around it. */
export function aborted(signal: AbortSignal): MicroturnError {
  const reason: unknown = signal.reason;
  if (reason instanceof MicroturnError) return reason;
  return new MicroturnError('net/closed', 'aborted by the caller', { cause: reason });
}
