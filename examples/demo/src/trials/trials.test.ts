import type { SessionEvent } from '@microturn/sdk';
import { expect, it } from 'vitest';
import { noTrials, watchTrials } from './trials.js';

type Body<E = SessionEvent> = E extends SessionEvent ? Omit<E, 'seq' | 'turn'> : never;

function seenAfter(...events: Body[]) {
  const stamped = events.map((event, index) => ({ ...event, seq: index + 1, turn: 0 }) as SessionEvent);
  return stamped.reduce(watchTrials, { ...noTrials, me: 'me' }).seen;
}

const word = (endMs: number): Body => ({
  type: 'transcript.word',
  at: endMs,
  participant: 'me',
  text: 'cat',
  endMs,
  confidence: 1,
  final: true,
});
const interruption = (at: number, kind: 'barge-in' | 'backchannel' | 'interjection'): Body => ({
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
const interrupted = (at: number, by: 'user' | 'client'): Body => ({
  type: 'response.interrupted',
  at,
  responseId: 'a',
  by,
  heardMs: 100,
  heardText: '',
  unheardText: 'x',
});
const counted = (at: number): Body[] => [
  { type: 'response.started', at, responseId: `n${at}`, kind: 'interjection', audience: 'room' },
  { type: 'response.completed', at: at + 300, responseId: `n${at}`, heardMs: 300 },
];

it('counting is an interjection', () => {
  expect(seenAfter(interruption(500, 'interjection'))).toEqual({ count: 500 });
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
  expect(seenAfter(started(100), interrupted(900, 'user'))).toEqual({ stop: 900 });
  expect(seenAfter(started(100), interrupted(900, 'client'))).toEqual({});
});

it('agreeing counts once the agent went on after it', () => {
  expect(seenAfter(started(100), interruption(500, 'backchannel'), heard(1900), heard(2000))).toEqual({ agree: 2000 });
  expect(seenAfter(started(100), interruption(500, 'backchannel'), heard(1900), interrupted(1900, 'user'))).toEqual({
    stop: 1900,
  });
  expect(seenAfter(started(100), interruption(500, 'backchannel'), completed(2000))).toEqual({ agree: 2000 });
  expect(seenAfter(started(100), interruption(500, 'backchannel'), interrupted(900, 'client'))).toEqual({});
  expect(seenAfter(interruption(50, 'backchannel'), started(100), completed(2000))).toEqual({});
});

it('a reminder is one that fires', () => {
  expect(seenAfter({ type: 'reminder.fired', at: 7000, reminderId: 'r', dueMs: 7000, text: '' })).toEqual({
    remind: 7000,
  });
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
  expect(seenAfter(interruption(500, 'interjection'), again, interruption(900, 'interjection'))).toEqual({
    count: 500,
  });
});
