import { APICallError, JSONParseError, TypeValidationError } from '@ai-sdk/provider';
import { MicroturnError, type ErrorCode } from '@microturn/protocol';
import { parseRetryAfter } from './retry-after.js';

/** Of what a provider said about its failure: enough to act on, and no page of HTML. */
const DETAIL_CHARS = 200;

/**
 * What went wrong with a model, coded, and how long its provider wants to be left alone.
 * @param nowMs by the wall clock, as a date in `Retry-After` is
 */
export function toModelError(cause: unknown, nowMs: number): MicroturnError {
  const coded = findCoded(cause);
  if (coded) return coded;
  if (APICallError.isInstance(cause)) {
    const { statusCode, responseHeaders = {} } = cause;
    const detail = `${statusCode === undefined ? 'no answer' : `HTTP ${statusCode}`}: ${wordsOf(cause)}`;
    const retryAfterMs = parseRetryAfter(responseHeaders, nowMs);
    return new MicroturnError(codeOf(statusCode), detail.slice(0, DETAIL_CHARS), { cause, retryAfterMs });
  }
  const malformed = JSONParseError.isInstance(cause) || TypeValidationError.isInstance(cause);
  const code = malformed || !isNetwork(cause) ? 'llm/malformed' : 'llm/unavailable';
  return new MicroturnError(code, detailOf(cause), { cause });
}

/** The library knows the words of an error in OpenAI's form only; older vLLMs have theirs without the `error` around it. */
function wordsOf({ message, data, responseBody }: APICallError): string {
  if (data !== undefined || !responseBody) return message;
  try {
    const said = (JSON.parse(responseBody) as { message?: unknown } | null)?.message;
    return typeof said === 'string' ? said : message;
  } catch {
    return message;
  }
}

function codeOf(status: number | undefined): ErrorCode {
  // 200: the answer began well and could not be read.
  if (status !== undefined && status >= 200 && status < 300) return 'llm/malformed';
  if (status === undefined || status === 408 || status === 409 || status === 429 || status >= 500) {
    return 'llm/unavailable';
  }
  return status === 401 || status === 403 ? 'llm/denied' : 'llm/refused';
}

/** One of ours that a library has wrapped. */
function findCoded(error: unknown): MicroturnError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof MicroturnError) return at;
  }
  return undefined;
}

/** What undici throws where the connection is refused, or ends in the middle of an answer. */
function isNetwork(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof Error && 'code' in error);
}

function detailOf(error: unknown): string {
  const text = error instanceof Error ? error.message : typeof error === 'string' ? error : JSON.stringify(error);
  return (text ?? 'unknown').slice(0, DETAIL_CHARS);
}
