import { MicroturnError, type ClientMessageOf, type RosterMessage, type SessionEvent } from '@microturn/protocol';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { InputRole } from '../engine/manifest.js';
import type { Decision } from '../engine/types.js';
import { RoomRegistry, type SessionEngine, type SessionMedia, type SessionVoice } from '../session/index.js';
import { Agents } from '../recipes/index.js';
import { MemoryStore, SessionRecorder, type Stamp } from '../store/index.js';
import { silentLog } from '../telemetry/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import type { SpeakRequest } from '../voice/index.js';
import { AccessToken } from 'livekit-server-sdk';
import { Call, type CallParts, type Carrier } from './call.js';
import { Gate } from './gate.js';
import { Turnstile } from './turnstile.js';

const keys = { key: 'a secret that is thirty-two long!' };

/** A client's socket, as far as a call knows it. */
class Socket implements Carrier {
  readonly events: SessionEvent[] = [];
  readonly ends: { code: string; resumable: boolean }[] = [];
  readonly rosterMessages: RosterMessage[] = [];
  roster(message: RosterMessage): void {
    this.rosterMessages.push(message);
  }
  end(error: MicroturnError, resumable: boolean): void {
    this.ends.push({ code: error.code, resumable });
  }
  get seqs(): number[] {
    return this.events.map(({ seq }) => seq);
  }
  readonly listener = (event: SessionEvent) => void this.events.push(event);
}

type Reset = (error: MicroturnError, snapshotAgeMs: number | undefined) => void;

class World {
  readonly clock: ManualClock;
  readonly store: MemoryStore;
  readonly recorder: SessionRecorder;
  readonly requests: string[] = [];
  readonly endpoints = new Set<string>();
  readonly rowsStarted: { lease: number; zeroMs: number; ref?: boolean }[] = [];
  /** What the model takes. */
  readonly inputs: InputRole[] = ['pcm'];
  readonly leases = new Map<number, { decide: (decision: Decision) => void; reset: Reset }>();
  readonly spoken: SpeakRequest[] = [];
  /** Ends the making of what was asked to be spoken. */
  readonly made = new Map<SpeakRequest, () => void>();
  readonly calls = new Map<string, Call>();
  readonly resumable = new Map<string, Call>();
  readonly turnstile = new Turnstile();
  readonly rooms: RoomRegistry<Call>;
  readonly parts: CallParts;
  mediaGone = false;
  /** What the language model of a row has used, where one speaks there. */
  spent: { tokensIn: number; tokensOut: number; cost: number } | undefined;
  /** What the listener has heard, as the media thread answers. */
  heard: { responseId: string; heardMs: number }[] = [];
  #lease = 0;
  #produced = 0;

  /** @param store of the process before, and @param startMs when this one began */
  constructor(store = new MemoryStore(), startMs = 0, model = '1') {
    this.clock = new ManualClock(startMs);
    this.store = store;
    const now = (): Stamp => ({ wallMs: this.clock.now(), monotonicMs: this.clock.now(), bootId: 'this boot' });
    // It writes when it is told to.
    this.recorder = new SessionRecorder({ store, log: silentLog, after: () => () => undefined, now });
    const media: SessionMedia = {
      request: async (method, params) => {
        await Promise.resolve();
        if (this.mediaGone) throw new MicroturnError('edge/worker-died');
        this.requests.push(method);
        const { endpoint } = params as { endpoint: string };
        if (method === 'endpoint.open') this.endpoints.add(endpoint);
        if (method === 'endpoint.close') this.endpoints.delete(endpoint);
        if (method === 'row.start') this.rowsStarted.push((params as { row: World['rowsStarted'][0] }).row);
        if (method === 'produce') return { producerId: `p${++this.#produced}`, kind: 'audio' } as never;
        return { rtpCapabilities: {}, sendTransport: {}, recvTransport: {}, heard: this.heard } as never;
      },
    };
    const engine: SessionEngine = {
      assertRoom: () => undefined,
      info: {
        name: 'scripted',
        version: model,
        microTurnMs: 200,
        inputHz: 16_000,
        capabilities: [],
        inputs: this.inputs,
      },
      lease: (decide, _failed, reset) => {
        const id = ++this.#lease;
        this.leases.set(id, { decide, reset });
        return {
          id,
          engine: 0,
          zeroMs: Math.ceil(this.clock.now() / 200) * 200,
          ...(this.spent && { spent: this.spent }),
          release: () => void this.leases.delete(id),
        };
      },
    };
    const voice: SessionVoice = {
      speak: (request) => {
        this.spoken.push(request);
        return new Promise((resolve) => this.made.set(request, () => resolve(undefined)));
      },
      end: () => undefined,
      cancel: () => undefined,
    };
    this.rooms = new RoomRegistry(media);
    this.parts = {
      clock: this.clock,
      log: silentLog,
      keys,
      iceServers: [],
      media,
      engine,
      voice,
      agents: new Agents(
        { byName: new Map(), first: undefined },
        { clock: this.clock, after: this.clock.after, log: silentLog, env: {} },
      ),
      rooms: this.rooms,
      calls: this.calls,
      resumable: this.resumable,
      turnstile: this.turnstile,
      gate: new Gate(2),
      recorder: this.recorder,
      resumeMs: 120_000,
      after: this.clock.after,
      onDecision: () => undefined,
    };
  }

  async join(
    socket: Socket,
    {
      identity = 'ann',
      room = 'den',
      roomAdmin = false,
      attributes = {},
      audience,
      resume,
    }: {
      identity?: string;
      room?: string;
      roomAdmin?: boolean;
      attributes?: Record<string, string>;
      audience?: 'room' | 'self';
      resume?: { resumeToken: string; lastSeq: number };
    } = {},
  ) {
    const minted = new AccessToken('key', keys.key, { identity, attributes });
    minted.addGrant({ roomJoin: true, room, roomAdmin });
    const token = await minted.toJwt();
    const message: ClientMessageOf<'join'> = {
      type: 'join',
      id: 1,
      protocol: 1,
      token,
      ...(audience && { audience }),
      ...(resume && { resume }),
    };
    const { call, joined } = await Call.open(this.parts, message);
    const participants = call.attach(socket);
    if (joined.resumed) call.session.resume(resume?.lastSeq ?? 0, socket.listener);
    else call.session.start(socket.listener);
    return { call, joined, participants };
  }

  decide(index: number, decision: Partial<Decision> = {}): void {
    for (const [lease, { decide }] of this.leases) {
      decide({
        lease,
        index,
        words: [],
        floor: 'silent',
        confidence: 1,
        say: '',
        acts: [],
        stepMs: 1,
        lagMs: 1,
        ...decision,
      });
    }
  }

  /** What is held by anybody, in any part. */
  get held() {
    return {
      rows: this.leases.size,
      endpoints: this.endpoints.size,
      calls: this.calls.size,
      resumable: this.resumable.size,
      rooms: this.rooms.size,
      timers: this.clock.pending,
      turnstile: this.turnstile.size,
    };
  }
}
const nothing = { rows: 0, endpoints: 0, calls: 0, resumable: 0, rooms: 0, timers: 0, turnstile: 0 };
const settled = () => new Promise((resolve) => setTimeout(resolve));

let world: World;
let socket: Socket;
beforeEach(() => {
  world = new World();
  socket = new Socket();
});

describe('what a call has used', () => {
  const usage = async () => {
    const { call } = await world.join(socket);
    call.session.close('client');
    return socket.events.find(({ type }) => type === 'session.usage');
  };

  it('has the tokens of the language model that spoke in it, and their cost', async () => {
    world.spent = { tokensIn: 1200, tokensOut: 80, cost: 0.02 };
    expect(await usage()).toMatchObject({ tokensIn: 1200, tokensOut: 80, cost: 0.02 });
  });

  it('of the bundle alone are no tokens, and no cost', async () => {
    const event = await usage();
    expect(event).toMatchObject({ tokensIn: 0, tokensOut: 0 });
    expect(event).not.toHaveProperty('cost');
  });
});

describe('a call whose socket drops', () => {
  it('fault 7, the network drops for 5 s: the same session, every event once and in order, on fresh transports', async () => {
    const { call, joined } = await world.join(socket);
    world.decide(0, { floor: 'speaking' });
    call.detach(socket);
    for (let index = 1; index <= 25; index++) {
      world.clock.advance(200);
      world.decide(index, { floor: index % 2 ? 'silent' : 'speaking' });
    }
    const again = new Socket();
    const resume = { resumeToken: joined.resumeToken, lastSeq: socket.seqs.at(-1)! };
    const back = await world.join(again, { resume });
    expect(back.call).toBe(call);
    expect(back.joined).toMatchObject({ resumed: true, sessionId: joined.sessionId, sessionMs: 5000 });
    const all = [...socket.events, ...again.events];
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1));
    expect(again.events.at(-1)).toMatchObject({ type: 'session.resumed', lostMs: 0, at: 5000, turn: 25 });
    expect(world.requests.slice(-2)).toEqual(['endpoint.suspend', 'endpoint.reopen']);
    expect(world.held).toEqual({ rows: 1, endpoints: 1, calls: 1, resumable: 1, rooms: 1, timers: 0, turnstile: 0 });
  });

  it('replays from wherever the client was', async () => {
    const { call, joined } = await world.join(socket);
    for (let index = 0; index < 20; index++) world.decide(index, { floor: index % 2 ? 'silent' : 'speaking' });
    call.detach(socket);
    const { resumeToken } = joined;
    for (let lastSeq = 0; lastSeq <= socket.events.length; lastSeq++) {
      const again = new Socket();
      await world.join(again, { resume: { resumeToken, lastSeq } });
      expect(again.seqs).toEqual(again.seqs.map((_, i) => lastSeq + 1 + i));
      call.detach(again);
    }
  });

  it('is told that a response was too long for its voice, and that it ends there', async () => {
    const { call } = await world.join(socket);
    const { responseId } = call.session.say('good morning to you');
    world.spoken[0]!.onClause({ text: 'good morning', words: [], lengthMs: 500, offsetMs: 0 });
    call.session.speechFull('of somebody else');
    expect(socket.events.filter(({ type }) => type === 'error')).toEqual([]);
    call.session.speechFull(responseId);
    const [error, interrupted] = socket.events.slice(-2);
    expect(error).toMatchObject({ type: 'error', code: 'voice/failed', retryable: true });
    expect(interrupted).toMatchObject({ type: 'response.interrupted', responseId, by: 'agent' });
    await settled();
    expect(world.requests).toContain('speech.cut');
  });

  it('is not spoken to: what plays is cut where it was heard, and what is said meanwhile is unheard', async () => {
    const { call, joined } = await world.join(socket);
    call.session.say('good morning to you');
    world.spoken[0]!.onClause({ text: 'good morning', words: [], lengthMs: 500, offsetMs: 0 });
    call.detach(socket);
    await settled();
    expect(world.requests).toContain('speech.cut');
    world.decide(3, { floor: 'yielded', say: 'hello' });
    call.session.say('anybody there');
    expect(world.spoken).toHaveLength(1);
    const again = new Socket();
    await world.join(again, { resume: { resumeToken: joined.resumeToken, lastSeq: socket.seqs.at(-1)! } });
    const unheard = again.events.filter(({ type }) => type === 'response.interrupted');
    expect(unheard).toMatchObject([
      { by: 'agent', heardMs: 0 },
      { by: 'agent', heardMs: 0, unheardText: 'hello' },
      { by: 'agent', heardMs: 0, unheardText: 'anybody there' },
    ]);
    world.decide(4, { floor: 'yielded', say: 'again' });
    expect(world.spoken.at(-1)).toMatchObject({ text: 'again' });
  });

  it('fault 8, away for 60 s: the row, the clock and the history are kept', async () => {
    const { call, joined } = await world.join(socket);
    call.detach(socket);
    world.clock.advance(60_000);
    const again = new Socket();
    const back = await world.join(again, { resume: { resumeToken: joined.resumeToken, lastSeq: 1 } });
    expect(back.joined).toMatchObject({ resumed: true, sessionMs: 60_000 });
    expect(world.leases.size).toBe(1);
  });

  it('fault 9, away for 180 s: the session ends, says session/expired to whoever comes, and holds nothing', async () => {
    const { call, joined } = await world.join(socket);
    call.detach(socket);
    world.clock.advance(180_000);
    await settled();
    expect(world.held).toEqual(nothing);
    const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
    await expect(world.join(new Socket(), { resume })).rejects.toMatchObject({ code: 'session/expired' });
    expect(world.held).toEqual(nothing);
  });

  it('may be taken over from a socket that the edge believes alive', async () => {
    const { call, joined } = await world.join(socket);
    const again = new Socket();
    await world.join(again, { resume: { resumeToken: joined.resumeToken, lastSeq: 1 } });
    expect(socket.ends).toEqual([{ code: 'session/replaced', resumable: true }]);
    call.detach(socket); // Its end is noticed late, and is nobody's any more.
    expect(world.clock.pending).toBe(0);
    await call.leave(socket, 'left');
    expect(call.closed).toBe(false);
  });

  it('is only for who it was: another room, another identity and a guess are refused alike', async () => {
    const { call, joined } = await world.join(socket);
    call.detach(socket);
    const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
    for (const wrong of [
      { resume, identity: 'bob' },
      { resume, room: 'other' },
      { resume: { ...resume, resumeToken: 'guess' } },
    ]) {
      await expect(world.join(new Socket(), wrong)).rejects.toMatchObject({ code: 'session/expired' });
    }
    const message: ClientMessageOf<'join'> = { type: 'join', id: 1, protocol: 1, token: 'forged', resume };
    await expect(Call.open(world.parts, message)).rejects.toMatchObject({ code: 'auth/denied' });
    expect(call.closed).toBe(false);
  });

  it('ends at once where the client closes its transports first, and its socket in order after that', async () => {
    const { call } = await world.join(socket);
    call.drop(new MicroturnError('net/ice-failed'));
    expect(call.closed).toBe(false);
    await call.leave(socket, 'left');
    expect(world.held).toEqual(nothing);
  });

  it('ends at once where the client leaves, and cannot be resumed', async () => {
    const { call, joined } = await world.join(socket);
    await call.leave(socket, 'left');
    expect(world.held).toEqual(nothing);
    const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
    await expect(world.join(new Socket(), { resume })).rejects.toMatchObject({ code: 'session/expired' });
  });
});

it('a room stays open until the last of its callers has left', async () => {
  const ann = await world.join(socket);
  await world.join(new Socket(), { identity: 'bob' });
  await ann.call.leave(socket, 'left');
  expect(world.held).toMatchObject({ rows: 1, rooms: 1 });
  expect(world.requests).not.toContain('room.close');
});

describe('who is in a room', () => {
  const produce = { type: 'produce' as const, id: 2, transportId: 't', rtpParameters: { codecs: [{}] } };
  const identities = (list: readonly { identity: string }[]) => list.map(({ identity }) => identity);

  it('is told to the newcomer and, as it changes, to the others', async () => {
    const ann = await world.join(socket);
    const bob = await world.join(new Socket(), { identity: 'bob' });
    expect(identities(ann.participants)).toEqual(['ann']);
    expect(identities(bob.participants)).toEqual(['ann', 'bob']);
    const { producerId } = await bob.call.produce({ ...produce, source: 'microphone' });
    await bob.call.setMuted(producerId, true);
    await bob.call.unpublish(producerId);
    await bob.call.close('left');
    const tracks = socket.rosterMessages.map((message) => 'participant' in message && message.participant.tracks);
    expect(socket.rosterMessages.map(({ type }) => type)).toEqual([
      'participant.joined',
      'participant.updated',
      'participant.updated',
      'participant.updated',
      'participant.left',
    ]);
    expect(tracks).toMatchObject([[], [{ id: producerId, muted: false }], [{ muted: true }], [], false]);
  });

  it('shows one whose socket dropped as away, until they are back or their time is up', async () => {
    const { call, joined } = await world.join(socket);
    await call.produce({ ...produce, source: 'microphone' });
    const witness = new Socket();
    await world.join(witness, { identity: 'bob' });
    const last = () => witness.rosterMessages.at(-1);
    call.detach(socket);
    expect(last()).toMatchObject({ participant: { identity: 'ann', away: true, tracks: [] } });
    const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
    const back = await world.join(socket, { resume });
    expect(identities(back.participants)).toEqual(['ann', 'bob']);
    expect(last()).toMatchObject({ participant: { identity: 'ann', away: false } });
    call.detach(socket);
    world.clock.advance(180_000);
    expect(last()).toEqual({ type: 'participant.left', identity: 'ann' });
  });

  it('is muted and removed by whoever has the grant, and by nobody else', async () => {
    const { call: ann } = await world.join(socket);
    const { call: bob } = await world.join(new Socket(), { identity: 'bob' });
    const { call: chair } = await world.join(new Socket(), { identity: 'chair', roomAdmin: true });
    const { producerId } = await ann.produce({ ...produce, source: 'microphone' });
    expect(() => bob.administer('ann')).toThrow(expect.objectContaining({ code: 'auth/forbidden' }));
    expect(() => chair.administer('cyd')).toThrow(expect.objectContaining({ code: 'room/unknown' }));
    await expect(chair.administer('ann').muteFromOutside('p99')).rejects.toMatchObject({ code: 'room/unknown' });
    await chair.administer('ann').muteFromOutside(producerId);
    expect(socket.rosterMessages.slice(-2)).toMatchObject([
      { type: 'participant.updated', participant: { tracks: [{ muted: true }] } },
      { type: 'track.muted', producerId, source: 'microphone' },
    ]);
    await chair.administer('ann').end(new MicroturnError('session/removed'));
    expect(socket.ends).toEqual([{ code: 'session/removed', resumable: false }]);
    expect(ann.closed).toBe(true);
    expect(world.held).toMatchObject({ rows: 2, calls: 2 });
  });
});

describe('what the agent says in a room', () => {
  const texts = () => world.spoken.map(({ text }) => text);
  const endMaking = async () => {
    for (const made of world.made.values()) made();
    await settled();
  };
  const typesAt = ({ events }: Socket) => events.map(({ type }) => type).filter((type) => type.startsWith('response.'));

  let bobs: Socket;
  beforeEach(async () => {
    await world.join(socket);
    bobs = new Socket();
    await world.join(bobs, { identity: 'bob' });
  });

  it('is one response at a time: of two rows that speak in one micro-turn the earlier wins, and the other waits', async () => {
    world.decide(0, { floor: 'yielded', say: 'hello' });
    expect(texts()).toEqual(['hello']);
    await endMaking();
    world.clock.advance(200);
    world.decide(1);
    await settled();
    expect(texts()).toEqual(['hello', 'hello']);
    expect(world.spoken[0]!.responseId).not.toBe(world.spoken[1]!.responseId);
    expect(world.spoken.map(({ voiceKey }) => voiceKey)).toEqual(['room:den', 'room:den']);
  });

  it('is not said after its moment, however long another speaks', async () => {
    const [anns] = world.calls.values();
    world.decide(0, { floor: 'yielded', say: 'hello' });
    anns!.session.speechMoved('speech-started', world.spoken[0]!.responseId, world.clock.now());
    world.clock.advance(2200);
    world.decide(11);
    await endMaking();
    expect(texts()).toEqual(['hello']);
    expect(bobs.events.filter(({ type }) => type === 'response.interrupted')).toMatchObject([
      { by: 'agent', heardMs: 0 },
    ]);
  });

  it('is told to everybody there, once, as their own session counts', async () => {
    const [annsCall] = world.calls.values();
    const { responseId } = annsCall!.session.say('good morning');
    world.spoken[0]!.onClause({ text: 'good morning', words: [], lengthMs: 500, offsetMs: 0 });
    await annsCall!.close('left');
    expect(typesAt(bobs)).toEqual(['response.started', 'response.text', 'response.interrupted']);
    expect(bobs.events.find(({ type }) => type === 'response.started')).toMatchObject({ responseId, audience: 'room' });
    expect(bobs.seqs).toEqual(bobs.seqs.map((_, i) => i + 1));
  });

  it('is stopped by anybody there, by voice or by their client', async () => {
    const [anns, bobsCall] = world.calls.values();
    for (const stop of [() => world.decide(1, { acts: ['stop'] }), () => bobsCall!.session.interrupt(undefined)]) {
      const { responseId } = anns!.session.say('a long story');
      anns!.session.speechMoved('speech-started', responseId, world.clock.now());
      world.leases.delete(1);
      await stop();
      expect(socket.events.at(-1)).toMatchObject({ type: 'response.cut', responseId });
      expect(bobs.events.findLast(({ type }) => type === 'response.cut')).toMatchObject({ responseId });
    }
    expect(bobs.events.filter(({ type }) => type === 'interruption')).toMatchObject([
      { kind: 'barge-in', participant: 'bob', taken: true },
    ]);
    expect(world.requests.filter((method) => method === 'speech.cut')).toHaveLength(2);
  });

  it('to one participant goes to their own voice at once, and nobody else is told', async () => {
    const [anns, bobsCall] = world.calls.values();
    anns!.session.say('to everybody');
    const { responseId } = bobsCall!.session.say('in your ear', 'self');
    await settled();
    expect(world.requests).toContain('voice.open');
    expect(world.spoken.at(-1)).toMatchObject({ responseId, voiceKey: `endpoint:${bobsCall!.session.endpoint}` });
    expect(bobs.events).toContainEqual(
      expect.objectContaining({ type: 'response.started', responseId, audience: { participant: 'bob' } }),
    );
    expect(socket.events.filter((event) => 'responseId' in event && event.responseId === responseId)).toEqual([]);
  });

  it('is to one participant alone where their token says so, whatever their client says', async () => {
    const cyds = new Socket();
    const { call } = await world.join(cyds, {
      identity: 'cyd',
      attributes: { 'mt.audience': 'self' },
      audience: 'room',
    });
    expect(world.requests.filter((method) => method === 'voice.open')).toHaveLength(1);
    world.leases.delete(1);
    world.leases.delete(2);
    world.decide(0, { floor: 'yielded', say: 'well done' });
    await settled();
    expect(world.spoken).toMatchObject([{ text: 'well done', voiceKey: `endpoint:${call.session.endpoint}` }]);
    expect([typesAt(socket), typesAt(bobs)]).toEqual([[], []]);
    await expect(
      world.join(new Socket(), { identity: 'dan', attributes: { 'mt.audience': 'all' } }),
    ).rejects.toMatchObject({ code: 'auth/forbidden' });
  });
});

describe('a participant who joins again', () => {
  it('fault 41, with the same identity: the older call is replaced, and there is one agent', async () => {
    const first = await world.join(socket);
    await world.join(new Socket());
    expect(socket.ends).toEqual([{ code: 'session/replaced', resumable: false }]);
    expect(first.call.closed).toBe(true);
    expect(world.held).toMatchObject({ rows: 1, endpoints: 1, calls: 1, resumable: 1 });
  });

  it('fault 41, many times at once: one is left', async () => {
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => world.join(new Socket())));
    await settled();
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
    expect(world.held).toMatchObject({ rows: 1, endpoints: 1, calls: 1, resumable: 1, rooms: 1, turnstile: 0 });
  });

  it('fault 42, joins and leaves 1000 times: nothing is left', async () => {
    for (let i = 0; i < 1000; i++) {
      const { call } = await world.join(socket);
      if (i % 3 === 0) call.detach(socket);
      else await call.leave(socket, 'left');
      world.clock.advance(50);
    }
    world.clock.advance(120_000);
    await settled();
    expect(world.held).toEqual(nothing);
  });
});

describe('fault 3, the edge is killed, and another takes its place', () => {
  const word = (text: string, endMs: number) => ({ text, startMs: endMs - 400, endMs });

  it('the same session goes on: its clock, its events once each, and its history up to what was heard', async () => {
    const { call, joined } = await world.join(socket);
    world.clock.advance(1000);
    const { responseId } = call.session.say('good morning to you all');
    const [request] = world.spoken;
    const words = [word('good', 400), word('morning', 800), word('to', 1200)];
    request!.onClause({ text: 'good morning to', words, lengthMs: 1200, offsetMs: 0 });
    world.heard = [{ responseId, heardMs: 800 }];
    await call.session.heard({ audience: 'room', rtpTimestamp: 1, outputLatencyMs: 0, state: 'playing' });
    world.decide(5, { words: [{ text: 'hello', endMs: 1100, confidence: 1 }] });
    await world.recorder.flush();
    world.clock.advance(150);
    world.decide(6, { floor: 'speaking' }); // told to the client, and not saved

    const next = new World(world.store, 3150);
    const again = new Socket();
    const resume = { resumeToken: joined.resumeToken, lastSeq: socket.seqs.at(-1)! };
    const back = await next.join(again, { resume });
    expect(back.joined).toMatchObject({ resumed: true, sessionId: joined.sessionId, resumeToken: joined.resumeToken });
    // 3150 ms after its zero; its lane has the boundaries at whole micro-turns.
    expect(back.joined.sessionMs).toBe(3150);
    const all = [...socket.events, ...again.events];
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1));
    expect(again.events).toMatchObject([
      {
        type: 'response.interrupted',
        responseId,
        by: 'agent',
        heardMs: 800,
        heardText: 'good morning',
        unheardText: 'to',
      },
      { type: 'floor.changed', floor: 'silent' },
      { type: 'session.resumed', lostMs: 2150, at: 3150, turn: 15 },
    ]);
    expect(again.events.at(-1)).not.toHaveProperty('model');
    expect([next.spoken, next.rowsStarted]).toMatchObject([[], [{ zeroMs: 0 }]]);

    const fresh = back.call.session.say('where was I');
    expect(fresh.responseId).not.toBe(responseId);
    next.decide(16, { words: [{ text: 'yes', endMs: 3300, confidence: 1 }] });
    expect(again.events.at(-1)).toMatchObject({ type: 'transcript.word', text: 'yes' });
  });

  it('what the client had missed comes first, and what nobody saved is told as lost', async () => {
    const { joined } = await world.join(socket);
    for (let index = 0; index < 10; index++) {
      world.clock.advance(200);
      world.decide(index, { floor: index % 2 ? 'silent' : 'speaking' });
    }
    await world.recorder.flush();
    const next = new World(world.store, 4000);
    const again = new Socket();
    await next.join(again, { resume: { resumeToken: joined.resumeToken, lastSeq: 3 } });
    expect(again.seqs).toEqual(again.seqs.map((_, i) => 4 + i));
    expect(again.events.filter(({ at }) => at <= 2000)).toEqual(socket.events.slice(3));
    expect(again.events.at(-1)).toMatchObject({ type: 'session.resumed', lostMs: 2000 });
  });

  it('keeps the clock from going back, whatever the phase of its new lane', async () => {
    world = new World(undefined, 130);
    const { call, joined } = await world.join(socket);
    world.clock.advance(1000);
    const before = call.session.nowMs;
    world.decide(3, { floor: 'speaking' });
    await world.recorder.flush();
    const next = new World(world.store, 1130);
    const resume = { resumeToken: joined.resumeToken, lastSeq: 0 };
    const { sessionMs } = (await next.join(new Socket(), { resume })).joined;
    expect(sessionMs - before).toBeGreaterThanOrEqual(0);
    expect(sessionMs - before).toBeLessThan(200);
    expect((next.clock.now() - next.rowsStarted[0]!.zeroMs - sessionMs) % 200).toBe(0);
  });

  it('says so where the model is another one now', async () => {
    const { joined } = await world.join(socket);
    await world.recorder.flush();
    const next = new World(world.store, 1000, '2');
    const again = new Socket();
    const back = await next.join(again, { resume: { resumeToken: joined.resumeToken, lastSeq: 1 } });
    expect([back.joined.model, again.events.at(-1)]).toMatchObject(['scripted 2', { model: 'scripted 2' }]);
  });

  it('twice, and a socket that drops between: still each event once', async () => {
    const { joined } = await world.join(socket);
    await world.recorder.flush();
    const second = new World(world.store, 2000);
    const socket2 = new Socket();
    const resume = { resumeToken: joined.resumeToken, lastSeq: socket.seqs.at(-1)! };
    const { call } = await second.join(socket2, { resume });
    second.decide(11, { floor: 'speaking' });
    call.detach(socket2);
    second.decide(12, { floor: 'yielded' });
    await second.recorder.flush();
    const third = new World(world.store, 4000);
    const socket3 = new Socket();
    await third.join(socket3, { resume: { ...resume, lastSeq: socket2.seqs.at(-1)! } });
    const all = [...socket.seqs, ...socket2.seqs, ...socket3.seqs];
    expect(all).toEqual(all.map((_, i) => i + 1));
    expect(socket3.events.at(-1)).toMatchObject({ type: 'session.resumed', lostMs: 2000 });
  });

  it('counts the time away from when the client was lost, and expires with it', async () => {
    const { call, joined } = await world.join(socket);
    call.detach(socket);
    world.clock.advance(50_000);
    world.decide(250, { floor: 'speaking' });
    await world.recorder.flush();
    const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
    await expect(new World(world.store, 120_000).join(socket, { resume })).rejects.toMatchObject({
      code: 'session/expired',
    });
    const next = new World(world.store, 119_000);
    await expect(next.join(new Socket(), { resume, identity: 'bob' })).rejects.toMatchObject({
      code: 'session/expired',
    });
    expect(next.held).toEqual(nothing);
    expect((await next.join(new Socket(), { resume })).joined.resumed).toBe(true);
  });

  it('a session that ended before is over', async () => {
    const { call, joined } = await world.join(socket);
    await world.recorder.flush();
    await call.leave(socket, 'left');
    await world.recorder.flush();
    const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
    await expect(new World(world.store, 10).join(socket, { resume })).rejects.toMatchObject({
      code: 'session/expired',
    });
  });
});

it('fault 34, the wall clock is set on and back by an hour in mid-call: nothing moves, and the client comes back', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const { call, joined } = await world.join(socket);
    let carrier = socket;
    for (const [i, jumpMs] of [3_600_000, -7_200_000].entries()) {
      vi.setSystemTime(Date.now() + jumpMs);
      world.clock.advance(1000);
      world.decide(5 * i + 4, { floor: i === 0 ? 'speaking' : 'yielded' });
      expect(carrier.events.at(-1)).toMatchObject({ type: 'floor.changed', at: 1000 * (i + 1) });
      call.detach(carrier);
      const resume = { resumeToken: joined.resumeToken, lastSeq: carrier.seqs.at(-1)! };
      carrier = new Socket();
      const back = await world.join(carrier, { resume });
      expect(back.joined).toMatchObject({ resumed: true, sessionMs: 1000 * (i + 1) });
    }
  } finally {
    vi.useRealTimers();
  }
});

it('fault 24, one late micro-turn is counted, ten in a row are told, and not again at once', async () => {
  await world.join(socket);
  const late = () => socket.events.filter((event) => event.type === 'error' && event.code === 'engine/late');
  const decideAll = (from: number, to: number, lateMs: number) => {
    for (let index = from; index < to; index++) {
      world.clock.advance(Math.max(0, (index + 1) * 200 + lateMs - world.clock.now()));
      world.decide(index);
    }
  };
  decideAll(0, 1, 450);
  decideAll(3, 9, 0);
  expect(late()).toEqual([]);
  decideAll(9, 18, 450);
  expect(late()).toEqual([]);
  decideAll(18, 40, 450);
  expect(late()).toMatchObject([{ retryable: true, message: expect.stringContaining('10 micro-turns in a row') }]);
  decideAll(40, 90, 450);
  expect(late()).toHaveLength(2);
});

it('has the far end cut only for a model that takes it', async () => {
  await world.join(socket);
  world.inputs.push('ref');
  await world.join(new Socket(), { identity: 'other' });
  expect(world.rowsStarted.map(({ ref }) => ref)).toEqual([false, true]);
});

describe('a part of the edge that dies', () => {
  it('fault 1, the media worker: clients are told to come back, and the row goes on on the same clock', async () => {
    const { call, joined } = await world.join(socket);
    world.clock.advance(1000);
    world.mediaGone = true;
    call.drop(new MicroturnError('edge/worker-died'));
    expect(socket.ends).toEqual([{ code: 'edge/worker-died', resumable: true }]);
    const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
    await expect(world.join(new Socket(), { resume })).rejects.toMatchObject({
      code: 'edge/worker-died',
      retryable: true,
    });
    world.mediaGone = false;
    await world.rooms.restore();
    await call.restoreMedia();
    expect(world.rowsStarted).toEqual([world.rowsStarted[0], world.rowsStarted[0]]);
    const back = await world.join(new Socket(), { resume });
    expect(back.joined).toMatchObject({ resumed: true, sessionMs: 1000 });
  });

  it('fault 5, the engine thread: the session says so, and goes on', async () => {
    const { call } = await world.join(socket);
    world.leases.get(1)!.reset(new MicroturnError('engine/failed', 'it died'), 640);
    expect(socket.events.at(-1)).toMatchObject({ type: 'error', code: 'engine/failed', retryable: true });
    expect(socket.events.at(-1)).toMatchObject({ snapshotAgeMs: 640 });
    world.leases.get(1)!.reset(new MicroturnError('engine/failed', 'it died'), undefined);
    expect(socket.events.at(-1)).not.toHaveProperty('snapshotAgeMs');
    world.decide(9, { floor: 'speaking' });
    expect(socket.events.at(-1)).toMatchObject({ type: 'floor.changed' });
    expect(call.closed).toBe(false);
  });
});
