import { NEVER, Subject } from 'rxjs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { RtcServer } from '../rtc/index.js';
import { silentLog } from '../telemetry/log.js';
import { ManualClock } from '../testing/manual-clock.js';
import { MediaServer } from './media-server.js';
import type { MediaEvent } from './types.js';

// What mediasoup does in a moment that a test has to choose, by a stand-in for it.

class FakeEndpoint {
  closed = false;
  readonly transports = { sendTransport: { id: 'send' }, recvTransport: { id: 'recv' } };
  readonly closedProducers: string[] = [];
  /** The producers that it makes wait for this. */
  making: Promise<void> = Promise.resolve();
  #made = 0;

  async produce() {
    await this.making;
    return { producerId: `producer-${++this.#made}` };
  }
  setPaused() {
    return Promise.resolve();
  }
  closeProducer(producerId: string) {
    this.closedProducers.push(producerId);
  }
  setCapabilities() {}
  /** By producer: what ends it for this caller. */
  readonly ending = new Map<string, () => void>();
  /** The consumers of a producer that wait for this. */
  readonly consuming = new Map<string, Promise<void>>();
  async consume(producerId: string, onClosed: (consumerId: string) => void) {
    await this.consuming.get(producerId);
    this.ending.set(producerId, () => onClosed(`consumer of ${producerId}`));
    return { consumerId: `consumer of ${producerId}`, producerId, kind: 'audio', rtpParameters: {} };
  }
  close() {
    this.closed = true;
  }
}

let clock: ManualClock;
let endpoints: FakeEndpoint[];
let packets: Subject<Uint8Array>[];
let events: MediaEvent[];
let server: MediaServer;

beforeEach(async () => {
  [clock, endpoints, packets, events] = [new ManualClock(), [], [], []];
  const room = {
    rtpCapabilities: {},
    speakers$: NEVER,
    createVoice: () =>
      Promise.resolve({ producerId: 'voice', ssrc: 1, payloadType: 100, send: () => {}, close: () => {} }),
    createEndpoint: () => {
      const endpoint = new FakeEndpoint();
      endpoints.push(endpoint);
      return Promise.resolve(endpoint);
    },
    tap: () => {
      const packet$ = new Subject<Uint8Array>();
      packets.push(packet$);
      return Promise.resolve({ packet$, close: () => {} });
    },
    close: () => {},
  };
  const rtc = { createRoom: () => Promise.resolve(room), close: () => Promise.resolve() } as unknown as RtcServer;
  server = new MediaServer({
    rtc,
    clock,
    log: silentLog,
    postTurn: () => undefined,
    postEvent: (event) => events.push(event),
  });
  await server.request('room.open', { room: 'a' });
  await server.request('endpoint.open', { room: 'a', endpoint: 'e', participant: 'ann' });
  return () => server.close();
});

const produce = (source: 'microphone' | 'camera' = 'microphone') =>
  server.request('produce', { endpoint: 'e', transportId: 'send', source, rtpParameters: {} });

describe('fault 46, a microphone that floods', () => {
  const row = { lease: 1, engine: 0, microTurnMs: 200, inputHz: 16_000, zeroMs: 0 };
  const flood = (ms: number) => {
    for (let i = 0; i < ms; i++) {
      clock.advance(1);
      for (let n = 0; n < 25; n++) packets.at(-1)!.next(Uint8Array.of(0));
    }
  };

  it('is closed where it goes on for a second, and the next one of its participant is heard', async () => {
    await server.request('row.start', { endpoint: 'e', row });
    const { producerId } = await produce();
    flood(900);
    expect(endpoints[0]!.closedProducers).toEqual([]);
    flood(300);
    expect(endpoints[0]!.closedProducers).toEqual([producerId]);
    expect(events).toEqual([{ type: 'uplink.flooded', endpoint: 'e', producerId }]);
    expect(packets[0]!.observed).toBe(false);
    await produce();
    for (let i = 0; i < 100; i++) {
      clock.advance(20);
      packets.at(-1)!.next(Uint8Array.of(0));
    }
    expect(events).toHaveLength(1);
    expect(packets[1]!.observed).toBe(true);
  });

  it('is closed again as soon as it floods again, also in another track', async () => {
    await server.request('row.start', { endpoint: 'e', row });
    await produce();
    flood(1200);
    const { producerId } = await produce();
    flood(50);
    expect(events.slice(1)).toEqual([{ type: 'uplink.flooded', endpoint: 'e', producerId }]);
  });

  it('is closed where it is muted and unmuted before the second is over', async () => {
    await server.request('row.start', { endpoint: 'e', row });
    const { producerId } = await produce();
    flood(900);
    for (const muted of [true, false]) {
      await server.request('producer.mute', { endpoint: 'e', producerId, muted });
      clock.advance(50);
    }
    expect(events).toEqual([]);
    flood(900);
    expect(events).toEqual([{ type: 'uplink.flooded', endpoint: 'e', producerId }]);
  });
});

describe('a track that is made while its caller is lost', () => {
  it.each(['endpoint.suspend', 'endpoint.reopen'] as const)('is none after %s', async (method) => {
    let made = () => {};
    endpoints[0]!.making = new Promise((resolve) => (made = resolve));
    const late = produce('camera');
    await server.request(method, { endpoint: 'e' });
    made();
    await expect(late).rejects.toMatchObject({ code: 'protocol/state' });
    // So nothing is in the way of another, and nobody is offered what is not there.
    if (method === 'endpoint.suspend') await server.request('endpoint.reopen', { endpoint: 'e' });
    await expect(produce('camera')).resolves.toMatchObject({ kind: 'video' });
  });
});

it('a track that ends while others are still being offered is not offered', async () => {
  await server.request('endpoint.open', { room: 'a', endpoint: 'f', participant: 'bob' });
  const [microphone, camera] = [await produce(), await produce('camera')];
  let made = () => {};
  const bobs = endpoints[1]!;
  bobs.consuming.set(camera.producerId, new Promise((resolve) => (made = resolve)));
  const subscribed = server.request('subscribe', { endpoint: 'f', rtpCapabilities: {} });
  await vi.waitFor(() => expect(bobs.ending.has(microphone.producerId)).toBe(true));
  bobs.ending.get(microphone.producerId)!();
  made();
  const { tracks } = await subscribed;
  expect(tracks.map(({ producerId }) => producerId)).toEqual(['voice', camera.producerId]);
  expect(events).toEqual([
    { type: 'track.removed', endpoint: 'f', consumerId: `consumer of ${microphone.producerId}` },
  ]);
});
