import type { SessionEvent } from '@microturn/sdk';
import { expect, it } from 'vitest';
import { knownWords } from '../content/words.js';
import { finishTask, noReading, totalsOf, watchReading, type Reading } from './reading.js';
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
  expect(outcomes).toMatchObject([{ errors: 2, cutIns: 0, falseStop: false }]);
  expect(next).toEqual([]);
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

it('there are twenty, five to agree and five with a pause', () => {
  expect(tasks).toHaveLength(20);
  expect(tasks.filter(({ kind }) => kind === 'agree')).toHaveLength(5);
  expect(tasks.filter(({ text }) => text.includes('…'))).toHaveLength(5);
});
