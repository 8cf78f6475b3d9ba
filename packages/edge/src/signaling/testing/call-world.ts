import { MicroturnError, type ClientMessageOf, type RosterMessage, type SessionEvent } from '@microturn/protocol';
import {
  AccessToken,
  RoomAgentDispatch,
  RoomConfiguration,
  type TrackSource,
  type VideoGrant,
} from 'livekit-server-sdk';
import type { Remembered } from '../../engine/index.js';
import type { Decision, InputRole, Perceived, Recovery } from '../../engine/types.js';
import { askHere } from '../../llm/ask-model.js';
import { Agents } from '../../recipes/index.js';
import { RoomRegistry, type RoomWatcher, type SessionMedia, type SessionVoice } from '../../session/index.js';
import { MemoryStore, SessionRecorder, type SessionStore, type Stamp } from '../../store/index.js';
import { silentLog } from '../../telemetry/index.js';
import { ManualClock } from '../../testing/manual-clock.js';
import type { SpeakRequest } from '../../voice/index.js';
import type { Call, Carrier } from '../call.js';
import { joinCall, type CallEngine, type JoinParts } from '../join-call.js';
import { Dispatches } from '../dispatches.js';
import { Gate } from '../gate.js';
import { KeyRing } from '../key-ring.js';
import { Removals } from '../removals.js';
import { Turnstile } from '../turnstile.js';
import { UsedTokens } from '../used-tokens.js';

export const keys = { key: 'a secret that is thirty-two long!', other: 'and one more that is thirty-two!' };

/** A client's socket, as far as a call knows it. */
export class Socket implements Carrier {
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

/** Of those that the media thread refuses where the endpoint is not open. */
const ofEndpoint: ReadonlySet<string> = new Set(['endpoint.suspend', 'endpoint.reopen', 'row.start']);

/** Nobody outside is told of rooms. */
const nobody: RoomWatcher = {
  opened: () => undefined,
  closed: () => undefined,
  joined: () => undefined,
  left: () => undefined,
  published: () => undefined,
  unpublished: () => undefined,
};

type Fail = (error: MicroturnError) => void;
type Reset = (error: MicroturnError, recovery: Recovery) => void;

/** Everything around a call, in virtual time. */
export class World {
  readonly clock: ManualClock;
  readonly store: SessionStore;
  readonly recorder: SessionRecorder;
  readonly requests: string[] = [];
  readonly endpoints = new Set<string>();
  readonly rowsStarted: { lease: number; zeroMs: number; ref?: boolean }[] = [];
  /** What the model takes. */
  readonly inputs: InputRole[] = ['pcm'];
  readonly leases = new Map<number, { decide: (decision: Decision) => void; fail: Fail; reset: Reset }>();
  readonly spoken: SpeakRequest[] = [];
  /** Ends the making of what was asked to be spoken. */
  readonly made = new Map<SpeakRequest, () => void>();
  readonly calls = new Map<string, Call>();
  readonly resumable = new Map<string, Call>();
  readonly turnstile = new Turnstile();
  readonly keys = new KeyRing(keys);
  readonly removals = new Removals();
  readonly usedTokens = new UsedTokens();
  readonly dispatches: Dispatches;
  readonly rooms: RoomRegistry<Call>;
  readonly parts: JoinParts;
  mediaGone = false;
  /** Rows that there are, and of them those that the engine keeps time with. */
  rows = Infinity;
  inTime = Infinity;
  /** Methods of the media thread that wait for these before they are done. */
  readonly slow = new Map<string, Promise<void>>();
  /** What the language model of a row has used, where one speaks there. */
  spent: { tokensIn: number; tokensOut: number; cost: number } | undefined;
  transcribed: { requests: number; seconds: number } | undefined;
  /** What the model of every row remembers, and what rows went on from. */
  remembered: Remembered | undefined;
  readonly wentOn: Remembered[] = [];
  /** What models were told, of all rows. */
  readonly perceived: Perceived[] = [];
  /** What the listener has heard, as the media thread answers. */
  heard: { responseId: string; heardMs: number }[] = [];
  #lease = 0;
  #produced = 0;

  /** @param store of the process before, and @param startMs when this one began */
  constructor(store: SessionStore = new MemoryStore(), startMs = 0, model = '1') {
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
        await this.slow.get(method);
        const { endpoint } = params as { endpoint: string };
        if (ofEndpoint.has(method) && !this.endpoints.has(endpoint))
          throw new MicroturnError('protocol/state', 'no such endpoint');
        if (method === 'endpoint.open') this.endpoints.add(endpoint);
        if (method === 'endpoint.close') this.endpoints.delete(endpoint);
        if (method === 'row.start') this.rowsStarted.push((params as { row: World['rowsStarted'][0] }).row);
        if (method === 'produce') return { producerId: `p${++this.#produced}`, kind: 'audio' } as never;
        return { rtpCapabilities: {}, sendTransport: {}, recvTransport: {}, heard: this.heard } as never;
      },
    };
    const assertRows = (most: number) => {
      if (this.leases.size >= most) throw new MicroturnError('edge/full');
    };
    const lend: CallEngine['lease'] = (decide, fail, reset) => {
      const id = ++this.#lease;
      this.leases.set(id, { decide, fail, reset });
      return {
        id,
        engine: 0,
        zeroMs: Math.ceil(this.clock.now() / 200) * 200,
        ...(this.spent && { spent: this.spent }),
        ...(this.transcribed && { transcribed: this.transcribed }),
        perceive: (perceived) => void this.perceived.push(perceived),
        remembered: () => this.remembered,
        goOn: (remembered) => {
          this.wentOn.push(remembered);
          return true;
        },
        release: () => void this.leases.delete(id),
      };
    };
    const engine: CallEngine = {
      assertRoom: () => assertRows(Math.min(this.rows, this.inTime)),
      info: {
        name: 'scripted',
        version: model,
        microTurnMs: 200,
        inputHz: 16_000,
        capabilities: [],
        inputs: this.inputs,
      },
      lease: (...parameters) => {
        assertRows(Math.min(this.rows, this.inTime));
        return lend(...parameters);
      },
      leaseAgain: (...parameters) => {
        assertRows(this.rows);
        return lend(...parameters);
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
    this.dispatches = new Dispatches(['nano', 'other'], this.clock.after);
    this.rooms = new RoomRegistry(media, { watch: ({ id }) => this.dispatches.watch(id, nobody) });
    this.parts = {
      clock: this.clock,
      log: silentLog,
      keys: this.keys,
      removals: this.removals,
      usedTokens: this.usedTokens,
      dispatches: this.dispatches,
      iceServers: [],
      media,
      engine,
      voice,
      agents: new Agents(
        { byName: new Map(), first: undefined },
        {
          ask: askHere({ clock: this.clock, after: this.clock.after }),
          clock: this.clock,
          after: this.clock.after,
          log: silentLog,
          env: {},
        },
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
      key = 'key',
      roomAdmin = false,
      canPublishSources,
      grant = {},
      attributes = {},
      audience,
      agents,
      recipe,
      resume,
      background,
    }: {
      identity?: string;
      room?: string;
      key?: keyof typeof keys;
      roomAdmin?: boolean;
      canPublishSources?: TrackSource[];
      /** What else the token grants. */
      grant?: Pick<VideoGrant, 'hidden' | 'canPublish' | 'canPublishData'>;
      attributes?: Record<string, string>;
      audience?: 'room' | 'self';
      /** Of the token's `roomConfig`. */
      agents?: string[];
      recipe?: string;
      resume?: { resumeToken: string; lastSeq: number };
      background?: JoinParts['background'];
    } = {},
  ) {
    const minted = new AccessToken(key, keys[key], { identity, attributes });
    minted.addGrant({ roomJoin: true, room, roomAdmin, ...(canPublishSources && { canPublishSources }), ...grant });
    if (agents)
      minted.roomConfig = new RoomConfiguration({
        agents: agents.map((agentName) => new RoomAgentDispatch({ agentName })),
      });
    const token = await minted.toJwt();
    const message: ClientMessageOf<'join'> = {
      type: 'join',
      id: 1,
      protocol: 1,
      token,
      ...(audience && { audience }),
      ...(recipe !== undefined && { recipe }),
      ...(resume && { resume }),
    };
    const { call, joined } = await joinCall({ ...this.parts, background }, message);
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

export const nothing = { rows: 0, endpoints: 0, calls: 0, resumable: 0, rooms: 0, timers: 0, turnstile: 0 };
/** What is under way at once has happened. */
export const settled = () => new Promise((resolve) => setTimeout(resolve));
