import type { Floor } from '@microturn/sdk';
import { expect, it } from 'vitest';
import { stateOf, type Situation } from './statement.js';

const floors: readonly Floor[] = [
  'silent',
  'speaking',
  'holding',
  'correcting',
  'yielded',
  'barge-in',
  'backchannel',
  'elsewhere',
];
const connected: Situation = { status: 'connected', ended: false, floor: 'silent', agentSpeaks: false, caller: 'live' };
const textOf = (situation: Partial<Situation>) =>
  stateOf({ ...connected, ...situation })
    .parts.map(([text]) => text)
    .join('');

it('says something for every floor, with the agent speaking and without', () => {
  for (const floor of floors) {
    for (const agentSpeaks of [true, false]) expect(textOf({ floor, agentSpeaks })).toMatch(/^[A-Z].*[.…]$/);
  }
});

it('tells who speaks', () => {
  expect(textOf({})).toBe('It is listening.');
  expect(textOf({ floor: 'holding' })).toBe('You paused; it waits.');
  expect(textOf({ agentSpeaks: true })).toBe('It is speaking.');
  expect(textOf({ floor: 'speaking', agentSpeaks: true })).toBe('You are both speaking.');
});

it('invites nobody to talk who cannot be heard', () => {
  expect(textOf({ caller: 'muted' })).toBe('You are muted.');
  expect(textOf({ caller: 'silenced' })).toBe('Your microphone is silenced.');
  expect(textOf({ caller: 'absent' })).toBe('It is here.');
  for (const caller of ['muted', 'silenced', 'absent', 'recorded'] as const) {
    for (const agentSpeaks of [true, false]) {
      expect(stateOf({ ...connected, caller, agentSpeaks }).aside).not.toMatch(/\bsay (“|something:)/i);
    }
  }
});

it('follows the connection before it follows the floor', () => {
  expect(textOf({ status: 'reconnecting', agentSpeaks: true })).toBe('Reconnecting…');
  expect(textOf({ status: 'idle' })).toBe('It listens while it speaks.');
  expect(textOf({ status: 'idle', ended: true })).toBe('The call has ended.');
  expect(textOf({ status: 'idle', ended: true, caller: 'recorded' })).toBe('The recording has ended.');
});
