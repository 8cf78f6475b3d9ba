import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { monotonicClock } from '../clock.js';
import type { MicroTurn } from '../engine/types.js';
import { RtcServer } from '../rtc/index.js';
import { silentLog } from '../telemetry/log.js';
import { MediaServer } from './media-server.js';
import type { MediaEvent } from './types.js';

const opus = { mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2 };
const vp8 = { mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000 };
let ssrc = 1;

describe.skipIf(!process.env['MEDIASOUP_WORKER_BIN'])('MediaServer, with a mediasoup worker', () => {
  let server: MediaServer;
  let rtc: RtcServer;
  let events: MediaEvent[] = [];
  let turns: MicroTurn[] = [];
  let rtpCapabilities: object;

  beforeAll(async () => {
    rtc = await RtcServer.create({ listenIp: '127.0.0.1', port: 0, onDied: () => {} });
    server = new MediaServer({
      rtc,
      clock: monotonicClock,
      log: silentLog,
      postTurn: (turn) => turns.push(turn),
      postEvent: (event) => events.push(event),
    });
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    await server.request('room.close', { room: 'a' });
    ({ rtpCapabilities } = await server.request('room.open', { room: 'a' }));
    events = [];
    turns = [];
  });

  async function join(endpoint: string) {
    const { sendTransport } = await server.request('endpoint.open', {
      room: 'a',
      endpoint,
      participant: `p-${endpoint}`,
    });
    const transportId = (sendTransport as { id: string }).id;
    return {
      subscribe: () => server.request('subscribe', { endpoint, rtpCapabilities }),
      produce: async (source: 'microphone' | 'camera' | 'screen') => {
        const rtpParameters = { codecs: [source === 'microphone' ? opus : vp8], encodings: [{ ssrc: ssrc++ }] };
        return (await server.request('produce', { endpoint, transportId, source, rtpParameters })).producerId;
      },
      row: (lease = 1) =>
        server.request('row.start', {
          endpoint,
          row: { lease, engine: 0, microTurnMs: 40, inputHz: 16_000, zeroMs: monotonicClock.now() },
        }),
    };
  }

  it('closes a room also where that is asked for while it opens', async () => {
    const opened = server.request('room.open', { room: 'b' });
    await server.request('room.close', { room: 'b' });
    await opened;
    await expect(
      server.request('endpoint.open', { room: 'b', endpoint: 'nobody', participant: 'nobody' }),
    ).rejects.toMatchObject({ code: 'protocol/state', message: expect.stringContaining('no such room') });
  });

  it('offers the agent to everyone, and the others to those who subscribed', async () => {
    const a = await join('a');
    const b = await join('b');
    const c = await join('c');
    const camera = await a.produce('camera');
    expect((await a.subscribe()).tracks.map(({ participant, source }) => [participant, source])).toEqual([
      ['agent', 'agent'],
    ]);
    expect(
      (await b.subscribe()).tracks.map(({ participant, source, producerId }) => [participant, source, producerId]),
    ).toEqual([
      ['agent', 'agent', expect.any(String)],
      ['p-a', 'camera', camera],
    ]);
    const microphone = await c.produce('microphone');
    await expect.poll(() => events).toHaveLength(2);
    expect(events).toEqual(
      ['a', 'b'].map((endpoint) => ({
        type: 'track.added',
        endpoint,
        track: expect.objectContaining({
          producerId: microphone,
          participant: 'p-c',
          source: 'microphone',
          kind: 'audio',
        }),
      })),
    );
  });

  it('tells when a track is gone, with its producer or with its endpoint', async () => {
    const a = await join('a');
    const b = await join('b');
    await b.subscribe();
    const camera = await a.produce('camera');
    await a.produce('microphone');
    await expect.poll(() => events).toHaveLength(2);
    const consumers = events.map((event) => event.type === 'track.added' && event.track.consumerId);
    await server.request('producer.close', { endpoint: 'a', producerId: camera });
    await expect.poll(() => events[2]).toEqual({ type: 'track.removed', endpoint: 'b', consumerId: consumers[0] });
    await server.request('endpoint.close', { endpoint: 'a' });
    await expect.poll(() => events[3]).toEqual({ type: 'track.removed', endpoint: 'b', consumerId: consumers[1] });
    expect((await b.produce('camera')).length).toBeGreaterThan(0);
  });

  it('cuts micro-turns with and without a microphone, muted or not, until the row stops', async () => {
    const a = await join('a');
    await a.row();
    const microphone = await a.produce('microphone');
    await server.request('producer.mute', { endpoint: 'a', producerId: microphone, muted: true });
    await expect.poll(() => turns.length).toBeGreaterThan(4);
    await server.request('producer.mute', { endpoint: 'a', producerId: microphone, muted: false });
    await server.request('producer.close', { endpoint: 'a', producerId: microphone });
    const before = turns.length;
    await expect.poll(() => turns.length).toBeGreaterThan(before + 2);
    await a.produce('microphone');
    await server.request('row.stop', { endpoint: 'a' });
    const stopped = turns.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(turns).toHaveLength(stopped);
    expect(turns.every((turn) => turn.pcm.length === 640 && turn.lost === 0 && turn.play === 0)).toBe(true);
    // One that is missed on a busy machine keeps its index.
    expect(turns.every((turn, i) => i === 0 || turn.index > turns[i - 1]!.index)).toBe(true);
  });

  it('gives a row another lease where it starts again', async () => {
    const a = await join('a');
    await a.row(1);
    await expect.poll(() => turns.length).toBeGreaterThan(1);
    await a.row(2);
    const before = turns.length;
    await expect.poll(() => turns.length).toBeGreaterThan(before + 1);
    expect(new Set(turns.slice(before).map((turn) => turn.lease))).toEqual(new Set([2]));
  });

  it('refuses what does not fit with a code', async () => {
    const a = await join('a');
    await a.subscribe();
    const state = { code: 'protocol/state' };
    await a.produce('camera');
    await expect(a.produce('camera')).rejects.toMatchObject(state);
    await expect(a.subscribe()).rejects.toMatchObject(state);
    await expect(join('a')).rejects.toMatchObject(state);
    await expect(
      server.request('endpoint.open', { room: 'nowhere', endpoint: 'x', participant: 'x' }),
    ).rejects.toMatchObject(state);
    await expect(server.request('speech.cut', { voice: 'room:nowhere', responseId: 'r' })).rejects.toMatchObject(state);
    await expect(server.request('producer.close', { endpoint: 'a', producerId: 'x' })).rejects.toMatchObject(state);
    await expect(server.request('subscribe', { endpoint: 'nobody', rtpCapabilities })).rejects.toMatchObject(state);
    const row = { lease: 1, engine: 0, microTurnMs: 200, inputHz: 22_050, zeroMs: 0 };
    await expect(server.request('row.start', { endpoint: 'a', row })).rejects.toMatchObject({
      code: 'bundle/manifest',
    });
  });

  it('opens a room once, however often it is asked to', async () => {
    const [first, second] = await Promise.all([
      server.request('room.open', { room: 'z' }),
      server.request('room.open', { room: 'z' }),
    ]);
    expect(second).toEqual(first);
    await server.request('room.close', { room: 'z' });
    await server.request('room.close', { room: 'z' });
  });

  it('speaks to whoever listens, and tells what was sent', async () => {
    await join('a');
    const say = (responseId: string) =>
      server.say({
        type: 'speech',
        voice: 'room:a',
        responseId,
        pcm: new Float32Array(16_000).fill(0.2),
        rateHz: 16_000,
        last: true,
      });
    say('r');
    say('s');
    server.say({
      type: 'speech',
      voice: 'room:nowhere',
      responseId: 'x',
      pcm: new Float32Array(10),
      rateHz: 16_000,
      last: true,
    });
    expect(events).toEqual([{ type: 'speech.started', voice: 'room:a', responseId: 'r', atMs: expect.any(Number) }]);
    expect(await server.request('speech.cut', { voice: 'room:a', responseId: 's' })).toEqual({ sentMs: 0 });
    const { sentMs } = await server.request('speech.cut', { voice: 'room:a', responseId: 'r' });
    expect(sentMs).toBeGreaterThanOrEqual(20);
    expect(sentMs).toBeLessThan(1000);
    say('r');
    expect(events).toHaveLength(1);
  });

  it('opens a voice of their own to a caller, and offers it to nobody else, now or later', async () => {
    const [a, b] = [await join('a'), await join('b')];
    await a.subscribe();
    await b.subscribe();
    const opened = server.request('voice.open', { endpoint: 'a' });
    await expect.poll(() => events).toHaveLength(1);
    const [offered] = events;
    expect(offered).toMatchObject({
      type: 'track.added',
      endpoint: 'a',
      track: { participant: 'agent', source: 'agent', audience: 'self' },
    });
    const { consumerId } = (offered as MediaEvent & { type: 'track.added' }).track;
    await server.request('track.ready', { endpoint: 'a', consumerId });
    await opened;
    await server.request('voice.open', { endpoint: 'a' });
    const c = await join('c');
    expect((await c.subscribe()).tracks.map(({ audience }) => audience)).toEqual(['room']);
    // Coming back, they are offered both.
    await server.request('endpoint.reopen', { endpoint: 'a' });
    expect((await a.subscribe()).tracks.map(({ audience }) => audience)).toEqual(['room', 'self']);
    server.say({
      type: 'speech',
      voice: 'endpoint:a',
      responseId: 'r',
      pcm: new Float32Array(16_000).fill(0.2),
      rateHz: 16_000,
      last: true,
    });
    expect(events.at(-1)).toMatchObject({ type: 'speech.started', voice: 'endpoint:a', responseId: 'r' });
    await server.request('endpoint.close', { endpoint: 'a' });
    await expect(server.request('speech.cut', { voice: 'endpoint:a', responseId: 'r' })).rejects.toMatchObject({
      code: 'protocol/state',
    });
    expect(events.filter(({ type }) => type === 'track.added')).toHaveLength(1);
  });

  it('waits no longer than a second for a device that does not say that it receives a voice', async () => {
    const a = await join('a');
    await a.subscribe();
    await server.request('voice.open', { endpoint: 'a' });
    expect(events).toMatchObject([{ type: 'track.added' }]);
  });

  it('keeps to itself what a hidden caller sends', async () => {
    const a = await join('a');
    await a.subscribe();
    const { sendTransport } = await server.request('endpoint.open', {
      room: 'a',
      endpoint: 'h',
      participant: 'spy',
      hidden: true,
    });
    const transportId = (sendTransport as { id: string }).id;
    const rtpParameters = { codecs: [opus], encodings: [{ ssrc: ssrc++ }] };
    await server.request('produce', { endpoint: 'h', transportId, source: 'microphone', rtpParameters });
    const b = await join('b');
    expect((await b.subscribe()).tracks.map(({ participant }) => participant)).toEqual(['agent']);
    expect(events).toEqual([]);
  });

  it('tells that speech did not fit its queue', async () => {
    await join('a');
    const minute = new Float32Array(60 * 16_000);
    const say = (pcm: Float32Array) =>
      server.say({ type: 'speech', voice: 'room:a', responseId: 'r', pcm, rateHz: 16_000, last: false });
    say(minute);
    expect(events).not.toContainEqual(expect.objectContaining({ type: 'speech.full' }));
    say(minute.slice(0, 16_000));
    expect(events).toContainEqual({ type: 'speech.full', voice: 'room:a', responseId: 'r' });
  });

  it('leaves nothing behind in the worker when its rooms close', async () => {
    const a = await join('a');
    await a.row();
    await a.produce('microphone');
    const router = (await server.request('stats', {})).endpoints;
    expect(router).toHaveLength(1);
    await server.request('room.close', { room: 'a' });
    expect((await server.request('stats', {})).endpoints).toEqual([]);
    const before = turns.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(turns).toHaveLength(before);
  });
});
