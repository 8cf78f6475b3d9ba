import { expect, it } from 'vitest';
import { distance, transcribe } from './recording.js';

it('counts the words to add, remove and change', () => {
  expect(distance(['a', 'b', 'c'], ['a', 'x', 'c', 'd'])).toBe(2);
  expect(distance([], ['a'])).toBe(1);
});

it('judges only the words that the model knows, in the form that it writes', () => {
  const word = (text: string) => ({ text, end: 0, known: 0 });
  const track = {
    yields: [1, 1.2, 3],
    stops: [],
    words: ['i', 'saw', '<unk>', 'horse'].map(word),
    says: [],
    shows: [],
  };
  const told = transcribe(track, new Set(['i', 'saw', 'horse', 'goat']), 'I saw seven horses, a goat.');
  expect(told).toMatchObject({
    heard: 'i saw <unk> horse',
    yields: [1, 3],
    wordErrors: { rate: 0.25, words: 6, known: 4 },
  });
});
