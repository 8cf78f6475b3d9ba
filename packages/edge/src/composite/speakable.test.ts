import { expect, it } from 'vitest';
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
