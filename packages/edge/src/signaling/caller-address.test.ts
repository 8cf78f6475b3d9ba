import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { callerAddress, trustedProxies } from './caller-address.js';

function request(remoteAddress: string, forwarded?: string): IncomingMessage {
  return {
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  } as IncomingMessage;
}

describe('the address of a caller', () => {
  it('is that of the socket, whatever the caller says, where no proxy is trusted', () => {
    const nobody = trustedProxies([]);
    expect(callerAddress(request('203.0.113.5', '198.51.100.1'), nobody)).toBe('203.0.113.5');
    expect(callerAddress(request('127.0.0.1', '198.51.100.1'), nobody)).toBe('127.0.0.1');
  });

  const proxies = trustedProxies(['127.0.0.1', '10.0.0.0/8', '2001:db8::/32']);
  it.each([
    ['what the proxy says', '127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['what the first of several proxies says', '127.0.0.1', '198.51.100.1, 10.1.2.3', '198.51.100.1'],
    ['of a proxy with an address of IPv4 in IPv6', '::ffff:127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['IPv6', '2001:db8::7', '2001:4860::1', '2001:4860::1'],
    ['without the port that some proxies add', '127.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
    ['without the port, IPv6', '127.0.0.1', '[2001:4860::1]:4711', '2001:4860::1'],
    ['not what the caller wrote before the proxy did', '127.0.0.1', '192.0.2.66, 198.51.100.1', '198.51.100.1'],
    [
      'not what the caller wrote to look like a proxy',
      '127.0.0.1',
      '192.0.2.66, 10.0.0.1, 198.51.100.1',
      '198.51.100.1',
    ],
    ['the socket’s, of who comes past the proxy', '203.0.113.5', '198.51.100.1', '203.0.113.5'],
    ['the socket’s, of a proxy that says nothing', '127.0.0.1', undefined, '127.0.0.1'],
    ['the socket’s, of a proxy that says no address', '127.0.0.1', 'unknown', '127.0.0.1'],
  ])('is %s', (_, remote, forwarded, address) => {
    expect(callerAddress(request(remote, forwarded), proxies)).toBe(address);
  });
});
