import { PROTOCOL_VERSION, limits } from '@microturn/protocol';
import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EdgeProcess } from '../support/edge-process.js';
import { claims, forge } from '../support/forge.js';
import { SocketClient } from '../support/socket-client.js';
import { TemporaryFolder } from '../support/temporary-folder.js';
import { Witness } from '../support/witness.js';

let edge: EdgeProcess;
let witness: Witness;
beforeAll(async () => {
  edge = await EdgeProcess.start();
  witness = await Witness.join(edge);
});
afterEach(() => witness.expectUndisturbed());
afterAll(async () => {
  await witness?.close();
  await edge?.stop();
});

/** Joins as the message says, and gives the refusal. */
async function refusal(message: object) {
  using client = await SocketClient.open(edge.webSocketUrl);
  client.send({ type: 'join', id: 7, protocol: PROTOCOL_VERSION, ...message });
  const closed = await client.untilClosed();
  const reply = client.messages.find((one) => one.type === 'reply');
  expect(reply).toMatchObject({ id: 7, error: closed.error });
  expect(client.events).toEqual([]);
  return { ...closed, hint: closed.error?.hint };
}

const now = () => Math.floor(Date.now() / 1000);

describe('fault 18: a token that is not good', () => {
  const otherSecret = 'x'.repeat(64);

  it.each<[name: string, token: () => string | Promise<string>]>([
    ['signed with another secret', () => forge(claims(edge.key), otherSecret)],
    ['of a key that nobody knows', () => forge(claims('nobody'), otherSecret)],
    ['of a key called like a property of every object', () => forge(claims('constructor'), otherSecret)],
    ['of a key called __proto__', () => forge(claims('__proto__'), '')],
    ['with alg: none and no signature', () => forge(claims(edge.key), undefined, { alg: 'none', typ: 'JWT' })],
    ['with alg: none and a signature', () => forge(claims(edge.key), edge.secret, { alg: 'none', typ: 'JWT' })],
    ['with an algorithm of public keys', () => forge(claims(edge.key), edge.secret, { alg: 'RS256', typ: 'JWT' })],
    ['signed with an empty secret', () => forge(claims(edge.key), '')],
    ['without its signature', async () => (await edge.token()).replace(/[^.]*$/, '')],
    [
      'with claims that were changed afterwards',
      async () => {
        const [header, , signature] = (await edge.token()).split('.');
        return `${header}.${forge(claims(edge.key, { sub: 'admin' }), undefined).split('.')[1]}.${signature}`;
      },
    ],
    ['without an issuer', () => forge(claims(edge.key, { iss: undefined }), edge.secret)],
    ['that is empty', () => ''],
    ['that is no token', () => 'let me in'],
    ['that is three dots', () => '...'],
    ['that is as long as one may be', () => 'a'.repeat(limits.tokenChars)],
    [
      'forged and expired: a forger is told nothing of its times',
      () => forge(claims(edge.key, { exp: now() - 600 }), otherSecret),
    ],
  ])('%s is denied, with a hint of how to make one', async (_, token) => {
    const { code, reason, error, hint } = await refusal({ token: await token() });
    expect(error?.code).toBe('auth/denied');
    // The same for all of them: what exactly was wrong is nobody's business.
    expect(error?.message).toBe('the token was not accepted');
    expect(hint).toContain('microturn token');
    expect({ code, reason }).toEqual({ code: 1008, reason: 'auth/denied' });
  });

  it.each<[name: string, token: () => string]>([
    ['expired', () => forge(claims(edge.key, { exp: now() - 120 }), edge.secret)],
    ['not valid yet', () => forge(claims(edge.key, { nbf: now() + 300 }), edge.secret)],
  ])('%s is told so, since a new one helps', async (_, token) => {
    const { error, hint } = await refusal({ token: token() });
    expect(error).toMatchObject({ code: 'auth/expired', retryable: true });
    expect(hint).toContain('fetch a new token');
  });

  it.each<[name: string, changes: Record<string, unknown>, named: RegExp]>([
    ['without roomJoin', { video: { room: 'test' } }, /roomJoin/],
    ['with roomJoin: false', { video: { roomJoin: false, room: 'test' } }, /roomJoin/],
    ['without a grant at all', { video: undefined }, /roomJoin/],
    ['without a room', { video: { roomJoin: true } }, /room/],
    ['without an identity', { sub: undefined }, /identity/],
  ])('%s is forbidden, naming what is missing', async (_, changes, named) => {
    const { error, hint } = await refusal({ token: forge(claims(edge.key, changes), edge.secret) });
    expect(error?.code).toBe('auth/forbidden');
    expect(error?.message).toMatch(named);
    expect(hint).toContain('grant');
  });

  it('for another room is forbidden', async () => {
    const { error } = await refusal({ token: await edge.token({ room: 'test' }), room: 'elsewhere' });
    expect(error?.code).toBe('auth/forbidden');
    expect(error?.message).toContain('another room');
  });

  it('that is too long, or no text, is malformed', async () => {
    for (const token of ['a'.repeat(limits.tokenChars + 1), 7, null, { toString: 'x' }, ['a']]) {
      const { error } = await refusal({ token });
      expect(error?.code).toBe('protocol/malformed');
      expect(error?.message).toContain('token');
    }
  });

  it('does not let anybody publish what it does not grant', async () => {
    const token = await edge.token({ grant: { roomJoin: true, room: 'test', canPublish: false } });
    using client = await SocketClient.join(edge.webSocketUrl, token);
    await expect(
      client.request({
        type: 'produce',
        transportId: client.joined.sendTransport.id,
        source: 'microphone',
        rtpParameters: { codecs: [] },
      }),
    ).rejects.toMatchObject({ code: 'auth/forbidden', message: expect.stringContaining('canPublish') as string });
  });

  it('is not missed by a good one: the same claims, signed rightly, get in', async () => {
    using client = await SocketClient.join(edge.webSocketUrl, forge(claims(edge.key), edge.secret));
    expect(client.joined).toMatchObject({ room: 'test', participant: 'caller' });
  });
});

describe('fault 18: a token that is good', () => {
  it('opens any number of calls until it expires, but none after its participant was removed', async () => {
    const token = await edge.token({ identity: 'guest' });
    (await SocketClient.join(edge.webSocketUrl, token)).leave();
    using guest = await SocketClient.join(edge.webSocketUrl, token);
    const grant = { roomJoin: true, room: 'test', roomAdmin: true };
    using chair = await SocketClient.join(edge.webSocketUrl, await edge.token({ identity: 'chair', grant }));
    await expect(guest.request({ type: 'participant.remove', participant: 'chair' })).rejects.toMatchObject({
      code: 'auth/forbidden',
    });
    await chair.request({ type: 'participant.remove', participant: 'guest' });
    expect((await guest.untilClosed(5_000)).error).toMatchObject({ code: 'session/removed', retryable: false });
    await chair.until(
      'participant.left',
      (message) => message.type === 'participant.left' && message.identity === 'guest',
    );
    expect((await refusal({ token })).error?.code).toBe('session/removed');
    // One that is minted after that, by a clock of the app's server.
    const later = forge(claims(edge.key, { sub: 'guest', nbf: now() + 60 }), edge.secret);
    using again = await SocketClient.join(edge.webSocketUrl, later);
    expect(again.joined.participant).toBe('guest');
  });

  it('opens one call where it has a jti of its own, or asks for it by an attribute, and is refused as any that is no good', async () => {
    const sub = 'ben';
    for (const asked of [{ jti: 'b1' }, { attributes: { 'mt.once': 'b2' } }]) {
      const token = forge(claims(edge.key, { sub, ...asked }), edge.secret);
      using ben = await SocketClient.join(edge.webSocketUrl, token);
      const { error } = await refusal({ token });
      expect(error).toMatchObject({ code: 'auth/denied', retryable: false });
      expect(error?.message).not.toMatch(/jti|once|used/);
      ben.drop();
      using back = await SocketClient.open(edge.webSocketUrl);
      const resume = { resumeToken: ben.joined.resumeToken, lastSeq: ben.lastSeq };
      expect(await back.join(token, resume)).toMatchObject({ resumed: true });
      back.leave();
    }
    // As some of LiveKit's SDKs write it.
    const token = forge(claims(edge.key, { sub, jti: sub }), edge.secret);
    for (let i = 0; i < 2; i++) (await SocketClient.join(edge.webSocketUrl, token)).leave();
    const { error } = await refusal({ token: forge(claims(edge.key, { sub, jti: 7 }), edge.secret) });
    expect(error?.code).toBe('auth/forbidden');
  });

  it('is good no more once its key is taken out of the configuration: its calls end, and others notice nothing', async () => {
    await using folder = await TemporaryFolder.create();
    const file = folder.file('edge.yaml');
    const keys = { old: 'o'.repeat(40), new: 'n'.repeat(40) };
    await writeFile(file, JSON.stringify({ keys }));
    await using other = await EdgeProcess.start({ args: ['--config', file], env: { MICROTURN_KEYS: '' }, dev: false });
    const tokenOf = (key: keyof typeof keys, sub: string) => forge(claims(key, { sub }), keys[key]);
    using ann = await SocketClient.join(other.webSocketUrl, tokenOf('old', 'ann'));
    using away = await SocketClient.join(other.webSocketUrl, tokenOf('old', 'away'));
    using bob = await SocketClient.join(other.webSocketUrl, tokenOf('new', 'bob'));
    away.drop();
    await writeFile(file, JSON.stringify({ keys: { new: keys.new } }));
    process.kill(other.pid, 'SIGHUP');
    const { error } = await ann.untilClosed(5_000);
    expect(error).toMatchObject({ code: 'auth/revoked', retryable: false });
    expect(ann.goodbye?.resumable).toBe(false);
    for (const client of [ann, away]) {
      const back = await SocketClient.open(other.webSocketUrl);
      const resume = { resumeToken: client.joined.resumeToken, lastSeq: client.lastSeq };
      await expect(back.join(tokenOf('old', client.joined.participant), resume)).rejects.toMatchObject({
        code: 'auth/denied',
      });
      const withNewKey = await SocketClient.open(other.webSocketUrl);
      await expect(withNewKey.join(tokenOf('new', client.joined.participant), resume)).rejects.toMatchObject({
        code: 'session/expired',
      });
    }
    await bob.request({ type: 'ping' });
    expect((await other.metrics()).get('microturn_sessions')).toBe(1);
  });
});

it('the witness was not disturbed by any of it', () => witness.expectToHear('Everything is fine here.'));
