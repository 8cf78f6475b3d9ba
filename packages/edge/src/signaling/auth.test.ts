import { MicroturnError } from '@microturn/protocol';
import { AccessToken, TrackSource } from 'livekit-server-sdk';
import { describe, expect, it, vi } from 'vitest';
import { mintJoinToken, verifyJoinToken, verifyServerToken } from './auth.js';

const secret = 's'.repeat(32);
const keys = { key: secret, other: 'o'.repeat(32) };
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

async function refused(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'accepted',
    (error: unknown) => (error instanceof MicroturnError ? error.code : `uncoded ${String(error)}`),
  );
}
function token(
  grant: Parameters<AccessToken['addGrant']>[0],
  { key = 'key', sign = secret, ttl = 60 as number | string } = {},
): Promise<string> {
  const made = new AccessToken(key, sign, { identity: 'ann', ttl });
  made.addGrant(grant);
  return made.toJwt();
}

describe('a join token', () => {
  it('lets in whom it names, to the room it names', async () => {
    const grant = await verifyJoinToken(await mintJoinToken(keys, { identity: 'ann', room: 'den' }), keys, 'den');
    expect(grant).toMatchObject({ identity: 'ann', room: 'den', canSubscribe: true });
    expect(grant.canPublish('microphone')).toBe(true);
  });

  it('may be signed by any live key', async () => {
    const jwt = await token({ roomJoin: true, room: 'den' }, { key: 'other', sign: keys.other });
    expect((await verifyJoinToken(jwt, keys)).room).toBe('den');
  });

  it('limits what may be published', async () => {
    const grant = await verifyJoinToken(
      await token({ roomJoin: true, room: 'den', canPublishSources: [TrackSource.MICROPHONE] }),
      keys,
    );
    expect(grant.canPublish('microphone')).toBe(true);
    expect(grant.canPublish('camera')).toBe(false);
    const mute = await verifyJoinToken(await token({ roomJoin: true, room: 'den', canPublish: false }), keys);
    expect(mute.canPublish('microphone')).toBe(false);
    expect(mute.canPublishData).toBe(true);
    const listener = await token({ roomJoin: true, room: 'den', canPublish: false, canPublishData: false });
    expect((await verifyJoinToken(listener, keys)).canPublishData).toBe(false);
  });

  it('is refused with one generic error where it cannot be verified', async () => {
    const good = await token({ roomJoin: true, room: 'den' });
    const [head, body, signature] = good.split('.') as [string, string, string];
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
    const forged = [
      '',
      'x',
      'a.b.c',
      '..',
      `${head}.${body}.`,
      `${head}.${encode({ ...claims, video: { roomJoin: true, room: 'safe' } })}.${signature}`,
      `${encode({ alg: 'none', typ: 'JWT' })}.${body}.`,
      `${encode({ alg: 'none', typ: 'JWT' })}.${body}.${signature}`,
      `${encode({ alg: 'RS256', typ: 'JWT' })}.${body}.${signature}`,
      await token({ roomJoin: true, room: 'den' }, { sign: 'w'.repeat(32) }),
      await token({ roomJoin: true, room: 'den' }, { key: 'unknown' }),
      await token({ roomJoin: true, room: 'den' }, { key: 'constructor' }),
    ];
    for (const each of forged) expect(await refused(verifyJoinToken(each, keys)), each).toBe('auth/denied');
  });

  it('says so where it has expired', async () => {
    expect(await refused(verifyJoinToken(await token({ roomJoin: true, room: 'den' }, { ttl: '-2m' }), keys))).toBe(
      'auth/expired',
    );
  });

  it('fault 34, the wall clock is off: by less than a minute it is good, by an hour it is not', async () => {
    const minted = await token({ roomJoin: true, room: 'den' }, { ttl: '5m' });
    const mintedAt = Date.now();
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const at = (ms: number) => {
        vi.setSystemTime(mintedAt + ms);
        return verifyJoinToken(minted, keys).then(
          () => 'good',
          (error: MicroturnError) => error.code,
        );
      };
      expect([await at(-50_000), await at(0), await at(300_000 + 50_000)]).toEqual(['good', 'good', 'good']);
      expect([await at(-3_600_000), await at(3_600_000)]).toEqual(['auth/expired', 'auth/expired']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('says which grant is missing', async () => {
    expect(await refused(verifyJoinToken(await token({ room: 'den' }), keys))).toBe('auth/forbidden');
    expect(await refused(verifyJoinToken(await token({ roomJoin: true }), keys))).toBe('auth/forbidden');
    expect(await refused(verifyJoinToken(await token({ roomJoin: true, room: 'den' }), keys, 'attic'))).toBe(
      'auth/forbidden',
    );
  });
});

describe('an admin token', () => {
  it('is for its room alone', async () => {
    const jwt = await token({ roomAdmin: true, room: 'den' });
    await verifyServerToken(jwt, keys, { roomAdmin: 'den' });
    expect(await refused(verifyServerToken(jwt, keys, { roomAdmin: 'attic' }))).toBe('auth/forbidden');
    expect(
      await refused(verifyServerToken(await token({ roomJoin: true, room: 'den' }), keys, { roomAdmin: 'den' })),
    ).toBe('auth/forbidden');
  });
});
