import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acts } from '../engine/types.js';
import { amplify, inManner, plainly } from './manner.js';

describe('inManner', () => {
  it('goes up and down again', () => {
    expect(inManner(plainly, 'louder').gainDb).toBeGreaterThan(3);
    expect(inManner(inManner(plainly, 'louder'), 'quieter')).toEqual(plainly);
    expect(inManner(plainly, 'slower').rate).toBeLessThan(0.9);
    expect(inManner(inManner(plainly, 'slower'), 'faster').rate).toBeCloseTo(1);
  });

  it('stays where speech can be followed, however often it is asked', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...acts), { maxLength: 60 }), (asked) => {
        const { gainDb, rate } = asked.reduce(inManner, plainly);
        return gainDb >= -18 && gainDb <= 12 && rate >= 0.5 && rate <= 2;
      }),
    );
  });

  it('is left alone by what is not about it', () => {
    for (const act of ['stop', 'repeat', 'continue', 'delegate'] as const) expect(inManner(plainly, act)).toBe(plainly);
  });
});

describe('amplify', () => {
  it('doubles what is soft, and bends what would not fit', () => {
    const pcm = Float32Array.of(0.1, -0.2, 0.9, -0.9, 0);
    amplify(pcm, 2);
    expect(pcm[0]).toBeCloseTo(0.2);
    expect(pcm[1]).toBeCloseTo(-0.4);
    expect(pcm[2]).toBeGreaterThan(0.8);
    expect(pcm[2]).toBeLessThanOrEqual(1);
    expect(pcm[3]).toBeCloseTo(-pcm[2]!);
    expect(pcm[4]).toBe(0);
  });

  it('keeps the order of levels', () => {
    const ramp = Float32Array.from({ length: 100 }, (_, i) => i / 100);
    amplify(ramp, 4);
    for (let i = 1; i < ramp.length; i++) expect(ramp[i]!).toBeGreaterThanOrEqual(ramp[i - 1]!);
  });
});
