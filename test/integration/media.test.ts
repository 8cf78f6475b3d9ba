import type { TrackOffer } from '@microturn/protocol';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cpuTimeMs } from '../support/cpu-time.js';
import { EdgeProcess } from '../support/edge-process.js';
import { MediaClient } from '../support/media-client.js';
import { SeededRandom } from '../support/random.js';
import { SocketClient } from '../support/socket-client.js';
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

const join = async () => SocketClient.join(edge.webSocketUrl, await edge.token());
const fingerprint = (value: string) => ({ role: 'client', fingerprints: [{ algorithm: 'sha-256', value }] });
const goodFingerprint = Array.from({ length: 32 }, () => 'AB').join(':');

const opus = {
  mimeType: 'audio/opus',
  payloadType: 111,
  clockRate: 48_000,
  channels: 2,
  parameters: { minptime: 10 },
  rtcpFeedback: [],
};
const good = {
  mid: '0',
  codecs: [opus],
  headerExtensions: [],
  encodings: [{ ssrc: 12_345 }],
  rtcp: { cname: 'caller' },
};

describe('RTP parameters that are no good', () => {
  it.each<[name: string, rtpParameters: object]>([
    ['no codecs', { ...good, codecs: [] }],
    ['no encodings', { ...good, encodings: [] }],
    ['a codec that is text', { ...good, codecs: ['opus'] }],
    ['a codec without a type', { ...good, codecs: [{ payloadType: 111, clockRate: 48_000 }] }],
    [
      'a codec that the edge does not offer',
      { ...good, codecs: [{ ...opus, mimeType: 'audio/PCMU', clockRate: 8_000, payloadType: 0, channels: 1 }] },
    ],
    ['video for a microphone', { ...good, codecs: [{ mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000 }] }],
    ['a payload type of 300', { ...good, codecs: [{ ...opus, payloadType: 300 }] }],
    ['a payload type of -1', { ...good, codecs: [{ ...opus, payloadType: -1 }] }],
    ['a clock rate of text', { ...good, codecs: [{ ...opus, clockRate: '48000' }] }],
    ['parameters that are objects', { ...good, codecs: [{ ...opus, parameters: { minptime: { $ne: 1 } } }] }],
    ['an SSRC of 2^40', { ...good, encodings: [{ ssrc: 2 ** 40 }] }],
    ['an SSRC of half', { ...good, encodings: [{ ssrc: 0.5 }] }],
    ['a mid of 1 000 characters', { ...good, mid: 'm'.repeat(1_000) }],
    [
      'a header extension with id 0',
      { ...good, headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 0 }] },
    ],
    ['60 codecs', { ...good, codecs: Array.from({ length: 60 }, () => opus) }],
  ])('are refused with a code: %s', async (_, rtpParameters) => {
    using client = await join();
    const request = {
      type: 'produce',
      transportId: client.joined.sendTransport.id,
      source: 'microphone',
      rtpParameters,
    };
    const error = (await client.request(request).catch((cause: unknown) => cause)) as { code?: string; hint?: string };
    expect(error.code).toMatch(/^protocol\/(malformed|state)$|^media\/unsupported$/);
    expect(error.hint).not.toBe('');
    // The transport is none the worse for it.
    await client.request({ ...request, rtpParameters: { ...good, encodings: [{ ssrc: 777 }] } });
  });
});

describe('a request of a transport or a track', () => {
  const unknownId = '00000000-0000-4000-8000-000000000000';

  it('that does not exist is refused with a code', async () => {
    using client = await join();
    for (const body of [
      { type: 'transport.connect', transportId: unknownId, dtlsParameters: fingerprint(goodFingerprint) },
      { type: 'transport.restart-ice', transportId: unknownId },
      { type: 'produce', transportId: unknownId, source: 'microphone', rtpParameters: good },
      { type: 'producer.mute', producerId: unknownId, muted: true },
      { type: 'producer.close', producerId: unknownId },
    ]) {
      const error = (await client.request(body).catch((cause: unknown) => cause)) as { code?: string };
      expect(error.code, JSON.stringify(body)).toMatch(/^protocol\/(state|malformed)$/);
    }
    await client.request({ type: 'ping' });
  });

  it('that is another participant’s is refused as if it did not exist', async () => {
    using owner = await join();
    using thief = await join();
    const transportId = owner.joined.sendTransport.id;
    const { producerId } = (await owner.request({
      type: 'produce',
      transportId,
      source: 'microphone',
      rtpParameters: good,
    })) as { producerId: string };
    for (const body of [
      { type: 'produce', transportId, source: 'microphone', rtpParameters: good },
      { type: 'transport.connect', transportId, dtlsParameters: fingerprint(goodFingerprint) },
      { type: 'producer.close', producerId },
      { type: 'producer.mute', producerId, muted: true },
    ]) {
      await expect(thief.request(body), JSON.stringify(body)).rejects.toMatchObject({ code: 'protocol/state' });
    }
    await owner.request({ type: 'producer.close', producerId });
  });

  it('with DTLS parameters that are none is refused with a code', async () => {
    using client = await join();
    for (const dtlsParameters of [
      { fingerprints: [] },
      { fingerprints: ['sha-256'] },
      fingerprint('no fingerprint'),
      fingerprint('AB'.repeat(32)),
      { role: 'emperor', fingerprints: [{ algorithm: 'sha-256', value: goodFingerprint }] },
      { fingerprints: [{ algorithm: 'md5', value: goodFingerprint }] },
      { fingerprints: Array.from({ length: 100 }, () => ({ algorithm: 'sha-256', value: goodFingerprint })) },
    ]) {
      const request = { type: 'transport.connect', transportId: client.joined.sendTransport.id, dtlsParameters };
      const error = (await client.request(request).catch((cause: unknown) => cause)) as {
        code?: string;
        hint?: string;
      };
      expect(error.code, JSON.stringify(dtlsParameters).slice(0, 80)).toMatch(/^protocol\//);
      expect(error.hint).not.toBe('');
    }
  });

  it('that comes twice is refused with a code', async () => {
    using client = await join();
    const connect = {
      type: 'transport.connect',
      transportId: client.joined.recvTransport.id,
      dtlsParameters: fingerprint(goodFingerprint),
    };
    await client.request(connect);
    await expect(client.request(connect)).rejects.toMatchObject({ code: 'protocol/state' });
    const subscribe = { type: 'subscribe', rtpCapabilities: client.joined.routerRtpCapabilities };
    const { tracks } = (await client.request(subscribe)) as { tracks: TrackOffer[] };
    expect(tracks.map(({ source }) => source)).toEqual(['agent']);
    await expect(client.request(subscribe)).rejects.toMatchObject({ code: 'protocol/state' });
  });

  it('with capabilities that fit nothing offers nothing, or says so', async () => {
    for (const rtpCapabilities of [
      {},
      { codecs: [] },
      { codecs: [{ kind: 'audio', mimeType: 'audio/G722', clockRate: 8_000 }] },
      { codecs: 'all' },
    ]) {
      using client = await join();
      const answer = (await client
        .request({ type: 'subscribe', rtpCapabilities })
        .catch((cause: unknown) => cause)) as { tracks?: []; code?: string };
      if (answer.tracks) expect(answer.tracks).toEqual([]);
      else expect(answer.code).toMatch(/^protocol\/malformed$|^media\/unsupported$/);
    }
  });
});

describe('fault 15, garbage on the media port', () => {
  /** Something of each protocol that shares the port (RFC 7983), cut short, run on, and random. */
  function garbage(random: SeededRandom): Uint8Array {
    const bytes = random.bytes(random.integer(0, 1_400));
    if (bytes.length > 20) {
      bytes[0] = random.pick([0, 1, 20, 22, 23, 63, 64, 128, 144, 191, 200, 255]);
      // STUN's magic cookie, and RTP or RTCP payload types.
      if (bytes[0] < 2) bytes.set([0x21, 0x12, 0xa4, 0x42], 4);
      if (bytes[0] >= 128 && bytes[0] < 192) bytes[1] = random.pick([111, 239, 200, 201, 205, 206]);
    }
    return bytes;
  }

  it('over UDP reaches nobody', async () => {
    const random = new SeededRandom(5);
    const socket = createSocket('udp4');
    /** Ten thousand a second. */
    const PACKETS = 20_000;
    /** What the edge and its worker take while this happens, ms of CPU for each second. */
    const share = async (act: () => Promise<void>) => {
      const [fromMs, cpuMs] = [performance.now(), cpuTimeMs(edge.pid)];
      await act();
      return ((cpuTimeMs(edge.pid) ?? NaN) - (cpuMs ?? NaN)) / (performance.now() - fromMs);
    };
    try {
      const idle = await share(() => sleep(1_000));
      const startMs = performance.now();
      const flooded = await share(async () => {
        for (let i = 0; i < PACKETS; i++) {
          socket.send(garbage(random), edge.mediaPort, '127.0.0.1');
          if (i % 100 === 0) await sleep(10);
        }
        await sleep(500);
      });
      const each = ((flooded - idle) * (performance.now() - startMs)) / PACKETS;
      console.log(
        `  fault 15: ${(each * 1000).toFixed(1)} µs of CPU for each bad packet; idle ${(100 * idle).toFixed(1)} % of a core`,
      );
    } finally {
      socket.close();
    }
    expect(edge.alive).toBe(true);
    await witness.expectToHear('The line is clear.');
  });

  it('over TCP reaches nobody', async () => {
    const random = new SeededRandom(6);
    for (let i = 0; i < 40; i++) {
      const socket = connect(edge.mediaPort, '127.0.0.1');
      socket.on('error', () => undefined);
      for (let j = 0; j < 20; j++) {
        const bytes = garbage(random);
        // RFC 4571: a length in front, sometimes a wrong one.
        const length = random.next() < 0.5 ? bytes.length : random.integer(0, 65_535);
        socket.write(Uint8Array.of(length >> 8, length & 255, ...bytes));
      }
      socket.end();
    }
    await sleep(500);
    expect(edge.alive).toBe(true);
    await witness.expectToHear('The line is clear.');
  });
});

it('a caller who is gone from one moment to the next takes nobody along', async () => {
  for (let i = 0; i < 5; i++) {
    const client = await MediaClient.open(edge.webSocketUrl, await edge.token());
    await client.signaling.request({ type: 'say', text: 'Nobody will hear the end of this sentence.' });
    await client.close();
  }
  await expect.poll(async () => (await edge.metrics()).get('microturn_sessions')).toBe(1);
  await witness.expectToHear('The line is clear.');
});
