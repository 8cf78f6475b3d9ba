import { describe, expect, it } from 'vitest';
import { RateLimit } from './rate-limit.js';

describe('the rate limit', () => {
  it('lets a burst through, then what trickles in', () => {
    let now = 0;
    const rate = new RateLimit({ now: () => now }, 10, 3);
    expect([rate.take(), rate.take(), rate.take(), rate.take()]).toEqual([true, true, true, false]);
    now = 100;
    expect([rate.take(), rate.take()]).toEqual([true, false]);
    now = 100_000;
    expect([rate.take(), rate.take(), rate.take(), rate.take()]).toEqual([true, true, true, false]);
  });
});
