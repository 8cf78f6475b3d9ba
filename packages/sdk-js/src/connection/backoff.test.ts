import { expect, it } from 'vitest';
import { Backoff } from './backoff.js';

it('grows by half up to five seconds, spread over the upper half', () => {
  const waits = (random: number) => {
    const backoff = new Backoff(() => random);
    return Array.from({ length: 10 }, () => Math.round(backoff.nextMs()));
  };
  expect(waits(1)).toEqual([250, 375, 563, 844, 1266, 1898, 2848, 4271, 5000, 5000]);
  expect(waits(0)).toEqual([125, 188, 281, 422, 633, 949, 1424, 2136, 2500, 2500]);
});
