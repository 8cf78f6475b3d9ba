import { WebhookReceiver, type WebhookEvent } from 'livekit-server-sdk';
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { bundledThread } from '../engine/fixtures/bundled-thread.js';
import { RoomRegistry, type SessionMedia } from '../session/index.js';
import { silentLog } from '../telemetry/index.js';
import { Webhooks } from './webhooks.js';

const keys = { one: '1'.repeat(32), two: '2'.repeat(32) };
const media: SessionMedia = { request: () => Promise.resolve({ rtpCapabilities: {} } as never) };
const ann = { identity: 'ann', name: 'Ann', attributes: { seat: 'A' }, hidden: false };
const microphone = { id: 'm1', source: 'microphone', kind: 'audio', muted: false } as const;

/** The app's server: keeps what it gets, and answers as it is told to. */
let server: Server;
let url: string;
let bodies: { body: string; authorization: string; type: string }[];
let statuses: (number | 'never')[];
/** Pauses that were asked for; each is over at once, but the one of closing. */
let pausesMs: number[];
let closeAtOnce: boolean;

beforeEach(async () => {
  [bodies, statuses, pausesMs, closeAtOnce] = [[], [], [], false];
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const { authorization = '', 'content-type': type = '' } = request.headers;
      bodies.push({ body, authorization, type });
      const status = statuses.shift() ?? 200;
      if (status !== 'never') response.writeHead(status, { location: url }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function open(key?: string): { webhooks: Webhooks; rooms: RoomRegistry<unknown> } {
  const webhooks = new Webhooks({
    urls: [url],
    keys: () => keys,
    key,
    log: silentLog,
    random: () => 0.25,
    after: (ms, fn) => {
      pausesMs.push(ms);
      // What is left when it closes has a second, which here is over at once or never.
      if (ms === 1000 && !closeAtOnce) return () => undefined;
      const timer = setTimeout(fn);
      return () => clearTimeout(timer);
    },
  });
  return { webhooks, rooms: new RoomRegistry(media, { watch: webhooks.watch }) };
}

/** As the app's server reads them, with LiveKit's own receiver. */
function received(key: keyof typeof keys = 'one'): Promise<WebhookEvent[]> {
  const receiver = new WebhookReceiver(key, keys[key]);
  return Promise.all(bodies.map(({ body, authorization }) => receiver.receive(body, authorization)));
}

describe('webhooks', () => {
  it('tell of a room and of everybody in it, in order, and LiveKit’s receiver takes them', async () => {
    const { webhooks, rooms } = open();
    const stay = await rooms.enter('den', 'ann');
    const seat = stay.room.roster.join(ann);
    seat.publish(microphone);
    stay.room.roster.join({ identity: 'ear', attributes: {}, hidden: true }).leave();
    seat.goAway();
    seat.leave();
    await stay.leave();
    await webhooks.close();
    const events = await received();
    expect(events.map(({ event, participant, track }) => [event, participant?.identity, track?.sid])).toEqual([
      ['room_started', undefined, undefined],
      ['participant_joined', 'ann', undefined],
      ['track_published', 'ann', 'm1'],
      ['participant_joined', 'ear', undefined],
      ['participant_left', 'ear', undefined],
      ['track_unpublished', 'ann', 'm1'],
      ['participant_left', 'ann', undefined],
      ['room_finished', undefined, undefined],
    ]);
    expect(events[1]).toMatchObject({ room: { name: 'den', numParticipants: 1 }, participant: { name: 'Ann' } });
    expect(Number(events[1]!.createdAt)).toBeCloseTo(Date.now() / 1000, -2);
    expect(new Set(events.map(({ id }) => id)).size).toBe(8);
    expect(bodies[0]!.type).toBe('application/webhook+json');
  });

  it('are signed with the key that is named, and with no other', async () => {
    const { webhooks, rooms } = open('two');
    await rooms.enter('den', 'ann');
    await webhooks.close();
    expect((await received('two'))[0]?.event).toBe('room_started');
    await expect(received('one')).rejects.toThrow();
    const [{ body, authorization }] = bodies as [(typeof bodies)[0]];
    const changed = body.replace('den', 'attic');
    await expect(new WebhookReceiver('two', keys.two).receive(changed, authorization)).rejects.toThrow('checksum');
  });

  it('are sent again where the server fails, each time later, and the next waits for it', async () => {
    statuses = [503, 429, 200];
    const { webhooks, rooms } = open();
    await (await rooms.enter('den', 'ann')).leave();
    await webhooks.close();
    expect((await received()).map(({ event }) => event)).toEqual([
      ...['room_started', 'room_started', 'room_started'],
      'room_finished',
    ]);
    expect(new Set(bodies.map(({ body }) => body)).size).toBe(2);
    expect(pausesMs.filter((ms) => ms !== 1000)).toEqual([375, 750]);
  });

  it('are given up after six attempts, and at once where the server refuses or sends them elsewhere', async () => {
    statuses = [500, 500, 500, 500, 500, 500, 400, 302, 200];
    const { webhooks, rooms } = open();
    for (const room of ['a', 'b']) await (await rooms.enter(room, 'ann')).leave();
    await webhooks.close();
    const events = await received();
    expect(events).toHaveLength(9);
    expect(events.slice(5).map(({ event, room }) => `${event} ${room?.name}`)).toEqual([
      'room_started a',
      'room_finished a',
      'room_started b',
      'room_finished b',
    ]);
  });

  it('hold nobody up: of very many that wait the oldest go, and closing does not wait for a server that never answers', async () => {
    statuses = ['never'];
    const { webhooks, rooms } = open();
    for (let i = 0; i < 600; i++) await (await rooms.enter(`room-${i}`, 'ann')).leave();
    await vi.waitFor(() => expect(bodies).toHaveLength(1));
    closeAtOnce = true;
    await webhooks.close();
    expect(bodies).toHaveLength(1);
    // What comes after that goes nowhere.
    await rooms.enter('late', 'ann');
    expect(bodies).toHaveLength(1);
  });

  it('fault 48, of very many the tracks go first: who has left is told, whatever one participant does', async () => {
    let answer = () => {};
    const first = new Promise<void>((resolve) => (answer = resolve));
    const bodies: string[] = [];
    const webhooks = new Webhooks({
      urls: ['http://127.0.0.1:1'],
      keys: () => keys,
      log: silentLog,
      after: () => () => undefined,
      post: async (_url, init) => {
        bodies.push(init!.body as string);
        await first;
        return new Response();
      },
    });
    const rooms = new RoomRegistry(media, { watch: webhooks.watch });
    const { roster } = (await rooms.enter('den', 'ann')).room;
    const [seat, bob] = [roster.join(ann), roster.join({ ...ann, identity: 'bob' })];
    const turns = (count: number) => {
      for (let i = 0; i < count; i++) {
        seat.publish(microphone);
        seat.unpublish(microphone.id);
      }
    };
    turns(500);
    bob.leave();
    turns(500);
    answer();
    await webhooks.close();
    const events = bodies.map((body) => JSON.parse(body) as { event: string; participant?: { identity: string } });
    expect(events.filter(({ event }) => !event.startsWith('track')).map(({ event }) => event)).toEqual([
      'room_started',
      'participant_joined',
      'participant_joined',
      'participant_left',
    ]);
    expect(events).toHaveLength(1025);
    expect(events.at(-1)!.event).toBe('track_unpublished');
  });

  it('are sent again where no answer comes within 5 s, and what an answer holds is not left open', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    let [attempts, cancelled] = [0, 0];
    let limit: AbortSignal | undefined;
    const webhooks = new Webhooks({
      urls: [url],
      keys: () => keys,
      log: silentLog,
      after: (_, fn) => (queueMicrotask(fn), () => undefined),
      post: (_, { signal } = {}) => {
        if (++attempts > 1)
          return Promise.resolve(new Response(new ReadableStream({ cancel: () => void cancelled++ })));
        limit = signal!;
        return new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason as Error)));
      },
    });
    await new RoomRegistry(media, { watch: webhooks.watch }).enter('den', 'ann');
    // As `vi.waitFor` does, but for the time: that goes on by itself there.
    const until = async (isSo: () => boolean) => {
      while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
    };
    await until(() => attempts === 1);
    await vi.advanceTimersByTimeAsync(4999);
    expect(limit!.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(limit!.aborted).toBe(true);
    await until(() => attempts === 2 && cancelled === 1);
  });

  it('close in order also where nothing else keeps the process alive', async () => {
    const program = await bundledThread(new URL('./fixtures/closing-webhooks.ts', import.meta.url));
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(program.url)]);
      expect(stdout).toBe('closed\n');
    } finally {
      await program.remove();
    }
  });

  it('go nowhere where no address is given', async () => {
    const webhooks = new Webhooks({ urls: [], keys: () => ({}), log: silentLog, after: () => () => undefined });
    await new RoomRegistry(media, { watch: webhooks.watch }).enter('den', 'ann');
    await webhooks.close();
    expect(bodies).toEqual([]);
  });
});
