import type { MessagePort } from 'node:worker_threads';
import type { AudienceChoice, TrackOffer } from '@microturn/protocol';
import type { EngineId } from '../engine/engine-worker.js';
import type { LeaseId } from '../engine/types.js';
import type { ThreadHeap } from '../thread-heap.js';
import type { Clip } from './clip-ring.js';
import type { UplinkStats } from './uplink.js';

export type { Clip };

export type EndpointId = string;
export type RoomId = string;
/** One agent voice: what one audience hears. `room:<id>` or `endpoint:<id>`. */
export type VoiceKey = string;

export interface MediaOptions {
  readonly workerBin?: string | undefined;
  readonly listenIp: string;
  /** UDP and TCP port of the one WebRtcServer; 0 lets the system choose. */
  readonly port: number;
  readonly announcedAddress?: string | undefined;
}

export interface RowOptions {
  readonly lease: LeaseId;
  /** The engine thread that the row is on. */
  readonly engine: EngineId;
  readonly microTurnMs: number;
  readonly inputHz: number;
  /** Monotonic ms of session time 0: micro-turn k is cut at `zeroMs + (k + 1) * microTurnMs`. */
  readonly zeroMs: number;
  /** Keeps the last 30 s of sound for `clip`. Others pay nothing. */
  readonly keepClip?: boolean | undefined;
  /** The model takes the far end: it is cut beside the microphone, as late as its echo. Others pay nothing. */
  readonly ref?: boolean | undefined;
}

/** What the listener's device plays, as the client reported it. */
export interface HeardReport {
  /** Of which voice. */
  readonly audience: AudienceChoice;
  readonly rtpTimestamp: number;
  readonly outputLatencyMs: number;
  readonly state: 'playing' | 'muted';
}

/** How much of a response its listener has heard. */
export interface Heard {
  readonly responseId: string;
  readonly heardMs: number;
}

/** Requests of main to the media thread. Each is answered once. */
export interface MediaRequests {
  'room.open': { params: { room: RoomId }; result: { rtpCapabilities: object } };
  'room.close': { params: { room: RoomId }; result: void };
  'endpoint.open': {
    /** `hidden`: what they send goes to their row, and to nobody else. */
    params: { room: RoomId; endpoint: EndpointId; participant: string; hidden?: boolean };
    result: { sendTransport: object; recvTransport: object };
  };
  'endpoint.close': { params: { endpoint: EndpointId }; result: void };
  /** The caller is away: their transports and tracks end, and the row ticks on with silence. */
  'endpoint.suspend': { params: { endpoint: EndpointId }; result: void };
  /** The caller is back: fresh transports for the same row. What was there before is closed. */
  'endpoint.reopen': {
    params: { endpoint: EndpointId };
    result: { sendTransport: object; recvTransport: object };
  };
  'transport.connect': { params: { endpoint: EndpointId; transportId: string; dtlsParameters: object }; result: void };
  'transport.restart-ice': {
    params: { endpoint: EndpointId; transportId: string };
    result: { iceParameters: object };
  };
  produce: {
    params: {
      endpoint: EndpointId;
      transportId: string;
      source: 'microphone' | 'camera' | 'screen';
      rtpParameters: object;
    };
    result: { producerId: string; kind: 'audio' | 'video' };
  };
  'producer.mute': { params: { endpoint: EndpointId; producerId: string; muted: boolean }; result: void };
  'producer.close': { params: { endpoint: EndpointId; producerId: string }; result: void };
  /** Offers what the room has now; later tracks come as `track.added`. */
  subscribe: { params: { endpoint: EndpointId; rtpCapabilities: object }; result: { tracks: TrackOffer[] } };
  /** Cuts this endpoint's microphone into micro-turns and posts them to the engine, silence where nothing arrives. */
  'row.start': { params: { endpoint: EndpointId; row: RowOptions }; result: void };
  /** What this endpoint's microphone sent between two session times, of the last 30 s; `pcm` is transferred. */
  clip: { params: { endpoint: EndpointId; fromMs: number; toMs: number }; result: Clip };
  'row.stop': { params: { endpoint: EndpointId }; result: void };
  /**
   * Opens the voice `endpoint:<id>`, which this caller alone hears. Answered when it is heard from its first word on: where the
   * caller has subscribed already, when their device says so, or after a second.
   */
  'voice.open': { params: { endpoint: EndpointId }; result: void };
  /** The caller's device receives an offered track. */
  'track.ready': { params: { endpoint: EndpointId; consumerId: string }; result: void };
  /** Flushes a response wherever it waits, and refuses speech of it that arrives later. */
  'speech.cut': { params: { voice: VoiceKey; responseId: string }; result: { sentMs: number } };
  /** Where on the agent's timeline this listener is; also moves the row's `play` and `ref`. */
  heard: {
    params: { endpoint: EndpointId; report: HeardReport };
    /** `heardMs` of each response that the report touches, newest last; empty where it maps to none. */
    result: { heard: Heard[] };
  };
  stats: { params: Record<string, never>; result: MediaStats };
  close: { params: Record<string, never>; result: void };
}
export type MediaMethod = keyof MediaRequests;

/** What the media thread tells main unasked. */
export type MediaEvent =
  | { type: 'ready'; port: number }
  | { type: 'failed'; code: string; message: string }
  | { type: 'worker.died'; message: string }
  /** The worker answers nothing, or does again: rooms that are open go on as it lets them. */
  | { type: 'worker.stalled'; stalled: boolean }
  /** The thread or its worker is gone, and another is being started: rooms, endpoints and rows must be made again. */
  | { type: 'lost'; message: string }
  /** Another thread has taken its place; it knows nothing. */
  | { type: 'restored'; port: number }
  | { type: 'track.added'; endpoint: EndpointId; track: TrackOffer }
  | { type: 'track.removed'; endpoint: EndpointId; consumerId: string }
  /** Participants whose microphones are loud now, loudest first. Where it changes, at most every 400 ms. */
  | { type: 'speakers'; room: RoomId; participants: string[] }
  /** ICE and DTLS are up, or gone. */
  | {
      type: 'transport.state';
      endpoint: EndpointId;
      transportId: string;
      state: 'connected' | 'disconnected' | 'failed' | 'closed';
    }
  /** The microphone of this endpoint, which is not muted, sent and sends no more. Once, until it sends again. */
  | { type: 'uplink.stalled'; endpoint: EndpointId }
  /** The microphone of this endpoint sent far more packets than one does, for a second: its producer was closed. */
  | { type: 'uplink.flooded'; endpoint: EndpointId; producerId: string }
  /** The first packet of a response left, at monotonic ms `atMs`. */
  | { type: 'speech.started'; voice: VoiceKey; responseId: string; atMs: number }
  /** The last packet of a response left: it is `lengthMs` long. */
  | { type: 'speech.sent'; voice: VoiceKey; responseId: string; lengthMs: number; atMs: number }
  /** Speech did not fit the voice's queue, and what follows of its response is refused. */
  | { type: 'speech.full'; voice: VoiceKey; responseId: string };

export interface EndpointStats extends UplinkStats {
  readonly endpoint: EndpointId;
  readonly turns: number;
  readonly rttMs?: number | undefined;
}

export interface MediaStats extends ThreadHeap {
  readonly endpoints: EndpointStats[];
  /** Of every microphone there was since the thread started, those of now included. */
  readonly uplinks: Omit<UplinkStats, 'jitterMs'>;
  /** Tick lateness in ms: how well the 5 ms clock keeps time. */
  readonly tickLateP50Ms: number;
  readonly tickLateP99Ms: number;
  /** RTP in to PCM placed, and PCM due to RTP sent, ms. */
  readonly placeP99Ms: number;
  readonly sendP99Ms: number;
  /** The mediasoup worker's process, to measure it by. */
  readonly workerPid: number;
  readonly workerRssBytes?: number | undefined;
}

/** From the voice thread straight to the media thread, over a port of their own: main is not in the path. */
export interface SpeechMessage {
  readonly type: 'speech';
  readonly voice: VoiceKey;
  readonly responseId: string;
  /** [samples] mono, transferred; empty on a `last` message that only ends the response. */
  readonly pcm: Float32Array;
  readonly rateHz: number;
  /** No more speech follows for this response. */
  readonly last: boolean;
}

/** What connects the media thread with those that hear and speak. */
export interface MediaPorts {
  /** Receives `MicroTurn`s, by engine thread. More are given later. */
  readonly engines: ReadonlyMap<EngineId, MessagePort>;
  /** Sends `SpeechMessage`s. */
  readonly voice: MessagePort;
}
