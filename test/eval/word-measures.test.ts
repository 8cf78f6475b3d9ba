import { expect, it } from 'vitest';
import { heard, value } from './scripted-sessions.js';
import { unknownWords, words } from './word-measures.js';

it('hears a word once, and misses it where it comes late', () => {
  const spoken = [
    { name: 'horses', written: 'horse', start: 1, end: 1.5 },
    { name: 'a', written: 'a', start: 3, end: 3.1 },
  ];
  const track = { words: [{ text: 'horse', end: 1.55, known: 1.8 }, { text: 'a', end: 4, known: 4.2 }] }; // prettier-ignore
  const figures = words([heard([], track, { words: spoken })], new Set(['horse', 'a']), 'known');
  expect(value(figures, 'known, F1')).toBe(0.5);
  expect(value(figures, 'known, known within 0.4 s')).toBe(1);
});

it('wants a word that is not known told as such', () => {
  const spoken = [
    { name: 'pangolin', written: 'pangolin', start: 1, end: 1.5 },
    { name: 'cat', written: 'cat', start: 2, end: 2.3 },
    { name: 'quoll', written: 'quoll', start: 3, end: 3.4 },
  ];
  const track = { words: [{ text: '<unk>', end: 1.55, known: 1.8 }, { text: 'cat', end: 3.4, known: 3.6 }] }; // prettier-ignore
  const [f1] = unknownWords([heard([], track, { words: spoken })], new Set(['cat']), '<unk>');
  expect(f1!.value).toBeCloseTo(2 / 3);
});
