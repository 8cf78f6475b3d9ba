import { describe, expect, it } from 'vitest';
import { Admission } from './admission.js';
import { BEAT_MS, Standstills } from './standstills.js';

const TURN_MS = 200;

/** An engine thread with some rows, whose process stands still now and then. */
function run(
  rows: number,
  seconds: number,
  pauses: readonly { readonly atMs: number; readonly ms: number }[],
  lagMs = 10,
) {
  const [standstills, admission] = [new Standstills(0), new Admission(TURN_MS)];
  const pausedAt = (ms: number) => pauses.find(({ atMs, ms: length }) => ms > atMs && ms <= atMs + length);
  const events: { readonly atMs: number; readonly dueMs?: number }[] = [];
  for (let atMs = BEAT_MS; atMs < seconds * 1000; atMs += BEAT_MS) if (!pausedAt(atMs)) events.push({ atMs });
  for (let row = 0; row < rows; row++) {
    for (let dueMs = TURN_MS + (row * TURN_MS) / rows; dueMs < seconds * 1000 - 500; dueMs += TURN_MS) {
      const pause = pausedAt(dueMs + lagMs);
      events.push({ atMs: pause ? pause.atMs + pause.ms : dueMs + lagMs, dueMs });
    }
  }
  for (const { atMs, dueMs } of events.sort((a, b) => a.atMs - b.atMs)) {
    standstills.beat(atMs);
    if (dueMs !== undefined && !standstills.excuses(dueMs)) admission.note({ lagMs: atMs - dueMs }, atMs);
  }
  return admission.capacity(rows, rows, seconds * 1000 - 1);
}

describe('a process that stands still', () => {
  it('once, and makes seven rows late, does not close its engine', () => {
    expect(run(7, 12, [{ atMs: 6000, ms: 450 }])).toBe(Infinity);
    expect(
      run(7, 20, [
        { atMs: 3000, ms: 450 },
        { atMs: 15_000, ms: 450 },
      ]),
    ).toBe(Infinity);
  });

  it('again and again has too much to do', () => {
    const pauses = Array.from({ length: 8 }, (_, i) => ({ atMs: 1000 + 1000 * i, ms: 450 }));
    expect(run(7, 10, pauses)).toBe(6);
  });

  it('excuses no engine that is late without it', () => {
    expect(run(7, 10, [], 300)).toBe(6);
    expect(run(7, 10, [{ atMs: 5000, ms: 450 }], 300)).toBe(6);
  });
});
