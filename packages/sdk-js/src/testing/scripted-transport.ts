import {
  MicroturnError,
  parseClientMessage,
  turnAt,
  type AudienceChoice,
  type ClientMessage,
  type ClientMessageOf,
  type ClientMessageType,
  type ClientRequest,
  type JoinResult,
  type SessionEvent,
  type SessionEventBody,
  type TrackOffer,
} from '@microturn/protocol';
import type { MediaPlane, MediaPlaneParts } from '../connection/media-plane.js';
import type { Socket, SocketObserver } from '../connection/socket.js';
import { transportOver } from '../connection/transport-over.js';
import type { OpenOptions, Publication, Transport, TransportLink } from '../connection/transport.js';
import { FakeMedia, FakeTrack } from './fake-media.js';

type RequestType = ClientRequest['type'];
type Answer<T extends RequestType> = (message: ClientMessageOf<T>) => unknown;

export interface ScriptedOptions {
  /** Fields of the answer to `join` that differ from the default. */
  readonly join?: Partial<JoinResult>;
  /** Whether joining brings `session.started` and the agent's track. Default true. */
  readonly lively?: boolean;
}

/** A track that the script sends to the client. */
export interface ScriptedTrack {
  readonly offer: TrackOffer;
  readonly track: FakeTrack;
  /** RTP timestamp of the packet that the listener's device plays now. */
  played: number | undefined;
}

/** A track that the client sends. */
export interface PublishedTrack {
  readonly producerId: string;
  readonly source: 'microphone' | 'camera' | 'screen';
  track: MediaStreamTrack;
  muted: boolean;
  closed: boolean;
}

/** A transport whose other end is the test: no network, no devices, no edge. */
export function scriptedTransport(options: ScriptedOptions = {}): ScriptedTransport {
  return new ScriptedTransport(options);
}

/**
 * Answers what a session asks, as an edge would, until `answer` says otherwise; `emit` makes things happen,
 * `sent` tells what the client said. Messages take the same way as those of a real socket, schemas included.
 */
export class ScriptedTransport implements Transport {
  readonly media = new FakeMedia();
  /** Every message of the client, of all calls. */
  readonly sent: ClientMessage[] = [];
  readonly published: PublishedTrack[] = [];
  /** The tracks of the call that is open, by consumerId. */
  readonly tracks = new Map<string, ScriptedTrack>();
  readonly #inner: Transport;
  readonly #options: ScriptedOptions;
  readonly #answers = new Map<RequestType, Answer<RequestType>>();
  /** Every event of the session: what a client that comes back may have missed. */
  #journal: SessionEvent[] = [];
  /** The last event that the client has, where it came back to the session. */
  #resumedFrom: number | undefined;
  #observer: SocketObserver | undefined;
  #plane: MediaPlaneParts | undefined;
  #refusal: MicroturnError | undefined;
  #opened = 0;
  #open = 0;
  #made = 0;
  #seq = 0;
  #atMs = 0;

  constructor(options: ScriptedOptions) {
    this.#options = options;
    this.#inner = transportOver({
      openSocket: (_url, observer, signal) => this.#connect(observer, signal),
      openMediaPlane: (parts) => Promise.resolve(this.#openPlane(parts)),
    });
  }

  /** Calls that were begun so far. */
  get opened(): number {
    return this.#opened;
  }

  /** Sockets that are open now. */
  get openSockets(): number {
    return this.#open;
  }

  open(options: OpenOptions): Promise<TransportLink> {
    return this.#inner.open(options);
  }

  /** The agent's voice in the call that is open. */
  get agent(): ScriptedTrack {
    for (const track of this.tracks.values()) if (track.offer.source === 'agent') return track;
    throw new TypeError('expected a call with an agent in it, got none');
  }

  /** What the client sent of one type. */
  sentOf<T extends ClientMessageType>(type: T): ClientMessageOf<T>[] {
    return this.sent.filter((message): message is ClientMessageOf<T> => message.type === type);
  }

  /** From now on requests of this type get what `fn` returns, or the error that it throws. */
  answer<T extends RequestType>(type: T, fn: Answer<T>): void {
    this.#answers.set(type, fn as unknown as Answer<RequestType>);
  }

  /** The next socket does not open. */
  refuse(error = new MicroturnError('net/unreachable')): void {
    this.#refusal = error;
  }

  /**
   * Something happens in the session, at `atMs` of its clock: without it, at the time of the event before. Where the
   * client is away, it gets the event when it comes back.
   */
  emit(body: SessionEventBody, atMs = this.#atMs): SessionEvent {
    this.#atMs = atMs;
    const event = { ...body, seq: ++this.#seq, at: atMs, turn: turnAt(atMs, this.#joinResult().microTurnMs) };
    this.#journal.push(event as SessionEvent);
    if (this.#observer || this.#journal.length === 1) this.receive(event);
    return event as SessionEvent;
  }

  /** The client receives any message at all. */
  receive(message: unknown): void {
    this.receiveText(JSON.stringify(message));
  }

  /** The client receives any text at all. */
  receiveText(text: string): void {
    if (!this.#observer) throw new TypeError('expected an open call, got none');
    this.#observer.message(text);
  }

  /** A participant, or the agent, begins to send a track. */
  addTrack(participant: string, source: TrackOffer['source'] = 'microphone', audience?: AudienceChoice): ScriptedTrack {
    const scripted = this.#offer(participant, source, audience);
    this.receive({ type: 'track.added', track: scripted.offer });
    return scripted;
  }

  removeTrack(consumerId: string): void {
    this.receive({ type: 'track.removed', consumerId });
  }

  /** The edge says why, and ends the call. */
  goodbye(error: MicroturnError, resumable = false): void {
    this.receive({ type: 'goodbye', error: error.toWire(), resumable, seq: this.#seq });
  }

  /** The network drops the socket. */
  drop(error = new MicroturnError('net/closed')): void {
    const observer = this.#observer;
    this.#disconnect();
    observer?.closed(error);
  }

  /** The media path stalls, or flows again. */
  setMediaFlowing(flowing: boolean): void {
    this.#plane?.observer.flowing(flowing);
  }

  /** The media path is lost. */
  failMedia(error = new MicroturnError('net/ice-failed')): void {
    this.#plane?.observer.failed(error);
  }

  #connect(observer: SocketObserver, signal: AbortSignal): Promise<Socket> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const refusal = this.#refusal;
    this.#refusal = undefined;
    if (refusal) return Promise.reject(refusal);
    this.#opened++;
    this.#open++;
    this.#observer = observer;
    let closed = false;
    return Promise.resolve({
      send: (text) => {
        if (!closed) this.#hear(text, observer);
      },
      close: () => {
        if (closed) return;
        closed = true;
        if (this.#observer === observer) this.#disconnect();
      },
    });
  }

  #disconnect(): void {
    if (this.#observer) this.#open--;
    this.#observer = undefined;
    this.tracks.clear();
  }

  #hear(text: string, observer: SocketObserver): void {
    const message = parseClientMessage(JSON.parse(text));
    if (!message) throw new TypeError(`expected a message of the protocol, got ${text}`);
    this.sent.push(message);
    if ('id' in message) {
      this.#reply(message, observer).catch((error: unknown) => {
        const coded = MicroturnError.from(error, 'edge/internal');
        this.#send(observer, { type: 'reply', id: message.id, error: coded.toWire() });
      });
    }
  }

  async #reply(message: ClientRequest, observer: SocketObserver): Promise<void> {
    if (message.type === 'join') this.#begin(message);
    const answer = this.#answers.get(message.type);
    const result: unknown = answer ? await answer(message) : await this.#answerAsAnEdge(message);
    this.#send(observer, { type: 'reply', id: message.id, result });
    const lively = this.#options.lively ?? true;
    if (message.type === 'subscribe' && lively && this.#observer === observer) this.#start();
  }

  #send(observer: SocketObserver, message: unknown): void {
    if (this.#observer === observer) observer.message(JSON.stringify(message));
  }

  async #answerAsAnEdge(message: ClientRequest): Promise<unknown> {
    switch (message.type) {
      case 'join':
        return this.#joinResult();
      case 'subscribe':
        return { tracks: (this.#options.lively ?? true) ? [this.#offer('agent', 'agent').offer] : [] };
      case 'produce':
        return { producerId: `producer-${++this.#made}` };
      case 'say':
        return { responseId: `response-${++this.#made}` };
      case 'response.interrupt':
        return { heardMs: 0 };
      default:
        return {};
    }
  }

  #begin({ resume }: ClientMessageOf<'join'>): void {
    this.#resumedFrom = resume?.lastSeq;
    if (resume) return;
    this.#seq = 0;
    this.#atMs = 0;
    this.#journal = [];
  }

  #start(): void {
    const from = this.#resumedFrom;
    if (from !== undefined) {
      for (const event of this.#journal) if (event.seq > from) this.receive(event);
      this.emit({ type: 'session.resumed', lostMs: 0 });
      return;
    }
    const { sessionId, room, participant, model, microTurnMs, resumeToken } = this.#joinResult();
    this.emit({ type: 'session.started', sessionId, room, participant, model, microTurnMs, resumeToken }, 0);
  }

  #joinResult(): JoinResult {
    const transport = (id: string) => ({ id, iceParameters: {}, iceCandidates: [], dtlsParameters: {} });
    return {
      sessionId: 'session-1',
      room: 'room-1',
      participant: 'caller',
      resumeToken: 'resume-1',
      resumeMs: 120_000,
      resumed: this.#resumedFrom !== undefined,
      model: 'scripted',
      microTurnMs: 200,
      sessionMs: 0,
      routerRtpCapabilities: {},
      sendTransport: transport('send'),
      recvTransport: transport('recv'),
      iceServers: [],
      participants: [{ identity: 'caller', attributes: {}, away: false, speaking: false, tracks: [] }],
      ...this.#options.join,
    };
  }

  #offer(participant: string, source: TrackOffer['source'], audience?: AudienceChoice): ScriptedTrack {
    const consumerId = `consumer-${++this.#made}`;
    const kind = source === 'camera' || source === 'screen' ? 'video' : 'audio';
    const offer: TrackOffer = {
      consumerId,
      producerId: `${consumerId}/p`,
      kind,
      rtpParameters: {},
      participant,
      source,
      ...(audience && { audience }),
    };
    const scripted: ScriptedTrack = { offer, track: new FakeTrack(kind), played: undefined };
    this.tracks.set(consumerId, scripted);
    return scripted;
  }

  #openPlane(parts: MediaPlaneParts): MediaPlane {
    this.#plane = parts;
    return {
      rtpCapabilities: { codecs: [] },
      publish: (track, source) => this.#publish(parts, track, source),
      receive: (offer) => {
        const scripted = this.tracks.get(offer.consumerId);
        if (!scripted) return Promise.reject(new MicroturnError('protocol/state', `no track ${offer.consumerId}`));
        return Promise.resolve({ track: scripted.track.asTrack(), playedRtpTimestamp: () => scripted.played });
      },
      drop: (consumerId) => {
        this.tracks.get(consumerId)?.track.stop();
        this.tracks.delete(consumerId);
      },
      findPath: () => undefined,
      ready: () => Promise.resolve(),
      close: () => {
        for (const published of this.published) published.closed = true;
        if (this.#plane === parts) this.#plane = undefined;
      },
    };
  }

  async #publish(
    { joined, request }: MediaPlaneParts,
    track: MediaStreamTrack,
    source: PublishedTrack['source'],
  ): Promise<Publication> {
    const rtpParameters = { codecs: [{}] };
    const reply = await request({ type: 'produce', transportId: joined.sendTransport.id, source, rtpParameters });
    const { producerId } = reply as { producerId: string };
    const published: PublishedTrack = { producerId, source, track, muted: false, closed: false };
    this.published.push(published);
    return {
      async setMuted(muted) {
        published.muted = muted;
        await request({ type: 'producer.mute', producerId, muted });
      },
      replaceTrack(next) {
        published.track = next;
        return Promise.resolve();
      },
      async close() {
        published.closed = true;
        await request({ type: 'producer.close', producerId });
      },
    };
  }
}
