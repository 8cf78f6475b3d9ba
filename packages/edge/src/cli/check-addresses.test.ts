import { describe, expect, it } from 'vitest';
import { ownAddresses } from '../addresses.js';
import { parseConfig, type EdgeConfigInput } from '../config.js';
import { checkAddresses } from './check-addresses.js';

const check = (input: EdgeConfigInput) => checkAddresses(parseConfig(input));
const own = ownAddresses()[0];

describe('the doctor’s look at addresses', () => {
  it.each<[string, EdgeConfigInput, 'ok' | 'warn' | 'fail', string]>([
    ['this machine only', {}, 'ok', 'this machine only'],
    [
      'media that nobody else reaches',
      { host: '0.0.0.0', media: { listenIp: '127.0.0.1' } },
      'fail',
      'only to this machine',
    ],
    ['media on an address of another machine', { media: { listenIp: '203.0.113.200' } }, 'fail', 'has not'],
    ['callers sent to themselves', { host: '0.0.0.0', media: { announcedAddress: '127.0.0.1' } }, 'fail', 'themselves'],
    ['callers sent to everywhere', { host: '0.0.0.0', media: { announcedAddress: '0.0.0.0' } }, 'fail', 'themselves'],
    [
      'a name that nobody knows',
      { host: '0.0.0.0', media: { announcedAddress: 'no-such.invalid' } },
      'fail',
      'no such name',
    ],
    [
      'a public address behind a NAT',
      { host: '0.0.0.0', media: { announcedAddress: '203.0.113.200' } },
      'ok',
      'forwarded',
    ],
    [
      'a private address of another',
      { host: '0.0.0.0', media: { announcedAddress: '10.255.254.253' } },
      'warn',
      'private',
    ],
  ])('%s', async (_, input, status, detail) => {
    expect(await check(input)).toMatchObject({ status, detail: expect.stringContaining(detail) });
  });

  it.skipIf(own === undefined)(
    'an open edge tells callers its own address, and --dev on a network is warned of',
    async () => {
      expect(await check({ host: '0.0.0.0' })).toMatchObject({
        status: 'ok',
        detail: expect.stringContaining('callers are told'),
      });
      expect(await check({ host: '0.0.0.0', dev: true })).toMatchObject({
        status: 'warn',
        detail: expect.stringContaining('--dev'),
      });
    },
  );
});
