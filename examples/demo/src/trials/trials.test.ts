import type { SessionEvent } from '@microturn/sdk';
import { expect, it } from 'vitest';
import { noTrials, watchTrials } from './trials.js';

type Body<E = SessionEvent> = E extends SessionEvent ? Omit<E, 'seq' | 'turn'> : never;

function seenAfter(...events: Body[]) {
  const stamped = events.map((event, index) => ({ ...event, seq: index + 1, turn: 0 }) as SessionEvent);
  return stamped.reduce(watchTrials, { ...noTrials, me: 'me' }).seen;
}

const word = (endMs: number, text = 'cat'): Body => ({
  type: 'transcript.word',
  at: endMs,
  participant: 'me',
  text,
  endMs,
  confidence: 1,
  final: true,
});
const interruption = (at: number, kind: 'barge-in' | 'backchannel'): Body => ({
  type: 'interruption',
  at,
  kind,
  participant: 'me',
  taken: false,
});
const started = (at: number): Body => ({
  type: 'response.started',
  at,
  responseId: 'a',
  kind: 'proactive',
  audience: 'room',
});
const completed = (at: number): Body => ({ type: 'response.completed', at, responseId: 'a', heardMs: 100 });
const heard = (at: number): Body => ({ type: 'response.heard', at, responseId: 'a', heardMs: 100, heardText: '' });
const interrupted = (at: number, by: 'user' | 'client', unheardText = 'x'): Body => ({
  type: 'response.interrupted',
  at,
  responseId: 'a',
  by,
  heardMs: 100,
  heardText: '',
  unheardText,
});
const counted = (at: number, text = 'one', kind: 'interjection' | 'reply' = 'interjection'): Body[] => [
  { type: 'response.started', at, responseId: `n${at}`, kind, audience: 'room' },
  { type: 'response.text', at, responseId: `n${at}`, text, words: [] },
  { type: 'response.completed', at: at + 300, responseId: `n${at}`, heardMs: 300 },
];

it('counting is to say a number and then a higher one, while the user speaks', () => {
  expect(seenAfter(...counted(500), ...counted(900, 'two'))).toEqual({ count: 500 });
  expect(seenAfter(...counted(500), ...counted(900, 'two', 'reply'))).toEqual({ count: 500 });
  expect(seenAfter(...counted(500), ...counted(900, 'one'), ...counted(1300, 'three'))).toEqual({ count: 900 });
  expect(seenAfter(...counted(500))).toEqual({});
  expect(seenAfter(...counted(500), ...counted(900, 'one'))).toEqual({});
  expect(seenAfter(...counted(500, 'two'), ...counted(900, 'one'))).toEqual({});
  expect(seenAfter(...counted(500), ...counted(900, 'okay'))).toEqual({});
  expect(seenAfter(...counted(500, 'one', 'reply'), ...counted(900, 'two', 'reply'))).toEqual({});
});

it('waiting is to count, to say nothing in a long pause, and to go on counting after it', () => {
  const one = [word(1000), ...counted(1300)];
  expect(seenAfter(...one, word(4000), ...counted(4300))).toEqual({ pause: 4300 });
  expect(seenAfter(...one, word(4000))).toEqual({});
  expect(seenAfter(...one, word(2000), ...counted(2300))).toEqual({});
  expect(seenAfter(...one, ...counted(2500), word(4000), ...counted(4300))).toEqual({});
  expect(seenAfter(word(1000), word(4000), ...counted(4300))).toEqual({});
  expect(seenAfter(...one, started(1900), word(5000), ...counted(5300))).toEqual({});
});

it('stopping is the user’s doing: the button does not count', () => {
  expect(seenAfter(started(100), word(700, 'stop'), interrupted(900, 'user'))).toEqual({ stop: 900 });
  expect(seenAfter(started(100), word(700, 'stop'), interrupted(900, 'client'))).toEqual({});
});

it('stopping takes a word that stops, told before or after, and words that were not heard', () => {
  expect(seenAfter(started(100), interrupted(900, 'user'), word(1300, 'wait'))).toEqual({ stop: 900 });
  expect(seenAfter(started(100), interrupted(900, 'user'))).toEqual({});
  expect(seenAfter(started(100), word(700, 'goat'), interrupted(900, 'user'), word(1300, 'horse'))).toEqual({});
  expect(seenAfter(word(200, 'stop'), started(3000), interrupted(4000, 'user'), word(9000, 'stop'))).toEqual({});
  expect(seenAfter(started(100), word(700, 'stop'), interrupted(900, 'user', ''))).toEqual({});
});

it('agreeing counts once the agent went on after it', () => {
  const agreed = [started(100), interruption(500, 'backchannel'), word(600, 'huh')];
  expect(seenAfter(...agreed, heard(1900), heard(2000))).toEqual({ agree: 2000 });
  expect(seenAfter(...agreed, heard(1900), interrupted(1900, 'user'))).toEqual({});
  expect(seenAfter(...agreed, completed(2000))).toEqual({ agree: 2000 });
  expect(seenAfter(...agreed, interrupted(900, 'client'))).toEqual({});
  expect(seenAfter(interruption(50, 'backchannel'), started(100), word(200, 'huh'), completed(2000))).toEqual({});
});

it('agreeing takes a word that agrees, told before or after the decision', () => {
  const decided = interruption(1500, 'backchannel');
  expect(seenAfter(started(100), word(700, 'okay'), decided, completed(4000))).toEqual({ agree: 4000 });
  expect(seenAfter(started(100), decided, word(2400, 'yeah'), completed(4000))).toEqual({ agree: 4000 });
  expect(seenAfter(started(100), decided, completed(4000))).toEqual({});
  expect(seenAfter(started(100), decided, word(1600, 'goat'), completed(4000))).toEqual({});
  expect(seenAfter(started(100), decided, word(2600, 'yeah'), completed(4000))).toEqual({});
});

it('a reminder is one that was asked for, and fires', () => {
  const fired: Body = { type: 'reminder.fired', at: 7000, reminderId: 'r', dueMs: 7000, text: '' };
  expect(seenAfter(word(1000, 'remind'), fired)).toEqual({ remind: 7000 });
  expect(seenAfter(word(1000), fired)).toEqual({});
});

it('a translation is a word on its surface, and no other patch is', () => {
  const shown = (surfaceId: string): Body => ({ type: 'ui.patch', at: 3000, surfaceId, patch: [{ op: 'add', path: '/words', value: [] }] }); // prettier-ignore
  expect(seenAfter(shown('translation'))).toEqual({ translate: 3000 });
  expect(seenAfter(shown('chart'))).toEqual({});
});

it('what was seen first stays, and another call does not take it away', () => {
  const again: Body = {
    type: 'session.started',
    at: 0,
    sessionId: 's',
    room: 'r',
    participant: 'me',
    model: 'm',
    microTurnMs: 200,
    resumeToken: 't',
  };
  const count = [...counted(500), ...counted(900, 'two')];
  expect(seenAfter(...count, again, ...counted(1500), ...counted(1900, 'two'))).toEqual({ count: 500 });
  // The numbers of two calls make no count.
  expect(seenAfter(...counted(500), again, ...counted(900, 'two'))).toEqual({});
});
