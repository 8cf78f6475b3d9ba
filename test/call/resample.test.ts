import { describe, expect, it } from 'vitest';
import { MICROPHONE_HZ, toMicrophone } from './microphone-file.js';
import { resample } from './resample.js';
import { joined, silence, tone } from './signals.js';

/** Of the middle, where the filter has all its samples. */
function errorDb(got: Float32Array, expected: Float32Array): number {
  let error = 0;
  let power = 0;
  for (let i = 4_000; i < Math.min(got.length, expected.length) - 4_000; i++) {
    error += (got[i]! - expected[i]!) ** 2;
    power += expected[i]! ** 2;
  }
  return 10 * Math.log10(error / power);
}

describe('resample', () => {
  it.each([8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 96_000])(
    'keeps a tone of 1 kHz from %i Hz, in its place',
    (rateHz) => {
      const from = { samples: tone(1_000, 0.5, rateHz, 1_000), rateHz };
      const to = resample(from, 48_000);
      expect(to.samples).toHaveLength(48_000);
      expect(errorDb(to.samples, tone(1_000, 0.5, 48_000, 1_000))).toBeLessThan(-70);
    },
  );

  it('leaves out what the lower rate cannot carry', () => {
    const { samples } = resample({ samples: tone(500, 0.5, 48_000, 11_000), rateHz: 48_000 }, 16_000);
    const middle = samples.subarray(1_000, 7_000);
    expect(Math.max(...middle.map(Math.abs))).toBeLessThan(0.5 / 1_000);
  });

  it('does nothing where there is nothing to do', () => {
    const samples = tone(10, 0.5, 48_000);
    expect(resample({ samples, rateHz: 48_000 }, 48_000).samples).toBe(samples);
  });
});

describe('toMicrophone', () => {
  const soundAt = (samples: Float32Array) => (samples.findIndex((x) => Math.abs(x) > 0.01) * 1000) / MICROPHONE_HZ;

  it('puts silence in front up to a second, and keeps what is there', () => {
    for (const leadMs of [0, 400, 990, 1_000, 2_500]) {
      const { samples, rateHz } = toMicrophone({
        samples: joined(silence(leadMs, 16_000), tone(300, 0.5, 16_000)),
        rateHz: 16_000,
      });
      expect(rateHz).toBe(MICROPHONE_HZ);
      expect(Math.abs(soundAt(samples) - Math.max(1_000, leadMs))).toBeLessThan(2);
    }
  });

  it('ends in silence, which the browser then repeats', () => {
    const { samples } = toMicrophone({ samples: tone(300, 0.5, 16_000), rateHz: 16_000 });
    expect(samples.subarray(-4_800).every((x) => x === 0)).toBe(true);
  });

  it('takes silence for what it is', () => {
    expect(toMicrophone({ samples: silence(100, 16_000), rateHz: 16_000 }).samples.every((x) => x === 0)).toBe(true);
  });
});
