import { expect, it } from 'vitest';
import { Backoff } from './backoff.js';

it('doubles up to five seconds, spread over the upper half', () => {
  const waits = (random: number) => {
    const backoff = new Backoff(() => random);
    return Array.from({ length: 7 }, () => backoff.nextMs());
  };
  expect(waits(1)).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
  expect(waits(0)).toEqual([125, 250, 500, 1000, 2000, 2500, 2500]);
});
