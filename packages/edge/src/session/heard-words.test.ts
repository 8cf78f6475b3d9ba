import type { SessionEventBody } from '@microturn/protocol';
import { expect, it } from 'vitest';
import { HeardWords } from './heard-words.js';

const started = (responseId: string): SessionEventBody => ({
  type: 'response.started',
  responseId,
  kind: 'reply',
  audience: 'room',
});
const heard = (responseId: string, heardText: string): SessionEventBody => ({
  type: 'response.heard',
  responseId,
  heardMs: 1,
  heardText,
});

it('gives each word of a response once, when it was heard, and the last ones at its end', () => {
  const words = new HeardWords();
  const take = (event: SessionEventBody) => words.take(event);
  expect(take(started('r'))).toBe('');
  expect(take({ type: 'response.text', responseId: 'r', text: 'Here is your', words: [] })).toBe('');
  expect(take({ type: 'response.text', responseId: 'r', text: 'reminder.', words: [] })).toBe('');
  expect(take(heard('r', 'Here'))).toBe('Here');
  expect(take(heard('r', 'Here'))).toBe('');
  expect(take(heard('r', 'Here is your'))).toBe('is your');
  expect(take({ type: 'response.completed', responseId: 'r', heardMs: 1 })).toBe('reminder.');
  expect(take(heard('r', 'Here is your reminder.'))).toBe('');
});

it('gives each word once, also where the response is told again to a page that is back', () => {
  const words = new HeardWords();
  for (let i = 0; i < 2; i++) {
    words.take(started('r'));
    words.take({ type: 'response.text', responseId: 'r', text: 'one two', words: [] });
    expect(words.take(heard('r', 'one'))).toBe(i === 0 ? 'one' : '');
  }
  expect(words.take({ type: 'response.completed', responseId: 'r', heardMs: 1 })).toBe('two');
});

it('gives nothing of what a listener with the sound off did not hear', () => {
  const words = new HeardWords();
  words.take(started('r'));
  words.take({ type: 'response.text', responseId: 'r', text: 'one two three', words: [] });
  expect(words.take(heard('r', 'one'))).toBe('one');
  expect(words.take({ type: 'response.completed', responseId: 'r', heardMs: 1, unheardText: 'two three' })).toBe('');
});

it('gives nothing of what was not heard', () => {
  const words = new HeardWords();
  words.take(started('r'));
  words.take({ type: 'response.text', responseId: 'r', text: 'one two three', words: [] });
  const cut: SessionEventBody = {
    type: 'response.interrupted',
    responseId: 'r',
    by: 'user',
    heardMs: 1,
    heardText: 'one two',
    unheardText: 'three',
  };
  expect(words.take(heard('r', 'one'))).toBe('one');
  expect(words.take(cut)).toBe('two');
});
