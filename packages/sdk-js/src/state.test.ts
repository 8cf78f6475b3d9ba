import { describe, expect, it } from 'vitest';
import { StateSource } from './state.js';

describe('StateSource', () => {
  it('gives the value at once, and to a subscriber before anything else', () => {
    const state = new StateSource(1);
    const seen: number[] = [];
    state.subscribe((value) => seen.push(value));
    state.set(2);
    expect(state.value).toBe(2);
    expect(seen).toEqual([1, 2]);
  });

  it('is silent about a value that is the same', () => {
    const state = new StateSource(Number.NaN);
    const seen: number[] = [];
    state.subscribe((value) => seen.push(value));
    state.set(Number.NaN);
    expect(seen).toHaveLength(1);
  });

  it('lets a subscriber leave while it is told', () => {
    const state = new StateSource(0);
    const seen: number[] = [];
    const first = state.subscribe((value) => {
      if (value === 1) first.unsubscribe();
    });
    state.subscribe((value) => seen.push(value));
    state.set(1);
    state.set(2);
    expect(seen).toEqual([0, 1, 2]);
  });

  it('tells everybody the last value, once, where a subscriber sets again', () => {
    const state = new StateSource(0);
    const seen: number[] = [];
    state.subscribe((value) => {
      if (value === 1) state.set(2);
    });
    state.subscribe((value) => seen.push(value));
    state.set(1);
    expect(seen).toEqual([0, 2]);
  });

  it('tells a subscriber what it changed the value to when it was told the first', () => {
    const state = new StateSource(0);
    const seen: number[] = [];
    state.subscribe((value) => {
      seen.push(value);
      if (value === 0) state.set(1);
    });
    expect(seen).toEqual([0, 1]);
    const first: number[] = [];
    const leaving = state.subscribe((value) => first.push(value));
    leaving.unsubscribe();
    state.set(2);
    expect([first, seen]).toEqual([[1], [0, 1, 2]]);
  });

  it('completes when closed, twice without harm, and stays readable', () => {
    const state = new StateSource('a');
    let completed = 0;
    const subscription = state.subscribe({ complete: () => completed++ });
    state.close();
    state.close();
    state.set('b');
    expect([completed, state.value, subscription.closed]).toEqual([1, 'a', true]);
    const late: string[] = [];
    state.subscribe({ next: (value) => late.push(value), complete: () => late.push('end') });
    expect(late).toEqual(['a', 'end']);
  });
});
