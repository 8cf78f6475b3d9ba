import { expect, it } from 'vitest';
import { headed, labelOf, runningWords, textOf, viewOf } from './view.js';

it('sees objects alike as a table, with a column for each key that one has', () => {
  const rows = [
    { to: 'Bern', minutes: 56 },
    { to: 'Thun', minutes: 75, late: true },
  ];
  expect(viewOf(rows)).toEqual({
    kind: 'table',
    columns: [
      { key: 'to', isNumeric: false },
      { key: 'minutes', isNumeric: true },
      { key: 'late', isNumeric: false },
    ],
    rows,
  });
});

it('sees other arrays as lists, objects as fields, and the rest as text', () => {
  const wide = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`k${i}`, i]));
  for (const items of [[], ['a', 1], [{ a: 1 }, 'b'], [{}], [wide]])
    expect(viewOf(items)).toEqual({ kind: 'list', items });
  expect(viewOf({ a: 1, b: [2] })).toEqual({
    kind: 'fields',
    fields: [
      ['a', 1],
      ['b', [2]],
    ],
  });
  expect(['x', 2, true, null, ''].map((value) => viewOf(value))).toEqual(
    ['x', '2', 'yes', '–', '–'].map((text) => ({ kind: 'text', text })),
  );
  expect(textOf({ a: 1 })).toBe('{"a":1}');
});

it('takes the heading from the title, and names what stands alone by it', () => {
  expect(headed('trains', { title: 'Trains to Bern', rows: [1] })).toEqual({ title: 'Trains to Bern', body: [1] });
  expect(headed('x', { title: 'T', a: 1 })).toEqual({ title: 'T', body: { a: 1 } });
  expect(headed('next_trains', { rows: [1] })).toEqual({ title: 'next trains', body: { rows: [1] } });
  expect(headed('x', ['a'])).toEqual({ title: 'x', body: ['a'] });
  expect(labelOf('departsAt')).toBe('departs at');
});

it('knows a running text by its words', () => {
  const words = [{ text: 'hallo', of: 'hello', atMs: 400 }];
  expect(runningWords({ words })).toBe(words);
  for (const other of [undefined, [], {}, { words: 'hallo' }, { words: [{ of: 'hello' }] }]) {
    expect(runningWords(other)).toBeUndefined();
  }
});
