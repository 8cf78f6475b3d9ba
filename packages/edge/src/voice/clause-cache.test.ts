import { describe, expect, it } from 'vitest';
import { ClauseCache } from './clause-cache.js';

const clause = (text: string, samples: number) => ({
  text,
  pcm: new Float32Array(samples),
  rateHz: 16_000,
  words: [],
  pauseMs: 0,
});

describe('ClauseCache', () => {
  it('stays within its bytes, and lets the one go that was not asked for longest', () => {
    const cache = new ClauseCache(32_000);
    for (let i = 0; i < 32; i++) cache.set(`${i}`, clause(`${i}`, 250));
    expect(cache.bytes).toBe(32_000);
    cache.get('0');
    cache.set('new', clause('new', 250));
    expect(cache.bytes).toBe(32_000);
    expect(cache.get('1')).toBeUndefined();
    expect(cache.get('0')?.text).toBe('0');
  });

  it('keeps nothing that would push out many others', () => {
    const cache = new ClauseCache(32_000);
    cache.set('long', clause('long', 251));
    expect(cache.get('long')).toBeUndefined();
    expect(cache.bytes).toBe(0);
  });

  it('counts a clause that is set again once', () => {
    const cache = new ClauseCache(32_000);
    cache.set('a', clause('a', 100));
    cache.set('a', clause('a', 200));
    expect(cache.bytes).toBe(800);
  });
});
