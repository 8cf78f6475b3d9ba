import { expect, it } from 'vitest';
import { askedIn, quietRoom } from './quiet-room.js';
import { SAMPLES_PER_TURN } from './test-sets.js';

const decision = { lease: 0, words: [], floor: 'silent', confidence: 1, say: '', stepMs: 0, lagMs: 0 } as const;

it('is as long as it is said to be, with what is typed in its place', () => {
  const room = quietRoom(3, { 1: 'stop' });
  expect([room.mic.length, room.play.length, room.typed]).toEqual([3 * SAMPLES_PER_TURN, 3, ['', 'stop', '']]);
  expect(Math.max(...room.mic.map(Math.abs))).toBeLessThan(10);
});

it('has the noise that it is given, there and back again', () => {
  const { mic } = quietRoom(1, {}, Int16Array.of(1, 2, 3));
  expect([...mic.subarray(0, 8)]).toEqual([1, 2, 3, 3, 2, 1, 1, 2]);
});

it('asks somebody else about what nothing is done about', () => {
  const room = quietRoom(20, { 2: 'stop', 10: 'why is the sky blue' });
  const decisions = Array.from({ length: 20 }, (_, index) => ({
    ...decision,
    index,
    acts: index === 3 ? (['stop'] as const) : [],
  }));
  expect(askedIn(room, decisions, 8)).toEqual(['why is the sky blue']);
});
