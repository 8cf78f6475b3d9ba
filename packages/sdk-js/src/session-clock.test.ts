import { describe, expect, it } from 'vitest';
import { SessionClock } from './session-clock.js';

const HOUR_MS = 3_600_000;

/** What a device shows whose clock gains `drift`, told once a second with a delay of 10 to 90 ms: how far it is off, each time. */
function errors(drift: number, fromMs = 0): number[] {
  let sessionMs = 0;
  const clock = new SessionClock(() => sessionMs * (1 + drift));
  clock.tell(fromMs);
  const off: number[] = [];
  let before = clock.nowMs;
  for (let i = 1; i <= HOUR_MS / 1000; i++) {
    const delayMs = 10 + ((i * 37) % 81);
    sessionMs = i * 1000 + delayMs;
    clock.tell(i * 1000);
    expect(clock.nowMs).toBeGreaterThan(before);
    before = clock.nowMs;
    off.push(before - sessionMs);
  }
  return off;
}

describe('the session’s time on a device', () => {
  it('is 0 until it is told, and goes on between messages', () => {
    let nowMs = 500;
    const clock = new SessionClock(() => nowMs);
    expect(clock.nowMs).toBe(0);
    clock.tell(20_000);
    nowMs += 1000;
    expect(clock.nowMs).toBe(21_000);
    clock.tell(21_020);
    expect(clock.nowMs).toBe(21_020);
    clock.tell(20_500);
    expect(clock.nowMs).toBe(21_020);
  });

  it.each([0, 1e-4, -1e-4])('is that of the quickest messages for an hour, on a clock that gains %f', (drift) => {
    for (const off of errors(drift)) {
      // What the device's clock gains in two windows.
      expect(off).toBeLessThan(3);
      expect(off).toBeGreaterThan(-40);
    }
  });

  it('comes back where it is ahead, gently, and never runs backwards', () => {
    const off = errors(0, 400);
    for (const [i, each] of off.entries()) if (i > 0) expect(each - off[i - 1]!).toBeGreaterThan(-6);
    expect(off[40]).toBeGreaterThan(250);
    for (const each of off.slice(150)) expect(each).toBeLessThanOrEqual(0);
  });
});
