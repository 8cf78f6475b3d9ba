// @vitest-environment jsdom
import type { ScriptedTransport } from '@microturn/sdk/testing';
import { act } from 'react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { show } from '../testing.js';
import { Announcer } from './announcer.js';

type Event = Parameters<ScriptedTransport['emit']>[0];

const word = (text: string, endMs: number): Event => ({
  type: 'transcript.word',
  participant: 'caller',
  text,
  endMs,
  confidence: 1,
  final: true,
});
const floor = (floor: 'speaking' | 'holding' | 'silent'): Event => ({
  type: 'floor.changed',
  participant: 'caller',
  floor,
  confidence: 1,
});
const started: Event = { type: 'response.started', responseId: 'a', kind: 'reply', audience: 'room' };
const text: Event = {
  type: 'response.text',
  responseId: 'a',
  text: 'Yes, I do.',
  words: [
    { text: 'Yes,', startMs: 0, endMs: 100 },
    { text: 'I', startMs: 100, endMs: 200 },
    { text: 'do.', startMs: 200, endMs: 300 },
  ],
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** What a screen reader is told: the text of what comes, and what any of it is changed to. */
async function listen() {
  const { session, transport, page } = await show(<Announcer />);
  const told: (string | null)[] = [];
  const note = (records: readonly MutationRecord[]) => {
    for (const { addedNodes, target, type } of records) {
      if (type === 'characterData') told.push(target.textContent);
      else for (const node of addedNodes) told.push(node.textContent);
    }
  };
  const observer = new MutationObserver(note);
  observer.observe(page, { subtree: true, childList: true, characterData: true });
  const after = (ms: number, ...events: readonly Event[]) => {
    for (const event of events) act(() => void transport.emit(event));
    act(() => void vi.advanceTimersByTime(ms));
    note(observer.takeRecords());
    return told;
  };
  return { session, after };
}

it('tells the words of the user once, when they are not gone on with, and those that come later by themselves', async () => {
  const { after } = await listen();
  expect(after(1500, floor('speaking'), word('count', 500), word('the', 900), floor('silent'))).toEqual([]);
  expect(after(1900, floor('speaking'), word('animals', 2400), floor('holding'), floor('silent'))).toEqual([]);
  expect(after(200)).toEqual(['You: count the animals']);
  after(3000, word('quickly', 9000), floor('silent'));
  expect(after(5000)).toEqual(['You: count the animals', 'You: quickly']);
});

it('tells at once what the user has ended by what they said next, or has typed', async () => {
  const { after } = await listen();
  after(0, floor('speaking'), word('one', 500), floor('silent'));
  expect(after(0, word('two', 9000))).toEqual(['You: one']);
  const typed: Event = { type: 'transcript.typed', participant: 'caller', text: 'three' };
  expect(after(0, typed)).toEqual(['You: one', 'You typed: three']);
});

it('tells how much was heard of an answer that was cut once that is known, and nothing before', async () => {
  const { after } = await listen();
  expect(after(0, started, text, { type: 'response.cut', responseId: 'a' })).toEqual([]);
  const interrupted = { heardMs: 200, heardText: 'Yes, I', unheardText: 'do.' };
  expect(after(0, { type: 'response.interrupted', responseId: 'a', by: 'user', ...interrupted })).toEqual([
    'Agent, interrupted after: Yes, I',
  ]);
});

it('tells in the order in which it was said, and at the end what is left', async () => {
  const { session, after } = await listen();
  after(0, floor('speaking'), word('hello', 0), floor('silent'), started, text);
  expect(after(0, { type: 'response.completed', responseId: 'a', heardMs: 300 })).toEqual([
    'You: hello',
    'Agent: Yes, I do.',
  ]);
  after(0, { ...started, responseId: 'b' });
  await act(() => session.disconnect());
  expect(after(0).slice(2)).toEqual(['Agent, interrupted before a word was heard.']);
});
