import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PcmTimeline } from './pcm-timeline.js';

const ramp = (from: number, length: number) => Float32Array.from({ length }, (_, i) => from + i + 1);

describe('PcmTimeline', () => {
  it('gives the same stretch however it was written and cut', () => {
    const cuts = (max: number) => fc.array(fc.integer({ min: 1, max }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(cuts(200), cuts(200), (writes, reads) => {
        const timeline = new PcmTimeline(8192);
        let written = 0;
        for (const length of writes) {
          timeline.write(written, ramp(written, length));
          written += length;
        }
        let read = 0;
        for (const length of reads) {
          const { pcm, empty } = timeline.cut(read, read + length);
          const expected = Array.from({ length }, (_, i) => (read + i < written ? read + i + 1 : 0));
          expect([...pcm]).toEqual(expected);
          expect(empty).toBe(Math.max(0, read + length - Math.max(read, written)));
          read += length;
        }
      }),
      { seed: 1 },
    );
  });

  it('keeps what came first, and counts what was made up', () => {
    const timeline = new PcmTimeline(64);
    timeline.write(0, ramp(0, 4));
    expect(timeline.conceal(2, new Float32Array([9, 9]), 6)).toBe(4);
    timeline.silence(8, 2);
    expect(timeline.write(0, ramp(50, 12))).toBe(2);
    expect(timeline.cut(0, 14)).toEqual({
      pcm: Float32Array.of(1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 61, 62, 0, 0),
      concealed: 4,
      empty: 2,
    });
  });

  it('refuses what is before the last cut, and what is too far ahead', () => {
    const timeline = new PcmTimeline(64, 1000);
    expect(timeline.write(0, ramp(0, 10))).toBe(0);
    expect(timeline.write(990, ramp(0, 20))).toBe(10);
    expect(timeline.write(1060, ramp(0, 20))).toBe(4);
    expect(timeline.write(5000, ramp(0, 20))).toBe(0);
  });

  it('leaves nothing of the old behind where it skips ahead', () => {
    const timeline = new PcmTimeline(64);
    timeline.write(0, ramp(0, 64));
    expect(timeline.cut(640, 650)).toMatchObject({ empty: 10, concealed: 0 });
    expect(timeline.cut(650, 704).pcm.every((sample) => sample === 0)).toBe(true);
  });
});
