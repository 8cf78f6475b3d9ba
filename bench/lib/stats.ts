import { SeededRandom } from '../../test/support/random.js';

/** @param share in [0, 1]; between two values the line between them */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('expected at least one value');
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)]!;
  return low + (sorted[Math.ceil(at)]! - low) * (at - Math.floor(at));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The median of the slopes between all pairs of points: a fit that a few bad points do not move. */
export function theilSen(points: readonly { readonly x: number; readonly y: number }[]): {
  slope: number;
  intercept: number;
} {
  const slopes = points.flatMap((a, i) =>
    points.slice(i + 1).flatMap((b) => (a.x === b.x ? [] : [(b.y - a.y) / (b.x - a.x)])),
  );
  const slope = median(slopes);
  return { slope, intercept: median(points.map(({ x, y }) => y - slope * x)) };
}

/** The median of ratios, with the 95 % interval that resampling them gives; the seed is fixed. */
export function ratioWithInterval(ratios: readonly number[]): { median: number; low: number; high: number } {
  const random = new SeededRandom(1);
  const logs = ratios.map(Math.log);
  const medians = Array.from({ length: 1_000 }, () => median(logs.map(() => random.pick(logs))));
  return {
    median: Math.exp(median(logs)),
    low: Math.exp(quantile(medians, 0.025)),
    high: Math.exp(quantile(medians, 0.975)),
  };
}

export function round(value: number, digits = 3): number {
  return Number(value.toFixed(digits));
}

/** p50, p95 and largest of a sample, for conditions. */
export function spread(values: readonly number[]): { n: number; p50: number; p95: number; max: number } {
  return {
    n: values.length,
    p50: round(median(values), 2),
    p95: round(quantile(values, 0.95), 2),
    max: round(Math.max(...values), 2),
  };
}
