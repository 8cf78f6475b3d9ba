import { MicroturnError } from '@microturn/sdk';
import { describe, expect, it } from 'vitest';
import { canListen, titleOf } from './failure.js';

describe('what a call that failed is headed with', () => {
  it('is not that nobody answers where an edge gives no tokens, and what to do names the flag', () => {
    const { code, hint } = new MicroturnError('auth/no-endpoint', '/dev/token answered 404');
    expect(titleOf(code)).toBe('This edge gives no tokens.');
    expect(titleOf(code)).not.toBe(titleOf('net/unreachable'));
    expect(hint).toContain('`--dev`');
    expect(canListen(code)).toBe(false);
  });
});
