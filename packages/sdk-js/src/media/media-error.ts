import { MicroturnError, type ErrorCode } from '@microturn/protocol';

const CODES: Readonly<Record<string, ErrorCode>> = {
  NotAllowedError: 'media/permission',
  SecurityError: 'media/permission',
  NotFoundError: 'media/not-found',
  OverconstrainedError: 'media/not-found',
  NotReadableError: 'media/in-use',
  AbortError: 'media/in-use',
};

/** What `getUserMedia` rejects with, as a coded error. */
export function toMediaError(error: unknown): MicroturnError {
  const name = (error as { name?: unknown } | null)?.name;
  return MicroturnError.from(error, (typeof name === 'string' && CODES[name]) || 'media/unsupported');
}
