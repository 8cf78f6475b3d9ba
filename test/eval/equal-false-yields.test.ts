import { expect, it } from 'vitest';
import { atEqualFalseYields } from './equal-false-yields.js';
import type { Session } from './test-sets.js';

const event = (kind: string, start: number, end: number) => ({ kind, start, end, value: 0 });
const session = {
  play: new Uint8Array(100),
  words: [],
  events: [event('hold', 2, 3), event('hold', 5, 6), event('yield', 8, 10), event('yield', 12, 14)],
} as unknown as Session;
/** Sure of both ends after 0.6 s, less sure after 0.2 s, and less still in one of the pauses. */
const yields = [
  { at: 2.6, confidence: 0.65 },
  { at: 8.2, confidence: 0.8 },
  { at: 8.6, confidence: 0.96 },
  { at: 12.2, confidence: 0.8 },
  { at: 12.6, confidence: 0.96 },
];

it('is the shortest gap at which no more pauses are taken for the end than a rival takes', () => {
  const rivals = [
    { name: 'a', falseYields: 0.5 },
    { name: 'b', falseYields: 0 },
  ];
  const figures = atEqualFalseYields([session], [yields], rivals);
  expect(figures.map(({ value }) => value)).toEqual([expect.closeTo(0.2), expect.closeTo(0.2)]);
  const unsure = yields.map((one) => (one.at === 2.6 ? { ...one, confidence: 0.9 } : one));
  expect(atEqualFalseYields([session], [unsure], rivals).map(({ value }) => value)).toEqual([
    expect.closeTo(0.2),
    expect.closeTo(0.6),
  ]);
  const always = [{ at: 2.6, confidence: 1 }];
  expect(atEqualFalseYields([session], [always], [{ name: 'c', falseYields: 0 }])).toMatchObject([
    { value: undefined },
  ]);
});
