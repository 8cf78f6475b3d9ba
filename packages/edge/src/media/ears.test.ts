import { describe, expect, it } from 'vitest';
import { Ears } from './ears.js';
import type { Listener } from './listener.js';
import type { Voice } from './voice.js';

/** A voice that said one response of 1 s, due at 1000 ms, at a constant level. */
function voiceOf(responseId: string, level: number): Voice {
  const downlink = {
    played: {
      runs: [{ responseId, startMs: 1000, endMs: 2000, offsetMs: 0 }],
      lengthAt: (_: string, atMs: number) => Math.max(0, atMs - 1000),
    },
    sent: { read: (_: number, into: Float32Array) => into.fill(level) },
    sentUntilMs: 2000,
    dueMsOf: (rtpTicks: number) => rtpTicks,
  };
  return { downlink, listeners: new Set<Listener>() } as unknown as Voice;
}

const report = { rtpTimestamp: 1500, outputLatencyMs: 0, state: 'playing' } as const;

describe('ears', () => {
  it('know which voice a report is about', () => {
    const ears = new Ears();
    ears.listen('room', voiceOf('to all', 0.1));
    expect(ears.report({ ...report, audience: 'self' }, 1600)).toEqual([]);
    ears.listen('self', voiceOf('to me', 0.2));
    expect(ears.report({ ...report, audience: 'self' }, 1600)).toMatchObject([{ responseId: 'to me' }]);
    expect(ears.report({ ...report, audience: 'room' }, 1600)).toMatchObject([{ responseId: 'to all' }]);
  });

  it('hear both voices at once, as a microphone would', () => {
    const ears = new Ears();
    const [room, own] = [voiceOf('to all', 0.1), voiceOf('to me', 0.2)];
    ears.listen('room', room);
    const [one] = ears.ref(1300, 10, 100, 0)!;
    expect(ears.play(1300, 1400, 0)).toBe(1);
    expect(one).toBeCloseTo(0.1);
    ears.listen('self', own);
    const both = ears.ref(1300, 10, 100, 0)!;
    expect(ears.play(1300, 1400, 0)).toBe(1);
    expect(both.every((sample) => Math.abs(sample - 0.3) < 1e-6)).toBe(true);
    expect([ears.play(5000, 5100, 0), ears.ref(5000, 10, 100, 0)]).toEqual([0, undefined]);
  });

  it('are told of what is cut until they are closed', () => {
    const ears = new Ears();
    const voice = voiceOf('to all', 0.1);
    ears.listen('room', voice);
    expect(voice.listeners.size).toBe(1);
    ears.close();
    expect(voice.listeners.size).toBe(0);
  });
});
