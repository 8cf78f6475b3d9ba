import { createSocket, type Socket } from 'node:dgram';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { monotonicClock } from '../clock.js';
import type { MicroTurn } from '../engine/types.js';
import { RtcServer, type RtcRoom, type RtcVoice } from '../rtc/index.js';
import { Downlink } from './downlink.js';
import { Histogram } from './histogram.js';
import { Listener } from './listener.js';
import { MediaRow } from './media-row.js';
import { OpusDecoder } from './opus.js';
import { parseRtpPacket } from './rtp-packet.js';
import { sendPackets } from './testing/simulated-sender.js';
import { Ticker } from './ticker.js';

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const rms = (pcm: Float32Array) => Math.sqrt(pcm.reduce((sum, sample) => sum + sample * sample, 0) / pcm.length);

/** A caller without ICE and DTLS: plain RTP over UDP, as a load client sends it. */
async function openCaller(
  room: RtcRoom,
  ssrc: number,
): Promise<{ producerId: string; send(bytes: Uint8Array): void; close(): void }> {
  const transport = await room.router.createPlainTransport({
    listenInfo: { protocol: 'udp', ip: '127.0.0.1' },
    rtcpMux: true,
    comedia: true,
  });
  const producer = await transport.produce({
    kind: 'audio',
    rtpParameters: {
      codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2 }],
      encodings: [{ ssrc }],
    },
  });
  const socket: Socket = createSocket('udp4');
  return {
    producerId: producer.id,
    send: (bytes) => socket.send(bytes, transport.tuple.localPort, '127.0.0.1'),
    close: () => {
      socket.close();
      transport.close();
    },
  };
}

describe.skipIf(!process.env['MEDIASOUP_WORKER_BIN'])('packets through a mediasoup worker', () => {
  let server: RtcServer;
  let room: RtcRoom;
  let voice: RtcVoice;
  const lateness = new Histogram();
  beforeAll(async () => {
    server = await RtcServer.create({ listenIp: '127.0.0.1', port: 0, onDied: () => {} });
    room = await server.createRoom();
    voice = await room.createVoice();
  });
  afterAll(() => server.close());

  const createDownlink = () =>
    new Downlink({
      ssrc: voice.ssrc,
      payloadType: voice.payloadType,
      firstSequence: 0,
      firstRtpTicks: 0,
      clock: monotonicClock,
      send: (packet) => voice.send(packet),
      onStarted: () => {},
      onSent: () => {},
      lateness,
    });

  it('become micro-turns, whatever else arrives', async () => {
    const placing = new Histogram();
    const turns: MicroTurn[] = [];
    const caller = await openCaller(room, 5);
    const row = new MediaRow(
      { lease: 3, engine: 2, microTurnMs: 200, inputHz: 16_000, zeroMs: monotonicClock.now() },
      {
        clock: monotonicClock,
        listener: new Listener(createDownlink()),
        placing,
        post: (turn, engine) => engine === 2 && turns.push(turn),
      },
    );
    row.attach(await room.tap(caller.producerId), false);
    const ticker = new Ticker(monotonicClock, (nowMs) => row.tick(nowMs));
    const junk = Uint8Array.from({ length: 50 }, (_, i) => i * 37);
    for (const { bytes } of sendPackets(75, { ssrc: 5 })) {
      caller.send(bytes);
      caller.send(junk);
      caller.send(Uint8Array.from(bytes.subarray(0, 9)));
      await sleep(20);
    }
    await expect.poll(() => turns.length, { timeout: 5000 }).toBeGreaterThanOrEqual(7);
    ticker.close();
    row.close();
    caller.close();
    expect(turns.every((turn, i) => i === 0 || turn.index > turns[i - 1]!.index)).toBe(true);
    expect(turns.every((turn) => turn.lease === 3 && turn.pcm.length === 3200 && turn.play === 0 && !turn.ref)).toBe(
      true,
    );
    expect(turns.filter((turn) => rms(turn.pcm) > 0.1).length).toBeGreaterThanOrEqual(4);
    expect(row.stats).toMatchObject({ malformed: 0, lost: 0 });
    expect(row.stats.packets).toBeGreaterThan(70);
    expect(placing.quantile(0.5)).toBeLessThan(50);
  });

  it('leave as soon as there is speech, and arrive as it was said', async () => {
    const arrived: { atMs: number; pcm: Float32Array; rtpTicks: number; marker: boolean }[] = [];
    const decoder = new OpusDecoder(16_000);
    const tap = await room.tap(voice.producerId);
    tap.packet$.subscribe((bytes) => {
      const { payload, rtpTicks, marker } = parseRtpPacket(bytes)!;
      arrived.push({ atMs: monotonicClock.now(), pcm: decoder.decode(payload)!, rtpTicks, marker });
    });
    const downlink = createDownlink();
    const ticker = new Ticker(monotonicClock, (nowMs) => downlink.tick(nowMs));
    const saidMs = monotonicClock.now();
    const pcm = Float32Array.from({ length: 24_000 / 2 }, (_, i) => 0.5 * Math.sin(i / 20));
    downlink.say({ responseId: 'a', pcm, rateHz: 24_000, last: true });
    await expect.poll(() => arrived.length, { timeout: 5000 }).toBe(27);
    await sleep(100);
    ticker.close();
    tap.close();
    expect(arrived).toHaveLength(27);
    expect(arrived[0]!.marker).toBe(true);
    expect(arrived[0]!.atMs - saidMs).toBeLessThan(200);
    expect(arrived.slice(1).every((packet, i) => packet.rtpTicks - arrived[i]!.rtpTicks === 960)).toBe(true);
    expect(arrived.slice(1, 24).every((packet) => rms(packet.pcm) > 0.2)).toBe(true);
  });
});
