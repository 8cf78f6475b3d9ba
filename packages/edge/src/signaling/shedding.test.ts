import { describe, expect, it } from 'vitest';
import { callsToShed } from './shedding.js';

const call = (name: string, engine: number, engineLateInARow: number) => ({
  name,
  session: { engine, engineLateInARow },
});
const shed = (...calls: ReturnType<typeof call>[]) => callsToShed(calls).map(({ name }) => name);

describe('fault 24, an engine thread that stays behind', () => {
  it('loses its newest call, so that the others are in time again', () => {
    expect(shed(call('first', 0, 25), call('second', 0, 30), call('third', 0, 4))).toEqual(['third']);
  });

  it('loses none for a moment of lateness, nor for a newcomer who alone is late', () => {
    expect(shed(call('first', 0, 24), call('second', 0, 24))).toEqual([]);
    expect(shed(call('first', 0, 0), call('second', 0, 40))).toEqual([]);
  });

  it('keeps its last call, and costs no call of another thread', () => {
    expect(shed(call('a', 0, 90), call('b', 1, 0), call('c', 1, 0))).toEqual([]);
    expect(shed(call('a', 0, 90), call('b', 1, 0), call('c', 0, 90), call('d', 1, 0))).toEqual(['c']);
  });
});
