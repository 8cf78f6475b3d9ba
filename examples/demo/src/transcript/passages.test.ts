import type { AgentResponse, TranscriptEntry, UserUtterance } from '@microturn/sdk';
import { expect, it } from 'vitest';
import { passagesOf } from './passages.js';

const you = (id: string, startMs: number, endMs: number): UserUtterance => ({
  speaker: 'user',
  id,
  participant: 'me',
  typed: false,
  words: [],
  text: '',
  status: 'final',
  startMs,
  endMs,
});
const agent = (id: string, startMs: number, endMs: number, fields: Partial<AgentResponse> = {}): AgentResponse => ({
  speaker: 'agent',
  id,
  kind: 'reply',
  audience: 'room',
  words: [{ text: 'x', startMs: 0, endMs: endMs - startMs, heard: true }],
  text: 'x',
  status: 'completed',
  startMs,
  heardMs: endMs - startMs,
  heardText: 'x',
  ...fields,
});
const shape = (...entries: TranscriptEntry[]) =>
  passagesOf(entries).map((passage) => [passage.you.map(({ id }) => id), passage.agent.map(({ id }) => id)]);

it('what overlaps stands side by side', () => {
  expect(shape(you('u', 0, 5000), agent('one', 1000, 1300), agent('two', 3000, 3300))).toEqual([
    [['u'], ['one', 'two']],
  ]);
});

it('what follows begins a line of its own', () => {
  expect(shape(you('u', 0, 1000), agent('a', 1200, 2000, { kind: 'proactive' }), you('v', 3000, 4000))).toEqual([
    [['u'], []],
    [[], ['a']],
    [['v'], []],
  ]);
});

it('a passage lasts as long as its longest speech', () => {
  expect(shape(agent('long', 0, 9000), you('uh-huh', 2000, 2500), you('wait', 7000, 7500))).toEqual([
    [['uh-huh', 'wait'], ['long']],
  ]);
});

it('a response that was cut ends where the hearing did', () => {
  const cut = agent('long', 0, 9000, { status: 'interrupted', heardMs: 2000 });
  expect(shape(cut, you('next', 3000, 4000))).toEqual([
    [[], ['long']],
    [['next'], []],
  ]);
});

it('an answer stands beside what it answers', () => {
  expect(shape(you('u', 0, 1000), agent('two', 1700, 2000))).toEqual([[['u'], ['two']]]);
  expect(shape(you('u', 0, 1000), agent('late', 3700, 4000))).toEqual([
    [['u'], []],
    [[], ['late']],
  ]);
});

it('what was typed stands alone, and what is said meanwhile goes on beside it', () => {
  const typed = { ...you('typed', 1500, 1500), typed: true };
  const aside = agent('one', 1800, 2100, { kind: 'interjection' });
  expect(shape(you('u', 0, 3000), typed, aside)).toEqual([
    [['u'], ['one']],
    [['typed'], []],
  ]);
  expect(shape(typed, agent('answer to another', 1600, 2000))).toEqual([
    [['typed'], []],
    [[], ['answer to another']],
  ]);
});

it('what was looked up stands apart from what was just being said, and beside whoever talks over it', () => {
  const relay = agent('found', 1200, 5000, { kind: 'relay', taskId: 't' });
  expect(shape(you('u', 0, 1500), relay, you('uh-huh', 3000, 3400))).toEqual([
    [['u'], []],
    [['uh-huh'], ['found']],
  ]);
});

it('what is said right after an interruption goes with it', () => {
  const cut = agent('long', 0, 9000, { status: 'interrupted', interruptedBy: 'user', heardMs: 2000 });
  expect(shape(cut, you('wait', 1800, 2200), you('stop', 2600, 2900), you('next', 6000, 6500))).toEqual([
    [['wait', 'stop'], ['long']],
    [['next'], []],
  ]);
});
