/** First pause after a failure; each one more doubles it, up to the longest. */
const FIRST_MS = 500;
const LONGEST_MS = 16_000;
/** Clients that were told the same moment do not all come back in it. */
const SPREAD = 0.1;

/**
 * How long a server that failed is left alone: as long as it says, else exponentially longer, with full jitter.
 * @param failures in a row, from 1
 * @param retryAfterMs what the server asked for
 */
export function pauseMs(failures: number, retryAfterMs: number | undefined, random: () => number): number {
  if (retryAfterMs !== undefined) return retryAfterMs * (1 + SPREAD * random());
  return random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
}

/**
 * `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3).
 * @param nowMs by the wall clock, as the date is
 */
export function parseRetryAfter(headers: Readonly<Record<string, string>>, nowMs: number): number | undefined {
  const ms = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (ms >= 0) return ms;
  const text = headers['retry-after'];
  if (text === undefined || text === '') return undefined;
  const seconds = Number(text);
  const waitMs = Number.isNaN(seconds) ? Date.parse(text) - nowMs : seconds * 1000;
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}
