import {
  InterruptResult,
  MicroturnError,
  type SessionEvent,
  type SessionEventOf,
  type SessionEventType,
} from '@microturn/protocol';
import { EMPTY, Subject, type Observable } from 'rxjs';
import { systemClock, type Clock } from './clock.js';
import { aborted } from './connection/aborted.js';
import { Backoff } from './connection/backoff.js';
import { checked } from './connection/checked.js';
import { TokenSource, type TokenResponse } from './connection/token-source.js';
import type { ReceivedTrack, Transport, TransportLink } from './connection/transport.js';
import { chooseBase, signalingUrl } from './connection/url.js';
import { webrtc } from './connection/webrtc.js';
import {
  endConversation,
  isAudibleTo,
  newConversation,
  reduceConversation,
  type Conversation,
} from './conversation/reduce.js';
import { ConversationStates } from './conversation/states.js';
import { noLogger, type Logger } from './logger.js';
import { AgentVoice } from './media/agent-voice.js';
import { Microphone } from './media/microphone.js';
import { browserMedia, type MediaPlatform } from './media/platform.js';
import { Speaker } from './media/speaker.js';
import type {
  Connection,
  ConnectionStatus,
  InteractionSession,
  RemoteTrack,
  SessionInfo,
  SessionOptions,
  Snapshot,
} from './session.js';
import { StateSource } from './state.js';
import { unlessAborted, waitUntil } from './waiting.js';

/**
 * Makes a session; nothing is opened before `connect()`, so it may be made anywhere, on a server too.
 * @throws {TypeError} where `url` is no http(s) or ws(s) URL
 */
export function createSession(options: SessionOptions): InteractionSession {
  return new Session(options);
}

/** What one call holds, from `connect()` to its end. */
interface Call {
  readonly abort: AbortController;
  readonly done: Promise<void>;
  link?: TransportLink | undefined;
  /** Joined at least once: what is lost from now on can be resumed. */
  resumeToken?: string;
  /** An attempt to open a link, which the loss of that link ends. */
  attempt?: AbortController | undefined;
}

/** As long as an edge keeps a session whose client is away, unless it is configured otherwise. */
const RESUME_MS = 120_000;

class Session implements InteractionSession {
  readonly connection = new StateSource<Connection>({ status: 'idle' });
  readonly info = new StateSource<SessionInfo | undefined>(undefined);
  readonly tracks = new StateSource<readonly RemoteTrack[]>([]);
  readonly agentTrack;
  readonly agent;
  readonly floor;
  readonly transcript;
  readonly responses;
  readonly interruptions;
  readonly tasks;
  readonly stats;
  readonly microphone: Microphone;
  readonly speaker: Speaker;
  readonly events: Observable<SessionEvent>;
  readonly errors: Observable<MicroturnError>;

  readonly #options: SessionOptions;
  readonly #tokenSource: TokenSource;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #media: MediaPlatform;
  readonly #events = new Subject<SessionEvent>();
  readonly #errors = new Subject<MicroturnError>();
  /** After the states have changed, once for all of them. */
  readonly #changes = new Subject<void>();
  readonly #voice: AgentVoice;
  readonly #states: ConversationStates;
  #conversation: Conversation = newConversation();
  #call: Call | undefined;
  #lastSeq = 0;
  /** Session ms less clock ms, by the quickest message so far. */
  #sessionOffsetMs: number | undefined;
  #closed = false;

  constructor(options: SessionOptions) {
    const { transport = webrtc(), clock = systemClock, logger = noLogger, microphone = true } = options;
    if (options.url !== undefined) signalingUrl(options.url);
    this.#options = options;
    this.#tokenSource = options.tokenSource ?? TokenSource.literal({ participantToken: options.token });
    this.#transport = transport;
    this.#clock = clock;
    this.#logger = logger;
    this.#media = transport.media ?? browserMedia;
    this.events = this.#events.asObservable();
    this.errors = this.#errors.asObservable();

    this.#states = new ConversationStates(this.#conversation);
    ({
      agent: this.agent,
      floor: this.floor,
      transcript: this.transcript,
      responses: this.responses,
      interruptions: this.interruptions,
      tasks: this.tasks,
      stats: this.stats,
    } = this.#states);

    const media = this.#media;
    this.microphone = new Microphone({ media, clock, source: microphone === false ? true : microphone });
    this.#voice = new AgentVoice({
      media,
      clock,
      audible: () => this.speaker.audible,
      notify: (message) => this.#call?.link?.notify(message),
    });
    this.agentTrack = this.#voice.track;
    this.speaker = new Speaker({
      media,
      clock,
      agentTrack: this.agentTrack,
      ...(options.audioElement && { agentElement: options.audioElement }),
      onAudible: (audible) => this.#voice.follow(audible),
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  get nowMs(): number {
    return this.#sessionOffsetMs === undefined ? 0 : Math.max(0, this.#clock.now() + this.#sessionOffsetMs);
  }

  connect({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#closed) return Promise.reject(new MicroturnError('session/closed'));
    if (signal?.aborted) return Promise.reject(aborted(signal));
    if (this.#call) return unlessAborted(this.#call.done, signal);

    const abort = new AbortController();
    // `done` is made by the call it belongs to.
    const call: Call = { abort, done: Promise.resolve().then(() => this.#join(call)) };
    this.#call = call;
    const onAbort = () => abort.abort(signal && aborted(signal));
    signal?.addEventListener('abort', onAbort);
    const forget = () => signal?.removeEventListener('abort', onAbort);
    call.done.then(forget, forget);
    this.#startOver();
    this.#setStatus(this.#options.microphone === false ? 'connecting' : 'requesting-media');
    return call.done;
  }

  async disconnect(): Promise<void> {
    if (!this.#call) return;
    this.#setStatus('closing');
    this.#leave(this.#call, new MicroturnError('net/closed', 'disconnected'));
    this.#setStatus('idle');
    return Promise.resolve();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#setStatus('closing');
    if (this.#call) this.#leave(this.#call, new MicroturnError('session/closed'));
    this.#setStatus('closed');
    this.microphone.close();
    this.speaker.close();
    this.#voice.close();
    this.#states.close();
    for (const state of [this.connection, this.info, this.tracks]) state.close();
    for (const subject of [this.#events, this.#errors, this.#changes]) subject.complete();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async interrupt(): Promise<InterruptResult> {
    const link = this.#link();
    const { position } = this.#voice;
    this.#voice.silence();
    return checked(InterruptResult, await link.request({ type: 'response.interrupt', ...position }));
  }

  async say(text: string): Promise<{ responseId: string }> {
    const reply = await this.#link().request({ type: 'say', text });
    const responseId = (reply as { responseId?: unknown } | undefined)?.responseId;
    if (typeof responseId !== 'string') throw new MicroturnError('protocol/malformed', 'say: expected a responseId');
    return { responseId };
  }

  on<T extends SessionEventType>(
    type: T,
    fn: (event: SessionEventOf<T>) => void,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): () => void {
    if (signal?.aborted) return () => undefined;
    const subscription = this.#events.subscribe((event) => {
      if (event.type === type) fn(event as SessionEventOf<T>);
    });
    const off = () => subscription.unsubscribe();
    signal?.addEventListener('abort', off, { once: true });
    subscription.add(() => signal?.removeEventListener('abort', off));
    return off;
  }

  until(
    predicate: (snapshot: Snapshot) => boolean,
    { signal, timeoutMs }: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {},
  ): Promise<Snapshot> {
    const changes = this.#closed ? EMPTY : this.#changes;
    return waitUntil(() => this.#snapshot(), changes, predicate, { signal, timeoutMs, clock: this.#clock });
  }

  /** The way into a call; a failure anywhere leaves nothing open. */
  async #join(call: Call): Promise<void> {
    const { signal } = call.abort;
    try {
      signal.throwIfAborted();
      this.#transport.prepare?.();
      const token = this.#fetchToken(signal);
      if (this.#options.microphone !== false) {
        await unlessAborted(this.microphone.enable(), signal);
        this.#setStatus('connecting');
      }
      await this.#openLink(call, await unlessAborted(token, signal));
      this.#setStatus('connected');
      this.#logger.info('connected', { ...this.info.value });
      this.#voice.measureLatency(signal).catch(() => undefined);
    } catch (cause) {
      const givenUp = signal.aborted;
      const error = givenUp ? aborted(signal) : MicroturnError.from(cause, 'edge/internal');
      call.link?.close();
      // Already left where `disconnect`, `close` or the edge ended it.
      if (this.#call === call) {
        this.#leave(call, error);
        if (givenUp) this.#setStatus('idle');
        else this.#setStatus('failed', error);
      }
      throw error;
    }
  }

  /** Opens a link and sends the microphone over it; a link that is lost on the way is no link. */
  async #openLink(call: Call, { participantToken, serverUrl }: TokenResponse): Promise<void> {
    const attempt = new AbortController();
    call.attempt = attempt;
    const signal = AbortSignal.any([call.abort.signal, attempt.signal]);
    const { resumeToken } = call;
    try {
      const link = await this.#transport.open({
        url: chooseBase(this.#options.url, serverUrl),
        token: participantToken,
        ...(this.#options.room !== undefined && { room: this.#options.room }),
        ...(resumeToken !== undefined && { resume: { resumeToken, lastSeq: this.#lastSeq } }),
        signal,
        clock: this.#clock,
        logger: this.#logger,
        observer: {
          event: (event) => this.#take(event),
          trackAdded: (track) => this.#addTrack(track),
          trackRemoved: (id) => this.#removeTrack(id),
          media: (flowing) => this.#followMedia(flowing),
          problem: (error) => this.#report(error),
          closed: (error, resumable) => this.#lose(call, error, resumable),
        },
      });
      call.link = link;
      signal.throwIfAborted();
      const { sessionId, room, participant, model, microTurnMs, sessionMs } = link.joined;
      call.resumeToken = link.joined.resumeToken;
      this.info.set({ sessionId, room, participant, model, microTurnMs });
      this.#tellTime(sessionMs);
      await unlessAborted(
        this.microphone.attach((track) => link.publish(track, 'microphone')),
        signal,
      );
      await unlessAborted(link.ready(), signal);
    } finally {
      call.attempt = undefined;
    }
  }

  #fetchToken(signal: AbortSignal): Promise<TokenResponse> {
    const { room, participantName } = this.#options;
    const token = Promise.resolve()
      .then(() =>
        this.#tokenSource.fetch({
          ...(room !== undefined && { roomName: room }),
          ...(participantName !== undefined && { participantName }),
          signal,
        }),
      )
      .catch((error: unknown) => Promise.reject(MicroturnError.from(error, 'net/unreachable')));
    // It may fail while the microphone is asked for, before anybody waits for it.
    token.catch(() => undefined);
    return token;
  }

  /** The edge, or the network, ended the link. */
  #lose(call: Call, error: MicroturnError, resumable: boolean): void {
    if (this.#call !== call) return;
    if (call.attempt && resumable) {
      call.attempt.abort(error);
      return;
    }
    if (!resumable || call.resumeToken === undefined) {
      this.#fail(call, error);
      return;
    }
    this.#logger.warn('the link is lost', { code: error.code });
    this.#dropLink(call);
    this.#setStatus('reconnecting', error);
    this.#resume(call, error).catch((cause: unknown) => this.#fail(call, MicroturnError.from(cause, 'net/closed')));
  }

  #fail(call: Call, error: MicroturnError): void {
    if (this.#call !== call) return;
    this.#logger.warn('the call ended', { code: error.code });
    this.#leave(call, error);
    this.#setStatus('failed', error);
  }

  /** What came with the link goes with it; the devices, and what was said, stay. */
  #dropLink(call: Call): void {
    call.link = undefined;
    this.microphone.detach();
    for (const { id } of this.tracks.value) this.#removeTrack(id);
  }

  /** Comes back to the session until it works, the edge says that there is none, or the edge has given it up. */
  async #resume(call: Call, lost: MicroturnError): Promise<void> {
    const { signal } = call.abort;
    const untilMs = this.#clock.now() + RESUME_MS;
    const backoff = new Backoff(Math.random);
    for (let error = lost; !signal.aborted;) {
      const waitMs = backoff.nextMs();
      if (this.#clock.now() + waitMs > untilMs) throw new MicroturnError('net/closed', error.message, { cause: error });
      await this.#sleep(waitMs, signal);
      if (signal.aborted) return;
      try {
        // A fresh one: the edge looks at it every time.
        const token = await unlessAborted(this.#fetchToken(signal), signal);
        await this.#openLink(call, token);
        this.#setStatus('connected');
        this.#logger.info('resumed', { ...this.info.value });
        return;
      } catch (cause) {
        if (signal.aborted) return;
        error = MicroturnError.from(cause, 'net/closed');
        call.link?.drop();
        this.#dropLink(call);
        this.#logger.debug('not resumed', { code: error.code });
        if (!error.retryable || error.code === 'auth/expired') throw error;
      }
    }
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#clock.after(ms, done);
      signal.addEventListener('abort', done);
    });
  }

  /** Lets go of everything that a call holds. */
  #leave(call: Call, reason: MicroturnError): void {
    this.#call = undefined;
    call.abort.abort(reason);
    call.link?.close();
    this.microphone.release();
    this.speaker.release();
    this.#voice.release();
    this.tracks.set([]);
    this.#show(endConversation(this.#conversation));
  }

  /** A new call knows nothing of the one before. */
  #startOver(): void {
    this.#lastSeq = 0;
    this.#sessionOffsetMs = undefined;
    this.info.set(undefined);
    this.#show(newConversation());
  }

  #take(event: SessionEvent): void {
    if (event.seq <= this.#lastSeq) return;
    this.#lastSeq = event.seq;
    this.#tellTime(event.at);
    this.#obey(event);
    this.#show(reduceConversation(this.#conversation, event));
    if (!this.agent.value.speaking) this.#voice.end();
    // One that failed is cut alone: what waited behind it is heard.
    else if (event.type === 'response.interrupted' && event.by === 'agent') this.#voice.begin();
    if (event.type === 'error') this.#report(MicroturnError.fromWire(event));
    this.#events.next(event);
  }

  /** What an event asks of the loudspeaker, before anything else. */
  #obey(event: SessionEvent): void {
    const { me, responses } = this.#conversation;
    if (event.type === 'response.started') {
      if (isAudibleTo(event.audience, me)) this.#voice.begin();
    } else if (event.type === 'response.cut') {
      const response = responses.findLast(({ id }) => id === event.responseId);
      if (!response || isAudibleTo(response.audience, me)) this.#voice.silence();
    }
  }

  #followMedia(flowing: boolean): void {
    const { status } = this.connection.value;
    if (flowing && status === 'reconnecting') this.#setStatus('connected');
    else if (!flowing && status === 'connected') this.#setStatus('reconnecting');
  }

  #addTrack(received: ReceivedTrack): void {
    const { id, participant, source, track } = received;
    const isAgent = source === 'agent';
    if (isAgent) this.#voice.receive(received);
    this.speaker.add(id, track, isAgent);
    this.tracks.set([...this.tracks.value.filter((other) => other.id !== id), { id, participant, source, track }]);
    this.#changes.next();
  }

  #removeTrack(id: string): void {
    this.speaker.remove(id);
    this.#voice.drop(id);
    this.tracks.set(this.tracks.value.filter((track) => track.id !== id));
    this.#changes.next();
  }

  #tellTime(sessionMs: number): void {
    const offset = sessionMs - this.#clock.now();
    this.#sessionOffsetMs = Math.max(this.#sessionOffsetMs ?? -Infinity, offset);
  }

  #report(error: MicroturnError): void {
    this.#logger.warn(error.message, { code: error.code });
    this.#errors.next(error);
  }

  #show(conversation: Conversation): void {
    this.#conversation = conversation;
    this.#states.show(conversation);
    this.#changes.next();
  }

  #setStatus(status: ConnectionStatus, error?: MicroturnError): void {
    this.connection.set({ status, ...(error && { error }) });
    this.#changes.next();
  }

  #snapshot(): Snapshot {
    return {
      connection: this.connection.value,
      info: this.info.value,
      agent: this.agent.value,
      floor: this.floor.value,
      transcript: this.transcript.value,
      responses: this.responses.value,
      interruptions: this.interruptions.value,
      tasks: this.tasks.value,
      stats: this.stats.value,
    };
  }

  #link(): TransportLink {
    if (this.#closed) throw new MicroturnError('session/closed');
    const link = this.#call?.link;
    if (!link) throw new MicroturnError('net/closed', 'not connected');
    return link;
  }
}
