import { createSocket } from 'node:dgram';
import { createHash, createHmac } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../config.js';
import { checkIceServers } from './check-ice-servers.js';
import { probeIceServer } from './turn-probe.js';

const REALM = 'kitchen.example';
const USER = { username: 'ann', credential: 'secret word' };
const closers: (() => unknown)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

/** A response with these attributes. */
function response(type: number, request: Buffer, attributes: [type: number, value: Buffer][]): Buffer {
  const body = Buffer.concat(
    attributes.map(([kind, value]) => {
      const head = Buffer.alloc(4);
      head.writeUInt16BE(kind, 0);
      head.writeUInt16BE(value.length, 2);
      return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
    }),
  );
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(body.length, 2);
  return Buffer.concat([head, request.subarray(4, 20), body]);
}

/** As a TURN server does it: a challenge first, then the signature is checked (RFC 8489, section 14.5). */
function answer(request: Buffer): Buffer {
  const method = request.readUInt16BE(0);
  if (method === 0x0001) return response(0x0101, request, []);
  const signatureAt = request.length - 24;
  if (request.readUInt16BE(signatureAt) !== 0x0008) {
    const error = Buffer.concat([Buffer.of(0, 0, 4, 1), Buffer.from('Unauthorized')]);
    return response(0x0113, request, [
      [0x0009, error],
      [0x0014, Buffer.from(REALM)],
      [0x0015, Buffer.from('nonce')],
    ]);
  }
  const key = createHash('md5').update(`${USER.username}:${REALM}:${USER.credential}`).digest();
  const signature = createHmac('sha1', key).update(request.subarray(0, signatureAt)).digest();
  if (!signature.equals(request.subarray(signatureAt + 4))) {
    const error = Buffer.concat([Buffer.of(0, 0, 4, 1), Buffer.from('Unauthorized')]);
    return response(0x0113, request, [[0x0009, error]]);
  }
  // 192.0.2.15:32853, mixed with the cookie.
  const relayed = Buffer.of(0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x4d);
  return response(0x0103, request, [[0x0016, relayed]]);
}

async function udpServer(reply: (request: Buffer) => Buffer | undefined = answer): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (request, { port, address }) => {
    const bytes = reply(request);
    if (bytes) socket.send(bytes, port, address);
  });
  await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
  closers.push(() => socket.close());
  return socket.address().port;
}

describe('asking a TURN server', () => {
  it('finds that it relays, with a login that it can check', async () => {
    const port = await udpServer();
    expect(await probeIceServer(`turn:127.0.0.1:${port}`, USER)).toBe('relays, from 192.0.2.15');
    expect(await probeIceServer(`stun:127.0.0.1:${port}`)).toBe('answers');
  });

  it('goes over TCP as well, in whatever pieces the answer comes', async () => {
    const server = createServer((socket) => {
      socket.on('data', (request) => {
        const bytes = answer(request);
        socket.write(bytes.subarray(0, 7));
        setTimeout(() => socket.write(bytes.subarray(7)), 5);
      });
      socket.on('error', () => undefined);
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    closers.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    expect(await probeIceServer(`turn:127.0.0.1:${port}?transport=tcp`, USER)).toContain('relays');
  });

  it('says what is wrong: the secret, the server, the network, or all that it answers', async () => {
    const port = await udpServer();
    const wrong = probeIceServer(`turn:127.0.0.1:${port}`, { ...USER, credential: 'guess' });
    await expect(wrong).rejects.toThrow('does not take the credentials');
    await expect(probeIceServer(`turn:127.0.0.1:${port}`)).rejects.toThrow('no credentials');
    const garbage = await udpServer((request) => Buffer.concat([Buffer.of(0xff, 0xff), request.subarray(0, 9)]));
    await expect(probeIceServer(`turn:127.0.0.1:${garbage}`, USER)).rejects.toThrow('does not answer');
    await expect(probeIceServer('turn:127.0.0.1:1?transport=tcp', USER)).rejects.toThrow('ECONNREFUSED');
    await expect(probeIceServer('turn:no-such.invalid', USER)).rejects.toThrow('no address is known');
  });
});

describe('the doctor’s look at ICE servers', () => {
  it('names each and what it does, and fails where one does not', async () => {
    const port = await udpServer();
    const url = `turn:127.0.0.1:${port}`;
    const check = (...iceServers: object[]) =>
      checkIceServers(parseConfig({ media: { iceServers: iceServers as never } }));
    expect(await check()).toMatchObject({ status: 'ok', detail: expect.stringContaining('none') });
    expect(await check({ urls: url, ...USER })).toEqual({ status: 'ok', detail: `${url} relays, from 192.0.2.15` });
    expect(await check({ urls: url, ...USER }, { urls: url, secret: 'north' })).toMatchObject({
      status: 'fail',
      detail: expect.stringContaining('does not take'),
    });
  });
});
