import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Resampler } from './resampler.js';

const tone = (hz: number, rateHz: number, samples: number) =>
  Float32Array.from({ length: samples }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rateHz));

function resample(pcm: Float32Array, fromHz: number, toHz: number, cuts: readonly number[] = []): Float32Array {
  const resampler = new Resampler(fromHz, toHz);
  const out: number[] = [];
  let from = 0;
  for (const to of [...cuts, pcm.length]) {
    out.push(...resampler.push(pcm.slice(from, to)));
    from = to;
  }
  return Float32Array.from([...out, ...resampler.flush()]);
}

describe('a resampler', () => {
  it.each([
    [16_000, 24_000],
    [22_050, 24_000],
    [24_000, 16_000],
    [44_100, 48_000],
    [16_000, 16_000],
  ])('%i Hz to %i Hz keeps a tone in its place and at its level', (fromHz, toHz) => {
    const out = resample(tone(440, fromHz, fromHz / 2), fromHz, toHz);
    const expected = tone(440, toHz, out.length);
    expect(out.length).toBe(Math.ceil(toHz / 2));
    const middle = { from: 200, to: out.length - 200 };
    let worst = 0;
    for (let i = middle.from; i < middle.to; i++) worst = Math.max(worst, Math.abs(out[i]! - expected[i]!));
    expect(worst).toBeLessThan(0.002);
  });

  it('lets nothing through that the lower rate cannot carry', () => {
    const out = resample(tone(11_000, 24_000, 12_000), 24_000, 16_000).slice(200, -200);
    expect(Math.max(...out.map(Math.abs))).toBeLessThan(0.002);
  });

  it('any cut gives the same whole', () => {
    const pcm = tone(300, 22_050, 2000);
    const whole = resample(pcm, 22_050, 24_000);
    fc.assert(
      fc.property(fc.array(fc.nat(2000), { maxLength: 6 }), (cuts) => {
        expect(
          resample(
            pcm,
            22_050,
            24_000,
            cuts.sort((a, b) => a - b),
          ),
        ).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  it('refuses what is no rate', () => {
    expect(() => new Resampler(0, 16_000)).toThrow(RangeError);
    expect(() => new Resampler(16_000, 0.5)).toThrow(RangeError);
  });
});
