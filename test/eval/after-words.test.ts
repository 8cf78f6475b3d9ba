import { expect, it } from 'vitest';
import { afterWords } from './after-words.js';
import { event, heard } from './scripted-sessions.js';

const vocabulary = new Set(['cat']);
const word = (written: string, end: number) => ({ name: written, written, start: end - 0.3, end });
const figure = (figures: ReturnType<typeof afterWords>, measure: string) =>
  figures.find((one) => one.measure === measure);

it('tells pauses and ends after words that are known from those after others', () => {
  const events = [event('hold', 2, 4), event('hold', 5, 6), event('yield', 8, 10), event('yield', 12, 14)];
  // By when they end, not by where they stand: others speak too.
  const words = [word('cat', 5), word('okapi', 2), word('cat', 1), word('okapi', 8), word('cat', 12)];
  const figures = afterWords([heard(events, { yields: [3, 8.4, 12.2] }, { words })], vocabulary);
  const [known, unknown] = ['after a word that it knows', 'after one that it does not know'];
  expect(figure(figures, `pause taken for the end, ${known}`)).toMatchObject({ value: 0, n: 1 });
  expect(figure(figures, `pause taken for the end, ${unknown}`)).toMatchObject({ value: 1, n: 1 });
  expect(figure(figures, `gap after a turn, median, ${known}`)!.value).toBeCloseTo(0.2);
  expect(figure(figures, `gap after a turn, median, ${unknown}`)!.value).toBeCloseTo(0.4);
  expect(figures).toHaveLength(6);
});

it('judges no pause before the first word', () => {
  const figures = afterWords([heard([event('hold', 2, 4)], { yields: [3] }, { words: [word('cat', 6)] })], vocabulary);
  expect(figures.every(({ n }) => n === 0)).toBe(true);
});
