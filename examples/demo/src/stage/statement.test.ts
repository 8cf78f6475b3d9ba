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
const connected: Situation = { status: 'connected', floor: 'silent', agent: { speaking: false }, muted: false, microphone: true };
const textOf = (situation: Partial<Situation>) =>
  stateOf({ ...connected, ...situation })
    .parts.map(([text]) => text)
    .join('');

it('says something for every floor, with the agent speaking and without', () => {
  for (const floor of floors) {
    for (const speaking of [true, false]) {
      expect(textOf({ floor, agent: { speaking } })).toMatch(/^[A-Z].*[.…]$/);
    }
  }
});

it('tells who speaks', () => {
  expect(textOf({})).toBe('It is listening.');
  expect(textOf({ floor: 'holding' })).toBe('You paused; it waits.');
  expect(textOf({ agent: { speaking: true } })).toBe('It is speaking.');
  expect(textOf({ floor: 'speaking', agent: { speaking: true } })).toBe('You are both speaking.');
});

it('does not invite to talk who cannot be heard', () => {
  expect(textOf({ muted: true })).toBe('You are muted.');
  expect(stateOf({ ...connected, muted: true, agent: { speaking: true } }).aside).not.toContain('say');
  expect(textOf({ microphone: false })).toBe('It is here.');
});

it('follows the connection before it follows the floor', () => {
  expect(textOf({ status: 'reconnecting', agent: { speaking: true } })).toBe('Reconnecting…');
  expect(textOf({ status: 'closed' })).toBe('The call has ended.');
});
