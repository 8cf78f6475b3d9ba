import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { inUrl, isLoopback, isPrivate, isWildcard, outsideAddress, ownAddresses } from './addresses.js';

describe('addresses', () => {
  it.each([
    ['127.0.0.1', { loopback: true, wildcard: false, private: false }],
    ['::1', { loopback: true, wildcard: false, private: false }],
    ['localhost', { loopback: true, wildcard: false, private: false }],
    ['0.0.0.0', { loopback: false, wildcard: true, private: false }],
    ['::', { loopback: false, wildcard: true, private: false }],
    ['10.1.2.3', { loopback: false, wildcard: false, private: true }],
    ['172.15.0.1', { loopback: false, wildcard: false, private: false }],
    ['172.16.0.1', { loopback: false, wildcard: false, private: true }],
    ['172.32.0.1', { loopback: false, wildcard: false, private: false }],
    ['192.168.178.20', { loopback: false, wildcard: false, private: true }],
    ['fd00::2', { loopback: false, wildcard: false, private: true }],
    ['203.0.113.7', { loopback: false, wildcard: false, private: false }],
    ['2001:db8::7', { loopback: false, wildcard: false, private: false }],
  ])('%s is told apart', (address, expected) => {
    expect({ loopback: isLoopback(address), wildcard: isWildcard(address), private: isPrivate(address) }).toEqual(
      expected,
    );
  });

  it('stand in a URL as they must', () => {
    expect([inUrl('192.0.2.1'), inUrl('2001:db8::7')]).toEqual(['192.0.2.1', '[2001:db8::7]']);
  });

  it('the one that others reach is this machine’s, and not loopback', async () => {
    const outside = await outsideAddress();
    const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses?.map(({ address }) => address));
    if (ownAddresses().length === 0) expect(outside).toBeUndefined();
    else {
      expect(all).toContain(outside);
      expect(isLoopback(outside!)).toBe(false);
    }
  });
});
