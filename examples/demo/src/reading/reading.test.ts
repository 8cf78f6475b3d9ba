import type { SessionEvent } from '@microturn/sdk';
import { expect, it } from 'vitest';
import { knownWords } from '../content/words.js';
import { finishTask, noReading, skipTask, totalsOf, watchReading, type Reading } from './reading.js';
import { tasks } from './sentences.js';

const word = (text: string, endMs: number) =>
  ({ type: 'transcript.word', at: endMs + 100, participant: 'me', text, endMs, confidence: 1, final: true }) as const;
const yielded = (at: number) => ({ type: 'floor.changed', at, participant: 'me', floor: 'yielded' }) as const;
const watch = (reading: Reading, ...events: object[]) =>
  events.reduce<Reading>((state, event) => watchReading(state, event as SessionEvent), reading);
const firstWords = knownWords(tasks[0]!.text);

it('counts the errors among the words that the model knows', () => {
  const all = firstWords.slice(0, -1);
  const heard = all.map((text, i) => word(text === 'saw' ? 'sorry' : text, 300 * i));
  const { outcomes, heard: next } = finishTask(watch(noReading, ...heard, word('<unk>', 300 * all.length)));
  // The last word was not heard, “saw” was heard as something else.
  expect(outcomes).toMatchObject([{ counts: true, errors: 2, cutIns: 0, falseStop: false }]);
  expect(next).toEqual([]);
});

it('no more words are wrong than there are', () => {
  const story = Array.from({ length: 30 }, (_, i) => word('water', 300 * i));
  expect(finishTask(watch(noReading, ...story)).outcomes).toMatchObject([{ errors: firstWords.length }]);
});

it('a sentence was cut into where the reader went on after it was taken to be over', () => {
  const cut = watch(noReading, word('today', 300), yielded(600), word('i', 1400), yielded(2000));
  expect(finishTask(cut).outcomes[0]!.cutIns).toBe(1);
  const late = watch(noReading, word('today', 300), yielded(600), word('i', 550));
  expect(finishTask(late).outcomes[0]!.cutIns).toBe(0);
});

it('a stop is false only where the reader was to agree', () => {
  const stopped = { type: 'response.interrupted', at: 1, by: 'user' };
  const reading = tasks.reduce((state) => finishTask(watch(state, stopped)), noReading);
  const { falseStops, agreed } = totalsOf(reading);
  expect([falseStops, agreed]).toEqual([5, 5]);
  expect(finishTask(reading)).toBe(reading);
});

it('what nobody has read does not count, nor what was skipped', () => {
  const silent = tasks.reduce(finishTask, noReading);
  expect(totalsOf(silent)).toEqual({ words: 0, errors: 0, cutIns: 0, falseStops: 0, agreed: 0, uncounted: 20 });
  const skipped = skipTask(watch(noReading, word('today', 300), yielded(600), word('i', 1400)));
  expect(skipped.outcomes).toMatchObject([{ counts: false, words: 0, errors: 0, cutIns: 0 }]);
  expect(skipped.heard).toEqual([]);
  // It heard something, and knew none of it.
  expect(finishTask(watch(noReading, word('<unk>', 300))).outcomes).toMatchObject([
    { counts: true, errors: firstWords.length },
  ]);
});

it('who agreed, and went on being spoken to, was not stopped', () => {
  const place = tasks.findIndex(({ kind }) => kind === 'agree');
  const before = tasks.slice(0, place).reduce(finishTask, noReading);
  const { agreed, falseStops } = totalsOf(finishTask(watch(before, word('huh', 300))));
  expect([agreed, falseStops]).toEqual([1, 0]);
});

it('there are twenty, five to agree and five with a pause', () => {
  expect(tasks).toHaveLength(20);
  expect(tasks.filter(({ kind }) => kind === 'agree')).toHaveLength(5);
  expect(tasks.filter(({ text }) => text.includes('…'))).toHaveLength(5);
});
