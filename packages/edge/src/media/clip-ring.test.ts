import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClipRing } from './clip-ring.js';

const TURN = 20;
const ring = (keptMs = 300) => new ClipRing({ rateHz: 100, keptMs, firstSample: 0 });
const turnOf = (index: number) => new Float32Array(TURN).fill((index + 1) / 0x7fff);

describe('a clip ring', () => {
  it('gives back what was said between two session times', () => {
    const kept = ring(1000);
    for (const index of [0, 1, 2]) kept.push(index * TURN, turnOf(index));
    const clip = kept.read(150, 250);
    expect(clip).toMatchObject({ fromMs: 150, toMs: 250, rateHz: 100 });
    expect([...clip.pcm]).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
  });

  it('keeps the newest, and says which part of what was asked for it has', () => {
    const kept = ring(300);
    for (let index = 0; index < 10; index++) kept.push(index * TURN, turnOf(index));
    expect(kept.read(0, 9999)).toMatchObject({ fromMs: 1700, toMs: 2000 });
    expect(kept.read(0, 1000)).toMatchObject({ fromMs: 1700, toMs: 1700 });
    expect(kept.read(0, 1000).pcm).toHaveLength(0);
  });

  it('a micro-turn that was left out is silence, and not what was there a round before', () => {
    const kept = ring(600);
    for (const index of [0, 1, 2, 5]) kept.push(index * TURN, turnOf(index));
    const { pcm, fromMs } = kept.read(0, 1200);
    expect(fromMs).toBe(600);
    expect([...pcm.subarray(0, 2 * TURN)].every((sample) => sample === 0)).toBe(true);
    expect(pcm.at(-1)).toBe(6);
  });

  it('clips what is louder than full scale', () => {
    const kept = ring();
    kept.push(0, Float32Array.of(2, -2, 1, -1));
    expect([...kept.read(0, 40).pcm]).toEqual([0x7fff, -0x7fff, 0x7fff, -0x7fff]);
  });

  it('any stretch equals that stretch of the whole, whichever micro-turns came', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 20 }),
        fc.nat(7000),
        fc.nat(7000),
        (indexes, a, b) => {
          const kept = ring(1000);
          const turns = indexes.sort((x, y) => x - y);
          const whole = new Int16Array(31 * TURN);
          for (const index of turns) {
            kept.push(index * TURN, turnOf(index));
            whole.fill(index + 1, index * TURN, (index + 1) * TURN);
          }
          const clip = kept.read(Math.min(a, b), Math.max(a, b));
          expect([...clip.pcm]).toEqual([...whole.subarray(clip.fromMs / 10, clip.toMs / 10)]);
          expect(clip.toMs).toBeLessThanOrEqual((turns.at(-1)! + 1) * TURN * 10);
        },
      ),
    );
  });
});
