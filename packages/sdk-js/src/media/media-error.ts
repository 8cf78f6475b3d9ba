import { MicroturnError, type ErrorCode } from '@microturn/protocol';

const CODES: Readonly<Record<string, ErrorCode>> = {
  NotAllowedError: 'media/permission',
  SecurityError: 'media/permission',
  NotFoundError: 'media/not-found',
  OverconstrainedError: 'media/not-found',
  NotReadableError: 'media/in-use',
  AbortError: 'media/in-use',
};

/** What `getUserMedia` rejects with, as a coded error that names what was asked for. */
export function toMediaError(cause: unknown, source: string): MicroturnError {
  if (cause instanceof MicroturnError) return cause;
  const { name, message } = (cause ?? {}) as { name?: unknown; message?: unknown };
  const code = (typeof name === 'string' && CODES[name]) || 'media/unsupported';
  const why = typeof message === 'string' && message !== '' ? ` (${message})` : '';
  return new MicroturnError(code, `the ${source}${why}`, { cause });
}
