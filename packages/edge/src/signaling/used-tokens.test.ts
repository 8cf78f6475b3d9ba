import { expect, it } from 'vitest';
import { UsedTokens } from './used-tokens.js';

const NOW_SECONDS = 1_700_000_000;
const token = { key: 'app', onceAs: 'a1', expiresAt: NOW_SECONDS + 60 };
const denied = expect.objectContaining({ code: 'auth/denied' }) as Error;
const full = expect.objectContaining({ code: 'edge/full' }) as Error;

it('lets one in once, and again only where it is given back', () => {
  const used = new UsedTokens(() => NOW_SECONDS * 1000);
  const giveBack = used.use(token);
  expect(() => used.use(token)).toThrow(denied);
  giveBack();
  used.use(token);
  expect(() => used.use(token)).toThrow(denied);
});

it('tells ids of different keys apart, and lets in any number of times who says nothing of it', () => {
  const used = new UsedTokens(() => NOW_SECONDS * 1000);
  used.use(token);
  used.use({ ...token, key: 'other' });
  for (let i = 0; i < 3; i++) used.use({ ...token, onceAs: undefined });
});

it('forgets none that could still be used: where there is no room, it refuses until some have expired', () => {
  let nowSeconds = NOW_SECONDS;
  const used = new UsedTokens(() => nowSeconds * 1000, 2);
  used.use(token);
  used.use({ ...token, onceAs: 'a2', expiresAt: NOW_SECONDS + 3600 });
  nowSeconds += 360;
  expect(() => used.use({ ...token, onceAs: 'a3' })).toThrow(full);
  nowSeconds += 1;
  used.use({ ...token, onceAs: 'a3' });
  expect(() => used.use({ ...token, onceAs: 'a2' })).toThrow(denied);
});

it('forgets those that have expired within a minute, whether or not others come', () => {
  let nowSeconds = NOW_SECONDS;
  const used = new UsedTokens(() => nowSeconds * 1000);
  used.use(token);
  used.use({ ...token, onceAs: 'a2', expiresAt: NOW_SECONDS + 3600 });
  nowSeconds += 360;
  used.forgetExpired();
  expect(used.size).toBe(2);
  nowSeconds += 60;
  used.forgetExpired();
  expect(used.size).toBe(1);
  expect(() => used.use({ ...token, onceAs: 'a2' })).toThrow(denied);
  nowSeconds += 3600;
  used.use({ ...token, onceAs: 'a3', expiresAt: nowSeconds + 60 });
  expect(used.size).toBe(1);
});
