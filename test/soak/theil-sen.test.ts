import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../support/random.js';
import { median, theilSen, type Point } from './theil-sen.js';

describe('theilSen', () => {
  it('is the slope of a line, and 0 of what stays and of nothing', () => {
    expect(
      theilSen([
        [0, 5],
        [1, 7],
        [2, 9],
      ]),
    ).toBe(2);
    expect(
      theilSen([
        [0, 5],
        [1, 5],
      ]),
    ).toBe(0);
    expect(theilSen([[0, 5]])).toBe(0);
    expect(theilSen([])).toBe(0);
  });

  it('is not moved by a few odd points', () => {
    const random = new SeededRandom(3);
    const points: Point[] = Array.from({ length: 100 }, (_, i) => [i / 10, 100 + 0.05 * i + random.next()]);
    for (const i of [10, 40, 95]) points[i] = [i / 10, 500];
    expect(Math.abs(theilSen(points) - 0.5)).toBeLessThan(0.1);
  });
});

it('median takes the middle, or the mean of the two', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});
