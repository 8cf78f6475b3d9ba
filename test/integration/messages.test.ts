import { MicroturnError, PROTOCOL_VERSION, limits } from '@microturn/protocol';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { EdgeProcess } from '../support/edge-process.js';
import { SeededRandom } from '../support/random.js';
import { SocketClient } from '../support/socket-client.js';
import { Witness } from '../support/witness.js';

let edge: EdgeProcess;
let witness: Witness;
beforeAll(async () => {
  // Who is cut off may come back: here, not for long.
  edge = await EdgeProcess.start({ args: ['--resume-seconds', '1'] });
  witness = await Witness.join(edge);
});
afterEach(() => witness.expectUndisturbed());
afterAll(async () => {
  await witness?.close();
  await edge?.stop();
});

/** Those of the test before may not have stepped yet, and on a busy machine nobody comes on top of them: whoever is told so asks again. */
async function join(tries = 25): Promise<SocketClient> {
  try {
    return await SocketClient.join(edge.webSocketUrl, await edge.token());
  } catch (error) {
    if (!(error instanceof MicroturnError && error.code === 'edge/full') || tries === 0) throw error;
    await sleep(200);
    return join(tries - 1);
  }
}

/** Below the frames that ws would send. */
const rawSocketOf = (client: SocketClient) => (client.socket as unknown as { _socket: Socket })._socket;

/** What the edge says to a message that has no id to answer to. */
const nextError = (client: SocketClient) =>
  client.until('error event', (message) => message.type === 'error' && message);

/** `{"type":"ping","id":…}`, with so much in a field that nobody reads that it is `bytes` long. */
function pingOf(bytes: number, id: number): string {
  const empty = JSON.stringify({ type: 'ping', id, pad: '' });
  return JSON.stringify({ type: 'ping', id, pad: 'x'.repeat(bytes - empty.length) });
}

/** The same, `levels` deep. */
const nestedPing = (levels: number, id: number) =>
  `{"type":"ping","id":${id},"pad":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;

const reply = (client: SocketClient, id: number) =>
  client.until('reply', (message) => message.type === 'reply' && message.id === id && message);

describe('fault 17, a message before the join', () => {
  it('is refused and ends the socket, with a hint of the order', async () => {
    for (const message of [
      { type: 'ping', id: 1 },
      { type: 'say', id: 1, text: 'hello' },
      { type: 'produce', id: 1, transportId: 'x', source: 'microphone', rtpParameters: { codecs: [] } },
    ]) {
      using client = await SocketClient.open(edge.webSocketUrl);
      client.send(message);
      expect((await reply(client, 1)).error).toMatchObject({
        code: 'protocol/state',
        message: expect.stringContaining('join') as string,
      });
      const { code, error } = await client.untilClosed();
      expect(code).toBe(1008);
      expect(error?.hint).toContain('order of messages');
    }
  });

  it.each([
    ['no JSON', 'hello', 'protocol/malformed'],
    ['half of it', '{"type":"join","id":1', 'protocol/malformed'],
    ['nothing', '', 'protocol/malformed'],
    ['a list', '[1,2]', 'protocol/malformed'],
    ['null', 'null', 'protocol/malformed'],
    ['bytes', new Uint8Array([1, 2, 3]), 'protocol/malformed'],
    ['no type', '{"id":1}', 'protocol/malformed'],
    ['a join without a token', JSON.stringify({ type: 'join', id: 1, protocol: 1 }), 'protocol/malformed'],
    ['too deep', nestedPing(limits.messageDepth + 1, 1), 'protocol/too-large'],
    ['too long', pingOf(limits.messageBytes + 1, 1), 'protocol/too-large'],
  ])('of %s ends the socket with a code', async (_, message, code) => {
    using client = await SocketClient.open(edge.webSocketUrl);
    client.send(message);
    const { error } = await client.untilClosed();
    expect(error?.code).toBe(code);
    expect(error?.hint).not.toBe('');
  });

  it('fault 45: with another protocol version is refused, naming both', async () => {
    using client = await SocketClient.open(edge.webSocketUrl);
    client.send({ type: 'join', id: 1, protocol: PROTOCOL_VERSION + 1, token: await edge.token() });
    const { error } = await client.untilClosed();
    expect(error).toMatchObject({
      code: 'protocol/version',
      hint: expect.stringContaining('same minor version') as string,
    });
    expect(error?.message).toMatch(new RegExp(`${PROTOCOL_VERSION + 1}.*${PROTOCOL_VERSION}`));
  });
});

describe('fault 17, a message in a call', () => {
  it('may be as long as the limit, and no longer', async () => {
    using client = await join();
    for (const [id, bytes] of [
      [101, limits.messageBytes - 1],
      [102, limits.messageBytes],
    ] as const) {
      client.send(pingOf(bytes, id));
      expect((await reply(client, id)).error).toBeUndefined();
    }
    client.send(pingOf(limits.messageBytes + 1, 103));
    const { error } = await client.untilClosed();
    expect(error).toMatchObject({ code: 'protocol/too-large', hint: expect.stringContaining('64 KiB') as string });
  });

  it('far above the limit is cut off before it is read', async () => {
    using client = await join();
    client.send('x'.repeat(8 * limits.messageBytes));
    expect((await client.untilClosed()).code).toBe(1009);
  });

  it('may be as deep as the limit, and no deeper', async () => {
    using client = await join();
    client.send(nestedPing(limits.messageDepth - 1, 101));
    client.send(nestedPing(limits.messageDepth, 102));
    expect((await reply(client, 101)).error).toBeUndefined();
    expect((await reply(client, 102)).error).toBeUndefined();
    client.send(nestedPing(limits.messageDepth + 1, 103));
    expect(await nextError(client)).toMatchObject({
      code: 'protocol/too-large',
      hint: expect.stringContaining('16 levels') as string,
    });
    client.send('['.repeat(50_000));
    await client.request({ type: 'ping' });
  });

  it('may say as much as the limit, and no more', async () => {
    using client = await join();
    const text = (length: number) => 'a'.repeat(length);
    await expect(client.request({ type: 'say', text: text(limits.textChars + 1) })).rejects.toMatchObject({
      code: 'protocol/malformed',
      message: expect.stringContaining('text') as string,
    });
    await expect(client.request({ type: 'say', text: '' })).rejects.toMatchObject({ code: 'protocol/malformed' });
    await client.request({ type: 'ping' });
  });

  it('of a type that this build does not know is left alone', async () => {
    using client = await join();
    const types = ['from.the.future', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];
    for (const type of types) client.send({ type, id: 50, anything: [1, 2] });
    await client.request({ type: 'ping' });
    expect(client.messages.filter((message) => message.type === 'reply' && message.id === 50)).toEqual([]);
    expect(client.events.filter(({ type }) => type === 'error')).toEqual([]);
  });

  it('that is malformed is refused by name, and the call goes on', async () => {
    using client = await join();
    for (const [body, named] of [
      [{ type: 'say' }, 'text'],
      [{ type: 'say', text: 7 }, 'text'],
      [{ type: 'subscribe' }, 'rtpCapabilities'],
      [{ type: 'transport.connect', transportId: 'x', dtlsParameters: 'none' }, 'dtlsParameters'],
      [{ type: 'transport.connect', transportId: '', dtlsParameters: { fingerprints: [] } }, 'transportId'],
      [{ type: 'produce', transportId: 'x', source: 'telephone', rtpParameters: { codecs: [] } }, 'source'],
      [{ type: 'produce', transportId: 'x', source: 'microphone', rtpParameters: { codecs: 'opus' } }, 'codecs'],
      [{ type: 'producer.mute', producerId: 'x', muted: 'yes' }, 'muted'],
      [{ type: 'response.interrupt', rtpTimestamp: 2 ** 32 }, 'rtpTimestamp'],
      [{ type: 'response.interrupt', rtpTimestamp: -1 }, 'rtpTimestamp'],
      [{ type: 'response.interrupt', rtpTimestamp: 0.5 }, 'rtpTimestamp'],
    ] as const) {
      await expect(client.request(body), JSON.stringify(body)).rejects.toMatchObject({
        code: 'protocol/malformed',
        message: expect.stringContaining(named) as string,
        hint: expect.stringContaining('docs/protocol.md') as string,
      });
    }
    await client.request({ type: 'ping' });
  });

  it('is not sent back: what is said of it is short', async () => {
    using client = await join();
    const flood = 'x'.repeat(60_000);
    for (const body of [
      { type: 'produce', transportId: 'x', source: flood, rtpParameters: { codecs: [] } },
      { type: 'heard', rtpTimestamp: 1, outputLatencyMs: 0, state: flood },
      { type: 'producer.mute', producerId: 'x', muted: flood },
    ]) {
      const { message } = (await client.request(body).catch((error: unknown) => error)) as Error;
      expect(message.length).toBeLessThan(400);
    }
  });

  it('without an answer to give is complained of by an event', async () => {
    using client = await join();
    client.send('{"type":');
    expect(await nextError(client)).toMatchObject({
      code: 'protocol/malformed',
      hint: expect.stringContaining('docs/protocol.md') as string,
    });
    await client.request({ type: 'ping' });
  });

  it('of odd shape breaks nothing: ids, prototypes, bytes, numbers', async () => {
    using client = await join();
    for (const text of [
      '{"type":"ping","id":0}',
      '{"type":"ping","id":-5}',
      '{"type":"ping","id":1.5}',
      '{"type":"ping","id":"1"}',
      '{"type":"ping","id":9007199254740993}',
      '{"type":"ping","id":1e999}',
      '{"__proto__":{"type":"ping","id":3}}',
      '{"type":{"type":"ping"},"id":3}',
      '{"type":"heard","rtpTimestamp":null,"outputLatencyMs":0,"state":"playing"}',
      '{"type":"heard","rtpTimestamp":1,"outputLatencyMs":1e9,"state":"playing"}',
      '{"type":"heard","rtpTimestamp":1,"outputLatencyMs":0,"state":"dancing"}',
      '\u0000',
      '"ping"',
      '7',
    ]) {
      client.send(text);
    }
    client.send(new Uint8Array(1_000));
    client.send('{"type":"ping","id":900,"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
    expect((await reply(client, 900)).error).toBeUndefined();
  });

  it('made at random breaks nothing', async () => {
    const random = new SeededRandom(11);
    using client = await join();
    const values = [null, true, -1, 1e308, '', 'x', '\ud800', [], {}, [[]], { a: { b: [] } }, 'microphone', 'playing'];
    const types = [
      'subscribe',
      'transport.connect',
      'transport.restart-ice',
      'produce',
      'producer.mute',
      'producer.close',
      'heard',
      'say',
      'response.interrupt',
    ];
    const keys = [
      'rtpCapabilities',
      'transportId',
      'dtlsParameters',
      'source',
      'rtpParameters',
      'producerId',
      'muted',
      'rtpTimestamp',
      'outputLatencyMs',
      'state',
      'text',
    ];
    for (let i = 0; i < 120; i++) {
      const fields = Object.fromEntries(
        random.sample(keys, random.integer(0, 6)).map((key) => [key, random.pick(values)]),
      );
      client.send({ type: random.pick(types), id: 1_000 + i, ...fields });
    }
    await client.request({ type: 'ping' });
  });

  it('that joins again is refused, and the call goes on', async () => {
    using client = await join();
    await expect(
      client.request({ type: 'join', protocol: PROTOCOL_VERSION, token: await edge.token() }),
    ).rejects.toMatchObject({ code: 'protocol/state' });
    await client.request({ type: 'ping' });
  });
});

describe('fault 17, a flood of messages', () => {
  it('that are no UTF-8, or no WebSocket, ends the socket with the code of RFC 6455', async () => {
    for (const [frame, code] of [
      [[0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28], 1007],
      // A reserved bit, an unknown opcode, and a continuation of nothing.
      [[0xf1, 0x80, 0, 0, 0, 0], 1002],
      [[0x83, 0x80, 0, 0, 0, 0], 1002],
      [[0x80, 0x80, 0, 0, 0, 0], 1002],
    ] as const) {
      using client = await join();
      rawSocketOf(client).write(Uint8Array.from(frame));
      expect((await client.untilClosed()).code, frame.join()).toBe(code);
    }
  });

  it('in tiny fragments ends the socket before it costs memory', async () => {
    using client = await join();
    const [first, next] = [
      [0x01, 0x81, 0, 0, 0, 0, 0x20],
      [0x00, 0x81, 0, 0, 0, 0, 0x20],
    ];
    rawSocketOf(client).write(Uint8Array.from(first));
    rawSocketOf(client).write(Buffer.concat(Array.from({ length: 20_000 }, () => Uint8Array.from(next))));
    expect((await client.untilClosed()).code).toBe(1008);
  });

  it('made of pings ends the socket like any other', async () => {
    using client = await join();
    // In portions: ws itself cuts off who does not wait for the answers.
    for (let i = 0; i < 8 && !client.goodbye; i++) {
      for (let j = 0; j < limits.messageBurst / 4; j++) client.socket.ping();
      await sleep(20);
    }
    const { code, error } = await client.untilClosed();
    expect([code, error?.code]).toEqual([1008, 'protocol/rate']);
  });

  it('ends the socket with a hint of the rate, and a burst that is allowed does not', async () => {
    using client = await join();
    const allowed = limits.messageBurst - 10;
    for (let i = 0; i < allowed; i++) client.send({ type: 'ping', id: 10_000 + i });
    expect((await reply(client, 10_000 + allowed - 1)).error).toBeUndefined();
    for (let i = 0; i < 400; i++) client.send({ type: 'ping', id: 20_000 + i });
    const { code, error } = await client.untilClosed();
    expect(code).toBe(1008);
    expect(error).toMatchObject({
      code: 'protocol/rate',
      retryable: true,
      hint: expect.stringContaining(String(limits.messagesPerSecond)) as string,
    });
  });

  it('of sockets that never join is let go of', async () => {
    const clients = await Promise.all(Array.from({ length: 60 }, () => SocketClient.open(edge.webSocketUrl)));
    for (const client of clients) client.close();
    // An engine that the flood, or another process, kept from its time lets nobody more in for a minute.
    using client = await vi.waitFor(join, { timeout: 90_000, interval: 1000 });
    await client.request({ type: 'ping' });
  }, 100_000);
});

// Beside each other: the first does nothing but wait, for ten seconds.
it.concurrent('a socket that says nothing is closed in the end, with a code', async () => {
  using client = await SocketClient.open(edge.webSocketUrl);
  const { error } = await client.untilClosed(20_000);
  expect(error).toMatchObject({ code: 'net/timeout', message: expect.stringContaining('join') as string });
});

it.concurrent('a client that does not read is cut off, and others are not kept waiting', async () => {
  using client = await join();
  client.socket.pause();
  // Word times are the bulkiest thing that the edge can be made to send; clauses that are alike are made once.
  const text = 'a '.repeat(limits.textChars / 2 - 1).trim();
  let id = 100_000;
  const timer = setInterval(() => {
    client.send(id % 12 === 0 ? { type: 'response.interrupt', id } : { type: 'say', id, text });
    id++;
  }, 150);
  try {
    const deadline = performance.now() + 50_000;
    while ((await edge.metrics()).get('microturn_sessions') !== 1) {
      expect(performance.now(), 'still not cut off').toBeLessThan(deadline);
      witness.expectUndisturbed();
      await new Promise((resolve) => {
        setTimeout(resolve, 500);
      });
    }
  } finally {
    clearInterval(timer);
  }
});

it('the witness was not disturbed by any of it', () => witness.expectToHear('Everything is fine here.'));
