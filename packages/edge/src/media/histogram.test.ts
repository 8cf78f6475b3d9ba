import { describe, expect, it } from 'vitest';
import { Histogram } from './histogram.js';

describe('Histogram', () => {
  it('has nothing to say at first', () => expect(new Histogram().quantile(0.99)).toBe(0));

  it.each([
    [0.05, 0.1],
    [0.1, 0.1],
    [2.31, 2.4],
    [10, 10],
    [10.5, 11],
    [100, 100],
    [199, 200],
    [200, 200],
    [200.1, 210],
    [999, 1000],
  ])('puts %d ms into the bin that ends at %d ms', (ms, edge) => {
    const histogram = new Histogram();
    histogram.add(ms);
    histogram.add(5000);
    expect(histogram.quantile(0.5)).toBe(edge);
    expect(histogram.quantile(1)).toBe(5000);
  });

  it('gives quantiles within a bin', () => {
    const histogram = new Histogram();
    for (let i = 1; i <= 1000; i++) histogram.add(i / 100);
    expect(histogram.quantile(0.5)).toBeCloseTo(5, 0);
    expect(histogram.quantile(0.99)).toBeCloseTo(9.9, 1);
  });
});
