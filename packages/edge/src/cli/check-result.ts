import { MicroturnError } from '@microturn/protocol';

/** What `microturn doctor` says of one thing. */
export interface CheckResult {
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly fix?: string;
}

/** A check that throws has failed, and its error says what to do. */
export function toFailure(cause: unknown): CheckResult {
  const error = MicroturnError.from(cause, 'edge/internal');
  return { status: 'fail', detail: `${error.message} (${error.code})`, fix: error.hint };
}
