import { createSocket } from 'node:dgram';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../testing/seeded-random.js';
import type { RtcEndpoint } from './rtc-endpoint.js';
import type { RtcRoom } from './rtc-room.js';
import { RtcServer } from './rtc-server.js';

const opus = {
  mimeType: 'audio/opus',
  payloadType: 111,
  clockRate: 48_000,
  channels: 2,
  parameters: { useinbandfec: 1 },
  rtcpFeedback: [],
};
const vp8 = { mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000, parameters: {}, rtcpFeedback: [] };
const fingerprints = [{ algorithm: 'sha-256', value: Array.from({ length: 32 }, () => 'AB').join(':') }];

const idOf = (transport: object) => (transport as { id: string }).id;

describe.skipIf(!process.env['MEDIASOUP_WORKER_BIN'])('RtcServer, with a mediasoup worker', () => {
  let server: RtcServer;
  let room: RtcRoom;
  let ssrc = 1000;
  const open = () => room.createEndpoint(() => {});
  const produce = (endpoint: RtcEndpoint, kind: 'audio' | 'video' = 'audio') =>
    endpoint.produce(idOf(endpoint.transports.sendTransport), kind, {
      codecs: [kind === 'audio' ? opus : vp8],
      encodings: [{ ssrc: ssrc++ }],
    });

  beforeAll(async () => {
    server = await RtcServer.create({ listenIp: '127.0.0.1', port: 0, onDied: () => {} });
    room = await server.createRoom();
  });
  afterAll(() => server.close());

  it('offers Opus and VP8, and can ask for lost packets of both', () => {
    const { codecs } = room.rtpCapabilities as { codecs: { mimeType: string; rtcpFeedback: { type: string }[] }[] };
    expect(codecs.map((codec) => codec.mimeType)).toEqual(['audio/opus', 'video/VP8', 'video/rtx']);
    for (const codec of codecs.slice(0, 2))
      expect(codec.rtcpFeedback.map((feedback) => feedback.type)).toContain('nack');
  });

  it('announces the address that callers reach', async () => {
    const announced = await RtcServer.create({
      listenIp: '127.0.0.1',
      port: 0,
      announcedAddress: '203.0.113.7',
      onDied: () => {},
    });
    const { sendTransport } = (await (await announced.createRoom()).createEndpoint(() => {})).transports;
    const { iceCandidates } = sendTransport as { iceCandidates: { address: string; port: number }[] };
    expect(iceCandidates.map(({ address, port }) => [address, port])).toEqual([
      ['203.0.113.7', announced.port],
      ['203.0.113.7', announced.port],
    ]);
    await announced.close();
  });

  it('names the port where another program has it, for UDP alone', async () => {
    const socket = createSocket('udp4');
    const port = await new Promise<number>((resolve) =>
      socket.bind(0, '127.0.0.1', () => resolve(socket.address().port)),
    );
    const attempt = RtcServer.create({ listenIp: '127.0.0.1', port, onDied: () => {} });
    await expect(attempt).rejects.toMatchObject({
      code: 'edge/port-in-use',
      message: expect.stringContaining(`${port}`),
    });
    socket.close();
  });

  it('says where it cannot listen', async () => {
    for (const port of [0, 45_678]) {
      const attempt = RtcServer.create({ listenIp: '203.0.113.7', port, onDied: () => {} });
      await expect(attempt).rejects.toMatchObject({
        code: 'edge/config',
        message: expect.stringContaining('203.0.113.7'),
      });
    }
  });

  it('refuses what a client may not do with a code', async () => {
    const endpoint = await open();
    const send = idOf(endpoint.transports.sendTransport);
    const recv = idOf(endpoint.transports.recvTransport);
    await expect(endpoint.produce(recv, 'audio', {})).rejects.toMatchObject({ code: 'protocol/state' });
    await expect(endpoint.produce('nowhere', 'audio', {})).rejects.toMatchObject({ code: 'protocol/state' });
    await expect(endpoint.produce(send, 'audio', {})).rejects.toMatchObject({ code: 'protocol/malformed' });
    await expect(endpoint.produce(send, 'video', { codecs: [opus], encodings: [{ ssrc: 5 }] })).rejects.toMatchObject({
      code: 'protocol/malformed',
    });
    await expect(endpoint.connect(send, { fingerprints: [{}] })).rejects.toMatchObject({ code: 'protocol/malformed' });
    await endpoint.connect(send, { role: 'client', fingerprints });
    await expect(endpoint.connect(send, { role: 'client', fingerprints })).rejects.toMatchObject({
      code: 'protocol/state',
    });
    await expect(endpoint.setPaused('nowhere', true)).rejects.toMatchObject({ code: 'protocol/state' });
    await produce(endpoint);
    const taken = endpoint.produce(send, 'audio', { codecs: [opus], encodings: [{ ssrc: ssrc - 1 }] });
    await expect(taken).rejects.toMatchObject({ code: 'protocol/malformed' });
    endpoint.close();
    await expect(endpoint.restartIce(send)).rejects.toMatchObject({ code: 'protocol/state' });
  });

  it('goes on for everybody else after any parameters at all', async () => {
    const endpoint = await open();
    const send = idOf(endpoint.transports.sendTransport);
    const bystander = await open();
    const junk = fc.oneof(
      fc.integer(),
      fc.string({ maxLength: 20 }),
      fc.constant(null),
      fc.double(),
      fc.constant({}),
      fc.constant([]),
      fc.nat(300),
    );
    const maybe = (good: unknown) =>
      fc.oneof({ weight: 4, arbitrary: fc.constant(good) }, { weight: 1, arbitrary: junk });
    const parameters = fc.record({
      mid: maybe('7'),
      codecs: fc.array(
        fc.record({
          mimeType: maybe('audio/opus'),
          payloadType: maybe(111),
          clockRate: maybe(48_000),
          channels: maybe(2),
          parameters: fc.dictionary(fc.string({ maxLength: 5 }), junk, { maxKeys: 3 }),
          rtcpFeedback: fc.array(fc.record({ type: maybe('nack'), parameter: maybe('') }), { maxLength: 2 }),
        }),
        { maxLength: 2 },
      ),
      headerExtensions: fc.array(
        fc.record({ uri: maybe('urn:ietf:params:rtp-hdrext:sdes:mid'), id: maybe(4), parameters: maybe({}) }),
        { maxLength: 2 },
      ),
      encodings: fc.array(
        fc.record(
          { ssrc: maybe(4711), rid: maybe('r0'), rtx: maybe({ ssrc: 1 }), scalabilityMode: maybe('L1T3') },
          { requiredKeys: [] },
        ),
        { maxLength: 2 },
      ),
      rtcp: maybe({ cname: 'x' }),
    });
    await fc.assert(
      fc.asyncProperty(parameters, async (given) => {
        await endpoint.produce(send, 'audio', given).then(
          ({ producerId }) => endpoint.closeProducer(producerId),
          (error: unknown) => expect(error).toMatchObject({ code: expect.stringMatching(/^protocol\//) }),
        );
      }),
      { seed: 1, numRuns: 300 },
    );
    await expect(produce(bystander)).resolves.toMatchObject({ kind: 'audio' });
    expect(server.closed).toBe(false);
    endpoint.close();
    bystander.close();
  });

  it('fault 15, RTP and RTCP that are malformed, of another SSRC or payload type: the others come through, and nothing else', async () => {
    const mine = ssrc++;
    const plain = await room.router.createPlainTransport({
      listenInfo: { protocol: 'udp', ip: '127.0.0.1' },
      comedia: true,
    });
    const rtpParameters = { codecs: [opus], encodings: [{ ssrc: mine }] };
    const producer = await plain.produce({ kind: 'audio', rtpParameters });
    const tap = await room.tap(producer.id);
    const heard: number[] = [];
    const subscription = tap.packet$.subscribe((packet) => heard.push(Buffer.from(packet).readUInt16BE(2)));
    const socket = createSocket('udp4');
    const random = seededRandom(15);
    const send = (bytes: Uint8Array) => socket.send(bytes, plain.tuple.localPort, '127.0.0.1');
    const rtp = (sequence: number, changes: [at: number, ...bytes: number[]][] = []) => {
      const packet = Buffer.alloc(60);
      packet.set([0x80, 111]);
      packet.writeUInt16BE(sequence, 2);
      packet.writeUInt32BE(sequence * 960, 4);
      packet.writeUInt32BE(mine, 8);
      for (const [at, ...bytes] of changes) packet.set(bytes, at);
      return packet;
    };
    for (let sequence = 0; sequence < 200; sequence++) {
      send(rtp(sequence));
      send(rtp(sequence + 1000, [[8, 1, 2, 3, 4]])); // another SSRC
      send(rtp(sequence + 1000, [[1, 96]])); // another payload type
      send(
        rtp(sequence + 1000, [
          [0, 0x90],
          [12, 0xbe, 0xde, 0xff, 0xff],
        ]),
      ); // an extension longer than the packet
      send(
        rtp(sequence + 1000, [
          [0, 0xaf],
          [59, 0xff],
        ]),
      ); // CSRCs and padding, more than there are bytes
      send(rtp(sequence + 1000).subarray(0, Math.floor(random() * 12)));
      // RTCP: types of all sorts, lengths of any kind.
      send(
        Uint8Array.of(
          0x81,
          200 + (sequence % 8),
          0xff,
          0xff,
          ...Array.from({ length: sequence % 40 }, () => Math.floor(random() * 256)),
        ),
      );
      // UDP: what a socket has no room for while the worker waits for its turn of a busy machine is lost, well-formed or not.
      if (sequence % 20 === 19) await expect.poll(() => heard.length, { timeout: 5000 }).toBe(sequence + 1);
    }
    // mediasoup counts from a number of its own.
    expect(heard.map((sequence) => (sequence - heard[0]! + 0x1_0000) & 0xffff)).toEqual(heard.map((_, i) => i));
    expect(server.closed).toBe(false);
    subscription.unsubscribe();
    socket.close();
    plain.close();
  });

  it('tells a consumer that its producer ended, but not that its own endpoint did', async () => {
    const [from, to, other] = await Promise.all([open(), open(), open()]);
    const ended: string[] = [];
    for (const endpoint of [to, other]) endpoint.setCapabilities(room.rtpCapabilities);
    const { producerId } = await produce(from);
    const consumer = await to.consume(producerId, (id) => ended.push(id));
    await other.consume(producerId, (id) => ended.push(id));
    other.close();
    from.closeProducer(producerId);
    await expect.poll(() => ended).toEqual([consumer!.consumerId]);
    expect(await to.consume(producerId, () => {})).toBeUndefined();
    from.close();
    to.close();
  });

  it('offers nothing to a device that cannot play it', async () => {
    const [from, to] = await Promise.all([open(), open()]);
    const { producerId } = await produce(from, 'video');
    expect(await to.consume(producerId, () => {})).toBeUndefined();
    to.setCapabilities({ codecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 }] });
    expect(await to.consume(producerId, () => {})).toBeUndefined();
    from.close();
    to.close();
  });

  it('closes what an endpoint owns with it, and twice is as good as once', async () => {
    const worker = await room.router.dump();
    const endpoint = await open();
    await produce(endpoint);
    expect((await room.router.dump()).transportIds).toHaveLength(worker.transportIds.length + 2);
    endpoint.close();
    endpoint.close();
    expect((await room.router.dump()).transportIds).toHaveLength(worker.transportIds.length);
  });

  it('calls a worker that died by its name', async () => {
    let message = '';
    const doomed = await RtcServer.create({ listenIp: '127.0.0.1', port: 0, onDied: (text) => (message = text) });
    const endpoint = await (await doomed.createRoom()).createEndpoint(() => {});
    process.kill(doomed.pid, 'SIGKILL');
    await expect.poll(() => message).toContain('SIGKILL');
    await expect(doomed.createRoom()).rejects.toMatchObject({ code: 'edge/worker-died' });
    expect(doomed.closed).toBe(true);
    endpoint.close();
    await doomed.close();
  });
});
