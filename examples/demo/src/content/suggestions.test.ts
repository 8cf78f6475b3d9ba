import { expect, it } from 'vitest';
import { LONG_TEXT } from './suggestions.js';
import { vocabulary, VOCABULARY_SIZE } from './words.js';

it('the page knows as many words as it says', () => {
  const words = vocabulary.flatMap((group) => group.words);
  expect(new Set(words).size).toBe(words.length);
  expect(VOCABULARY_SIZE).toBe(136);
});

it('the long text has no word that the model could take for a command, a number or an animal', () => {
  const harmless = new Set(['a', 'and', 'the', 'me', 'with', 'then', 'to', 'in', 'it', 'is', 'about']);
  const known = new Set(vocabulary.flatMap((group) => group.words));
  const said = LONG_TEXT.toLowerCase().match(/[a-z]+/g) ?? [];
  expect(said.filter((word) => known.has(word) && !harmless.has(word))).toEqual([]);
});
