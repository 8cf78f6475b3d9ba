import { expect, it } from 'vitest';
import { spread } from './spread.js';

it('moves only what is too close, and catches up in the next pause', () => {
  expect(spread([0, 20, 24, 28, 60], 10)).toEqual([0, 20, 30, 40, 60]);
});

it('keeps the places of words when later ones come', () => {
  const places = [3, 5, 9, 30, 31, 70];
  expect(spread(places.slice(0, 3), 10)).toEqual(spread(places, 10).slice(0, 3));
});
