import { expect, it } from 'vitest';
import { formatClock, formatMs, formatShare, formatTurnTime, toSentence } from './format.js';

it('tells time to what it is known', () => {
  expect([formatClock(0), formatClock(7999), formatClock(754_000)]).toEqual(['0:00', '0:07', '12:34']);
  expect([formatTurnTime(0), formatTurnTime(12_400), formatTurnTime(61_800)]).toEqual(['0:00.0', '0:12.4', '1:01.8']);
});

it('shows a dash where nothing was measured', () => {
  expect([formatMs(undefined), formatMs(0.75), formatMs(12.4)]).toEqual(['–', '0.8 ms', '12 ms']);
  expect([formatShare(undefined), formatShare(0), formatShare(0.004), formatShare(0.25)]).toEqual([
    '–',
    '0 %',
    '0.4 %',
    '25 %',
  ]);
});

it('makes a sentence of an error’s clause, once', () => {
  expect([toSentence('the edge is full'), toSentence('Done.'), toSentence('')]).toEqual([
    'The edge is full.',
    'Done.',
    '',
  ]);
});
