import type { Floor } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { decode, freshDecoder, playFed } from './decode.js';
import { floorHead, floors, manifest } from './fixtures/decoder-heads.js';

describe('decode: floor', () => {
  const floorOf = (shares: Partial<Record<Floor, number>>, m = manifest()) =>
    decode(m, freshDecoder, { floor: floorHead(shares) }, { index: 0, play: 0 }).decoded;

  it('takes the likeliest floor', () => {
    expect(floorOf({ speaking: 0.6, holding: 0.4 })).toMatchObject({
      floor: 'speaking',
      confidence: expect.closeTo(0.6),
    });
  });

  it('takes the next one that may be taken, where the likeliest is not likely enough', () => {
    expect(floorOf({ yielded: 0.5, 'barge-in': 0.3, holding: 0.15, silent: 0.05 })).toMatchObject({
      floor: 'holding',
      confidence: expect.closeTo(0.15),
    });
    expect(floorOf({ yielded: 0.95, holding: 0.05 }).floor).toBe('yielded');
  });

  it('takes the likeliest where none is likely enough', () => {
    const strict = manifest({ 'decoding/floor/thresholds': Object.fromEntries(floors.map((f) => [f, 0.99])) });
    expect(floorOf({ yielded: 0.5, holding: 0.4 }, strict).floor).toBe('yielded');
  });

  it('reads logits as it reads shares', () => {
    const logits = manifest({ 'outputs/floor/values': 'logits' });
    const head = floorHead({ speaking: 5, silent: 1 });
    const { decoded } = decode(logits, freshDecoder, { floor: head }, { index: 0, play: 0 });
    const sum = Math.exp(5) + Math.exp(1) + 3;
    expect(decoded).toMatchObject({ floor: 'speaking', confidence: expect.closeTo(Math.exp(5) / sum) });
    expect(head[1]).toBe(5);
  });

  it('is silent where the bundle has no floor', () => {
    expect(decode(manifest(), freshDecoder, {}, { index: 0, play: 0 }).decoded).toEqual({
      words: [],
      floor: 'silent',
      confidence: 0,
      say: '',
      acts: [],
    });
  });
});

describe('playFed', () => {
  const m = manifest();
  /** What the graph is told in each micro-turn, and what it then decides: `[audible, floor]`. */
  function told(...turns: [number, Floor][]): number[] {
    let state = freshDecoder;
    return turns.map(([play, floor], index) => {
      const fed = playFed(m, state, play);
      state = decode(m, state, { floor: floorHead({ [floor]: 1 }) }, { index, play }).state;
      return fed;
    });
  }

  it('tells of an agent that speaks into silence, or after the user has yielded', () => {
    expect(told([0, 'silent'], [1, 'silent'], [1, 'barge-in'])).toEqual([0, 1, 1]);
    expect(told([0, 'speaking'], [0, 'yielded'], [1, 'yielded'], [1, 'silent'])).toEqual([0, 0, 1, 1]);
  });

  it('does not tell of one that comes in on a user who has the floor, nor when the user pauses', () => {
    expect(
      told([0, 'speaking'], [1, 'speaking'], [1, 'holding'], [1, 'silent'], [1, 'silent'], [1, 'speaking']),
    ).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('tells of it once the user has been quiet for long enough', () => {
    expect(told([0, 'speaking'], [1, 'silent'], [1, 'silent'], [1, 'silent'], [1, 'barge-in'])).toEqual([
      0, 0, 0, 0, 1,
    ]);
  });

  it('takes a user who speaks in a gap of the agent for one who interrupts', () => {
    expect(told([1, 'silent'], [0, 'silent'], [0, 'speaking'], [1, 'barge-in'])).toEqual([1, 0, 0, 1]);
  });

  it('gives the floor back to the user once the agent has been quiet for long enough', () => {
    expect(told([1, 'silent'], [0, 'silent'], [0, 'silent'], [0, 'speaking'], [1, 'speaking'])).toEqual([
      1, 0, 0, 0, 0,
    ]);
  });

  it('tells all to a graph that knows `play` as audible', () => {
    const honest = manifest({ 'inputs/play/ownTurns': undefined });
    const state = { ...freshDecoder, holder: 'user' as const };
    expect(playFed(honest, state, 1)).toBe(1);
  });
});
