import type { Pcm } from './wav.js';

/** Zero crossings of the filter on each side: more than 80 dB of stop band with the window below. */
const ZEROS = 24;

/** Another rate for the same sound: a windowed sinc, cut off at the lower of the two rates. */
export function resample({ samples, rateHz }: Pcm, toHz: number): Pcm {
  if (rateHz === toHz) return { samples, rateHz };
  const step = rateHz / toHz;
  const cutoff = Math.min(1, toHz / rateHz);
  const reach = Math.ceil(ZEROS / cutoff);
  const length = Math.round(samples.length / step);
  // The filter's phases repeat after toHz / gcd output samples, so that each is made once.
  const phases = toHz / greatestCommonDivisor(rateHz, toHz);
  const filters = Array.from({ length: phases }, (_, n) => makeFilter((n * step) % 1, reach, cutoff));
  const out = new Float32Array(length);
  for (let n = 0; n < length; n++) {
    const filter = filters[n % phases]!;
    const from = Math.floor(n * step + 1e-9) - reach;
    let sum = 0;
    for (let k = Math.max(0, -from); k < filter.length && from + k < samples.length; k++)
      sum += samples[from + k]! * filter[k]!;
    out[n] = sum;
  }
  return { samples: out, rateHz: toHz };
}

function makeFilter(fraction: number, reach: number, cutoff: number): Float64Array {
  const filter = new Float64Array(2 * reach + 1);
  const shift = fraction > 1 - 1e-9 ? 0 : fraction;
  for (let k = 0; k < filter.length; k++) {
    const x = k - reach - shift;
    filter[k] = cutoff * sinc(cutoff * x) * blackman(x / (reach + 1));
  }
  const sum = filter.reduce((a, b) => a + b, 0);
  return filter.map((tap) => tap / sum);
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** 1 at 0, 0 at ±1. */
function blackman(x: number): number {
  return Math.abs(x) >= 1 ? 0 : 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
