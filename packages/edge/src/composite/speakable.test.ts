import { describe, expect, it } from 'vitest';
import { speakableTo } from './speakable.js';

/** What is said of a text as it grows, piece by piece. */
function pieces(text: string): string[] {
  const said: string[] = [];
  let from = 0;
  for (let length = 1; length <= text.length; length++) {
    const to = speakableTo(text.slice(0, length), from, length === text.length);
    if (to > from) said.push(text.slice(from, to).trim());
    from = to;
  }
  return said;
}

it.each([
  ['at clauses', 'Yes, that is fine. I would do it early.', ['Yes,', 'that is fine.', 'I would do it early.']],
  ['not inside a number', 'It costs 3.5 in all. Fine.', ['It costs 3.5 in all.', 'Fine.']],
  ['not behind a title', 'Dr. Who is in.', ['Dr. Who is in.']],
  ['with what closes a quotation', 'He said “no.” Then he left.', ['He said “no.”', 'Then he left.']],
  [
    'at the marks of scripts without spaces',
    '好的，我明白了。我们明天早上出发。',
    ['好的，', '我明白了。', '我们明天早上出发。'],
  ],
])('an answer is said as it is written: %s', (_, text, expected) => expect(pieces(text)).toEqual(expected));

describe('no more of an answer is said at once than a voice takes', () => {
  /** What is said of a text that is there as a whole. */
  function parts(text: string): string[] {
    const said: string[] = [];
    for (let from = 0; from < text.length;) {
      const to = speakableTo(text, from, true);
      said.push(text.slice(from, to));
      from = to;
    }
    return said;
  }

  it.each([
    ['at the end of a sentence', 'It is noon, and “so on.” '.repeat(300), /“so on.”$/],
    ['of one without spaces', '我们明天早上出发。'.repeat(600), /。$/],
    ['at that of a word, where there is none', 'word '.repeat(1000), /word$/],
    ['and in the middle of what is neither', '😊'.repeat(3000), /😊$/u],
  ])('%s', (_, text, end) => {
    const said = parts(text);
    expect(said.join('')).toBe(text);
    expect(said.length).toBeGreaterThan(1);
    expect(said.every((part) => part.length <= 2000)).toBe(true);
    for (const part of said.slice(0, -1)) expect(part).toMatch(end);
  });

  it('also of one that comes at once and goes on', () => {
    const text = 'It is noon. '.repeat(500);
    expect(speakableTo(text, 0, false)).toBeLessThanOrEqual(2000);
    expect(text.slice(0, speakableTo(text, 0, false))).toMatch(/noon\.$/);
  });
});
