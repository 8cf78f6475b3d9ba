import { describe, expect, it } from 'vitest';
import { elapsedMs, stampNow } from './stamp.js';

describe('the time between two processes', () => {
  const then = { wallMs: 1_000_000, monotonicMs: 500, bootId: 'a' };

  it('fault 34, the wall clock is set on or back: counted by the monotonic clock of the same boot', () => {
    for (const jumpMs of [-3_600_000, 0, 3_600_000]) {
      expect(elapsedMs(then, { wallMs: then.wallMs + 2000 + jumpMs, monotonicMs: 2500, bootId: 'a' })).toBe(2000);
    }
  });

  it('is the wall clock’s after another boot, or where none is told; never below 0', () => {
    expect(elapsedMs(then, { wallMs: 1_003_000, monotonicMs: 10, bootId: 'b' })).toBe(3000);
    expect(elapsedMs({ wallMs: 5, monotonicMs: 9 }, { wallMs: 8, monotonicMs: 1 })).toBe(3);
    expect(elapsedMs(then, { wallMs: 900_000, monotonicMs: 10, bootId: 'b' })).toBe(0);
  });

  it('passes', () => {
    const first = stampNow();
    expect(elapsedMs(first, stampNow())).toBeLessThan(60_000);
  });
});
