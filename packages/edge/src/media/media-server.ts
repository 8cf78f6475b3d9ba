import { MicroturnError } from '@microturn/protocol';
import type { Clock } from '../clock.js';
import type { EngineId } from '../engine/engine-worker.js';
import type { MicroTurn } from '../engine/types.js';
import type { RtcEndpoint, RtcServer } from '../rtc/index.js';
import type { Log } from '../telemetry/log.js';
import { threadHeap } from '../thread-heap.js';
import { Ears } from './ears.js';
import { Histogram } from './histogram.js';
import { MediaRoom, type MediaEndpoint, type Track } from './media-room.js';
import { MediaRow } from './media-row.js';
import { Ticker } from './ticker.js';
import type {
  EndpointStats,
  MediaEvent,
  MediaMethod,
  MediaRequests,
  MediaStats,
  SpeechMessage,
  VoiceKey,
} from './types.js';
import { Voice, type VoiceParts } from './voice.js';

export interface MediaServerParts {
  readonly rtc: RtcServer;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes one micro-turn for an engine thread. */
  postTurn(turn: MicroTurn, engine: EngineId): void;
  postEvent(event: MediaEvent): void;
}

type Handlers = {
  [M in MediaMethod]: (
    params: MediaRequests[M]['params'],
  ) => MediaRequests[M]['result'] | Promise<MediaRequests[M]['result']>;
};

/** Rooms, endpoints, rows and voices of one media thread: what main asks for, joined to what happens to packets. */
export class MediaServer {
  readonly #parts: MediaServerParts;
  readonly #rooms = new Map<string, MediaRoom>();
  readonly #opening = new Map<string, Promise<MediaRoom>>();
  readonly #voices = new Map<VoiceKey, Voice>();
  /** By endpoint: a voice is opened once. */
  readonly #openingVoices = new Map<string, Promise<void>>();
  readonly #endpoints = new Map<string, MediaEndpoint>();
  /** Of the rows that are closed. */
  #pastUplinks: MediaStats['uplinks'] = NO_PACKETS;
  readonly #placing = new Histogram();
  readonly #sending = new Histogram();
  readonly #ticker: Ticker;
  #closed = false;

  constructor(parts: MediaServerParts) {
    this.#parts = parts;
    this.#ticker = new Ticker(parts.clock, (nowMs) => this.#tick(nowMs));
  }

  /** @throws {MicroturnError} always coded: what is not known here is `edge/internal` */
  async request<M extends MediaMethod>(
    method: M,
    params: MediaRequests[M]['params'],
  ): Promise<MediaRequests[M]['result']> {
    try {
      return await this.#handlers[method](params);
    } catch (error) {
      throw MicroturnError.from(error, this.#parts.rtc.closed ? 'edge/worker-died' : 'edge/internal');
    }
  }

  /** Speech of the agent. A voice that is gone says nothing. */
  say({ voice, ...speech }: SpeechMessage): void {
    const verdict = this.#voices.get(voice)?.downlink.say(speech);
    if (verdict === 'full') this.#parts.postEvent({ type: 'speech.full', voice, responseId: speech.responseId });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#ticker.close();
    for (const room of [...this.#rooms.values()]) this.#closeRoom(room);
    await this.#parts.rtc.close();
  }

  readonly #handlers: Handlers = {
    'room.open': async ({ room }) => ({ rtpCapabilities: (await this.#openRoom(room)).rtc.rtpCapabilities }),

    'room.close': async ({ room }) => {
      // Where it is still being opened it would be there when nobody asks for it any more.
      await this.#opening.get(room)?.catch(() => undefined);
      const open = this.#rooms.get(room);
      if (open) this.#closeRoom(open);
    },

    'endpoint.open': async ({ room: roomId, endpoint: id, participant, hidden = false }) => {
      const room = this.#room(roomId);
      if (this.#endpoints.has(id)) throw new MicroturnError('protocol/state', 'the endpoint is open already');
      const rtc = await this.#createTransports(room, id);
      if (this.#endpoints.has(id) || !this.#rooms.has(roomId)) {
        rtc.close();
        throw new MicroturnError('protocol/state', 'the endpoint is open already, or its room has closed');
      }
      const ears = new Ears();
      ears.listen('room', room.voice);
      const endpoint: MediaEndpoint = {
        id,
        room,
        participant,
        hidden,
        rtc,
        tracks: new Map(),
        ears,
        ownVoice: undefined,
        offered: undefined,
        row: undefined,
      };
      room.endpoints.set(id, endpoint);
      this.#endpoints.set(id, endpoint);
      return rtc.transports;
    },

    'endpoint.close': ({ endpoint }) => {
      const open = this.#endpoints.get(endpoint);
      if (open) this.#closeEndpoint(open);
    },

    'endpoint.suspend': ({ endpoint }) => this.#suspend(this.#endpoint(endpoint)),

    'endpoint.reopen': async ({ endpoint: id }) => {
      const endpoint = this.#endpoint(id);
      const rtc = await this.#createTransports(endpoint.room, id);
      if (this.#endpoints.get(id) !== endpoint) {
        rtc.close();
        throw new MicroturnError('protocol/state', 'the endpoint has closed');
      }
      this.#suspend(endpoint);
      endpoint.rtc = rtc;
      return rtc.transports;
    },

    'transport.connect': ({ endpoint, transportId, dtlsParameters }) =>
      this.#endpoint(endpoint).rtc.connect(transportId, dtlsParameters),

    'transport.restart-ice': async ({ endpoint, transportId }) => ({
      iceParameters: await this.#endpoint(endpoint).rtc.restartIce(transportId),
    }),

    produce: async ({ endpoint: id, transportId, source, rtpParameters }) => {
      const endpoint = this.#endpoint(id);
      const { participant } = endpoint;
      if ([...endpoint.tracks.values()].some((track) => track.source === source)) {
        throw new MicroturnError('protocol/state', `this participant has a ${source} already; close it first`);
      }
      const kind = source === 'microphone' ? 'audio' : 'video';
      const { rtc } = endpoint;
      const { producerId } = await rtc.produce(transportId, kind, rtpParameters);
      // It closed the producer with all that was its own, and what is there now is of another socket.
      if (endpoint.rtc !== rtc || rtc.closed) throw new MicroturnError('protocol/state', 'the transport has closed');
      const track: Track = { producerId, source, participant, muted: false };
      endpoint.tracks.set(producerId, track);
      if (source === 'microphone') await endpoint.room.listen(endpoint);
      endpoint.room
        .publish(endpoint, track)
        .catch((error: unknown) => this.#warn(error, 'a track could not be offered'));
      return { producerId, kind };
    },

    'producer.mute': async ({ endpoint: id, producerId, muted }) => {
      const endpoint = this.#endpoint(id);
      const track = this.#track(endpoint, producerId);
      await endpoint.rtc.setPaused(producerId, muted);
      track.muted = muted;
      if (endpoint.row && track.source === 'microphone') endpoint.row.muted = muted;
    },

    'producer.close': ({ endpoint: id, producerId }) => {
      const endpoint = this.#endpoint(id);
      this.#closeTrack(endpoint, this.#track(endpoint, producerId));
    },

    subscribe: async ({ endpoint: id, rtpCapabilities }) => {
      const endpoint = this.#endpoint(id);
      if (endpoint.offered) throw new MicroturnError('protocol/state', 'already subscribed');
      endpoint.rtc.setCapabilities(rtpCapabilities);
      return { tracks: await endpoint.room.subscribe(endpoint) };
    },

    'row.start': async ({ endpoint: id, row: options }) => {
      const endpoint = this.#endpoint(id);
      const { clock, postTurn } = this.#parts;
      const row = new MediaRow(options, {
        clock,
        listener: endpoint.ears,
        placing: this.#placing,
        onStalled: () => this.#parts.postEvent({ type: 'uplink.stalled', endpoint: id }),
        onFlooded: () => this.#endFlood(endpoint),
        post: postTurn,
      });
      this.#closeRow(endpoint);
      endpoint.row = row;
      await endpoint.room.listen(endpoint);
    },

    'row.stop': ({ endpoint: id }) => {
      this.#closeRow(this.#endpoint(id));
    },

    clip: ({ endpoint: id, fromMs, toMs }) => {
      const { row } = this.#endpoint(id);
      if (!row) throw new MicroturnError('protocol/state', 'this endpoint has no row');
      return row.clip(fromMs, toMs);
    },

    'voice.open': ({ endpoint: id }) => {
      const endpoint = this.#endpoint(id);
      let opening = this.#openingVoices.get(id);
      if (!opening && !endpoint.ownVoice) {
        opening = this.#openVoice(endpoint).finally(() => this.#openingVoices.delete(id));
        this.#openingVoices.set(id, opening);
      }
      return opening;
    },

    'track.ready': ({ endpoint, consumerId }) => this.#endpoint(endpoint).room.ready(consumerId),

    'speech.cut': ({ voice: key, responseId }) => {
      const voice = this.#voices.get(key);
      if (!voice) throw new MicroturnError('protocol/state', 'no such voice');
      return { sentMs: voice.cut(responseId, this.#parts.clock.now()) };
    },

    heard: ({ endpoint, report }) => ({
      heard: this.#endpoint(endpoint).ears.report(report, this.#parts.clock.now()),
    }),

    stats: () => this.#stats(),

    close: () => this.close(),
  };

  #tick(nowMs: number): void {
    for (const voice of this.#voices.values()) voice.downlink.tick(nowMs);
    for (const endpoint of this.#endpoints.values()) endpoint.row?.tick(nowMs);
  }

  #openRoom(id: string): Promise<MediaRoom> {
    const open = this.#rooms.get(id);
    if (open) return Promise.resolve(open);
    let opening = this.#opening.get(id);
    if (!opening) {
      opening = this.#createRoom(id).finally(() => this.#opening.delete(id));
      this.#opening.set(id, opening);
    }
    return opening;
  }

  async #createRoom(id: string): Promise<MediaRoom> {
    const rtc = await this.#parts.rtc.createRoom();
    const voice = await Voice.open(`room:${id}`, rtc, this.#voiceParts);
    const room = new MediaRoom(id, rtc, voice, this.#parts.postEvent);
    if (this.#closed) {
      room.close();
      throw new MicroturnError('edge/draining');
    }
    this.#rooms.set(id, room);
    this.#voices.set(voice.key, voice);
    return room;
  }

  async #openVoice(endpoint: MediaEndpoint): Promise<void> {
    const voice = await Voice.open(`endpoint:${endpoint.id}`, endpoint.room.rtc, this.#voiceParts);
    if (this.#endpoints.get(endpoint.id) !== endpoint) {
      voice.close();
      throw new MicroturnError('protocol/state', 'the endpoint has closed');
    }
    this.#voices.set(voice.key, voice);
    endpoint.ownVoice = voice;
    endpoint.ears.listen('self', voice);
    await endpoint.room.publishVoice(endpoint, voice);
  }

  get #voiceParts(): VoiceParts {
    const { clock, postEvent } = this.#parts;
    return { clock, postEvent, lateness: this.#sending };
  }

  #closeRoom(room: MediaRoom): void {
    for (const endpoint of [...room.endpoints.values()]) this.#closeEndpoint(endpoint);
    this.#rooms.delete(room.id);
    this.#voices.delete(room.voice.key);
    room.close();
  }

  #createTransports(room: MediaRoom, endpoint: string): Promise<RtcEndpoint> {
    return room.rtc.createEndpoint((transportId, state) => {
      this.#parts.postEvent({ type: 'transport.state', endpoint, transportId, state });
    });
  }

  #suspend(endpoint: MediaEndpoint): void {
    endpoint.rtc.close();
    endpoint.tracks.clear();
    endpoint.offered = undefined;
    endpoint.row?.detach();
  }

  #closeEndpoint(endpoint: MediaEndpoint): void {
    endpoint.room.endpoints.delete(endpoint.id);
    this.#endpoints.delete(endpoint.id);
    this.#closeRow(endpoint);
    endpoint.ears.close();
    if (endpoint.ownVoice) this.#voices.delete(endpoint.ownVoice.key);
    endpoint.ownVoice?.close();
    endpoint.rtc.close();
  }

  #closeTrack(endpoint: MediaEndpoint, { producerId, source }: Track): void {
    endpoint.tracks.delete(producerId);
    endpoint.rtc.closeProducer(producerId);
    if (source === 'microphone') endpoint.row?.detach();
  }

  /** Packets cost the thread of everybody something also where nobody looks at them: none come of a producer that is closed. */
  #endFlood(endpoint: MediaEndpoint): void {
    const microphone = [...endpoint.tracks.values()].find(({ source }) => source === 'microphone');
    if (!microphone) return;
    this.#closeTrack(endpoint, microphone);
    const { producerId } = microphone;
    this.#parts.postEvent({ type: 'uplink.flooded', endpoint: endpoint.id, producerId });
  }

  #closeRow(endpoint: MediaEndpoint): void {
    if (endpoint.row) this.#pastUplinks = sum(this.#pastUplinks, endpoint.row.stats);
    endpoint.row?.close();
    endpoint.row = undefined;
  }

  async #stats(): Promise<MediaStats> {
    const endpoints = await Promise.all([...this.#endpoints.values()].map(statsOf));
    return {
      endpoints,
      uplinks: endpoints.reduce(sum, this.#pastUplinks),
      tickLateP50Ms: this.#ticker.lateness.quantile(0.5),
      tickLateP99Ms: this.#ticker.lateness.quantile(0.99),
      placeP99Ms: this.#placing.quantile(0.99),
      sendP99Ms: this.#sending.quantile(0.99),
      workerPid: this.#parts.rtc.pid,
      ...threadHeap(),
      workerRssBytes: await this.#parts.rtc.rssBytes(),
    };
  }

  #room(id: string): MediaRoom {
    const room = this.#rooms.get(id);
    if (!room) throw new MicroturnError('protocol/state', 'no such room');
    return room;
  }

  #endpoint(id: string): MediaEndpoint {
    const endpoint = this.#endpoints.get(id);
    if (!endpoint) throw new MicroturnError('protocol/state', 'no such endpoint');
    return endpoint;
  }

  #track(endpoint: MediaEndpoint, producerId: string): Track {
    const track = endpoint.tracks.get(producerId);
    if (!track) throw new MicroturnError('protocol/state', 'no such producer');
    return track;
  }

  #warn(error: unknown, message: string): void {
    const { code, message: detail } = MicroturnError.from(error, 'edge/internal');
    this.#parts.log.warn({ code, detail }, message);
  }
}

const NO_PACKETS = { packets: 0, lost: 0, late: 0, duplicates: 0, malformed: 0, refused: 0, concealedMs: 0 };
const NO_STATS = { ...NO_PACKETS, jitterMs: 0, turns: 0 };

function sum(a: MediaStats['uplinks'], b: MediaStats['uplinks']): MediaStats['uplinks'] {
  return {
    packets: a.packets + b.packets,
    lost: a.lost + b.lost,
    late: a.late + b.late,
    duplicates: a.duplicates + b.duplicates,
    malformed: a.malformed + b.malformed,
    refused: a.refused + b.refused,
    concealedMs: a.concealedMs + b.concealedMs,
  };
}

async function statsOf({ id, row, rtc }: MediaEndpoint): Promise<EndpointStats> {
  return { ...NO_STATS, ...row?.stats, endpoint: id, rttMs: await rtc.rttMs() };
}
