import { expect, it } from 'vitest';
import { KeyRing } from './key-ring.js';

it('tells which keys are not good any more: those that are gone, and those with another secret', () => {
  const ring = new KeyRing({ a: '1', b: '2', c: '3' });
  expect(ring.replace({ a: '1', b: 'two', d: '4' })).toEqual(new Set(['b', 'c']));
  expect(ring.current).toEqual({ a: '1', b: 'two', d: '4' });
  expect(ring.replace({ a: '1', b: 'two', d: '4' })).toEqual(new Set());
});

it('takes a key called like a property of every object for one that can be gone', () => {
  expect(new KeyRing({ constructor: '1' } as never).replace({})).toEqual(new Set(['constructor']));
});
