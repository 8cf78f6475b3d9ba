import { describe, expect, it } from 'vitest';
import { parseRetryAfter, pauseMs } from './retry-after.js';

describe('Retry-After', () => {
  it.each([
    [{ 'retry-after': '3' }, 3000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:12 GMT' }, 2000],
    [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:05 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ])('%o is %o ms', (headers, expected) => {
    expect(parseRetryAfter(headers as Record<string, string>, 10_000)).toBe(expected);
  });

  it('never comes back sooner than asked, and grows to a bound otherwise', () => {
    expect(pauseMs(1, 2000, () => 0)).toBe(2000);
    expect(pauseMs(1, 2000, () => 1)).toBe(2200);
    expect([1, 2, 3, 9].map((failures) => pauseMs(failures, undefined, () => 1))).toEqual([500, 1000, 2000, 16_000]);
  });
});
