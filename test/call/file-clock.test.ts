import { expect, it } from 'vitest';
import { fileStartMs } from './file-clock.js';

const at = (...startsMs: number[]) => startsMs.map((startMs) => ({ startMs, endMs: startMs + 300 }));
const file = at(2_000, 2_800, 9_000);

it('a file lies where its sounds were recorded, and not where the page said that the microphone began', () => {
  const sent = at(2_170, 2_970, 9_150);
  const start = (fromMs: number) => fileStartMs({ file, sent, microphoneMs: 500, fromMs });
  expect(start(0)).toBe(170);
  // It may slip in the course of a call.
  expect(start(7_000)).toBe(150);
});

it('a sound that was not recorded is told', () => {
  expect(() => fileStartMs({ file, sent: at(2_170), microphoneMs: 500, fromMs: 7_000 })).toThrow('after 7000 ms');
});
