import { describe, expect, it } from 'vitest';
import { trimSilence } from './trim-silence.js';

const RATE_HZ = 16_000;
const perMs = RATE_HZ / 1_000;

/** Silence with tones in it: [start ms, end ms, level]. */
function sound(lengthMs: number, ...tones: [number, number, number][]): Float32Array {
  const pcm = new Float32Array(lengthMs * perMs);
  for (const [from, to, level] of tones)
    for (let i = from * perMs; i < to * perMs; i++) pcm[i] = level * Math.sin((2 * Math.PI * 400 * i) / RATE_HZ);
  return pcm;
}

describe('trimSilence', () => {
  it('keeps 10 ms before the sound and 30 ms after it', () => {
    const { pcm, startMs } = trimSilence(sound(1_000, [200, 700, 0.5]), RATE_HZ, { startMs: 200, endMs: 700 });
    expect(startMs).toBe(190);
    expect(pcm).toHaveLength((700 + 30 - 190) * perMs);
  });

  it('keeps a weak sound at the end, 35 dB down', () => {
    const { pcm } = trimSilence(sound(1_000, [200, 600, 0.5], [600, 700, 0.5 * 10 ** (-35 / 20)]), RATE_HZ, {
      startMs: 200,
      endMs: 700,
    });
    expect(pcm).toHaveLength((700 + 30 - 190) * perMs);
  });

  it('takes away noise of the voice that lies far before the first phone', () => {
    const { startMs } = trimSilence(sound(1_000, [0, 60, 0.05], [300, 700, 0.5]), RATE_HZ, {
      startMs: 300,
      endMs: 700,
    });
    expect(startMs).toBe(290);
  });

  it('does not click: it fades at both ends, also where sound goes up to the edge', () => {
    const { pcm } = trimSilence(sound(500, [0, 500, 0.5]), RATE_HZ, { startMs: 0, endMs: 500 });
    expect(pcm).toHaveLength(500 * perMs);
    expect(Math.abs(pcm[0]!)).toBe(0);
    expect(Math.abs(pcm.at(-1)!)).toBe(0);
    const largestStep = pcm.reduce((step, sample, i) => Math.max(step, Math.abs(sample - (pcm[i - 1] ?? 0))), 0);
    // That of the tone itself.
    expect(largestStep).toBeLessThan(0.5 * 2 * Math.PI * (400 / RATE_HZ) * 1.01);
  });

  it('leaves its input as it was', () => {
    const input = sound(300, [0, 300, 0.5]);
    const before = input.slice();
    trimSilence(input, RATE_HZ, { startMs: 0, endMs: 300 });
    expect(input).toEqual(before);
  });

  it('of silence makes something short', () => {
    expect(trimSilence(sound(300), RATE_HZ, { startMs: 100, endMs: 200 }).pcm.length).toBeLessThan(200 * perMs);
    expect(trimSilence(new Float32Array(0), RATE_HZ, { startMs: 0, endMs: 0 }).pcm).toHaveLength(0);
  });
});
