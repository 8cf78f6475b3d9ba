import {
  AskResult,
  InterruptResult,
  MicroturnError,
  limits,
  type AudienceChoice,
  type SessionEvent,
  type SessionEventOf,
  type SessionEventType,
} from '@microturn/protocol';
import { EMPTY, Subject, type Observable } from 'rxjs';
import { CallFollower } from './call-follower.js';
import { systemClock, type Clock } from './clock.js';
import { aborted } from './connection/aborted.js';
import { Call } from './connection/call.js';
import { checked } from './connection/checked.js';
import { tokenSourceOf, type TokenSource } from './connection/token-source.js';
import type { SessionRequest, Transport, TransportLink } from './connection/transport.js';
import { signalingUrl } from './connection/url.js';
import { webrtc } from './connection/webrtc.js';
import { givenText } from './input/given-text.js';
import type { ObserveInputOptions, TypedField } from './input/observe-input.js';
import { ObservedFields } from './input/observed-fields.js';
import { uploadImages } from './input/upload-images.js';
import { noLogger, type Logger } from './logger.js';
import { browserMedia, type MediaPlatform } from './media/platform.js';
import { SessionMedia } from './media/session-media.js';
import { attachVideo, videoOf, type VideoChoice } from './media/video-of.js';
import { oneAfterAnother } from './one-after-another.js';
import type {
  AnswerOptions,
  AskOptions,
  Connection,
  ConnectionStatus,
  InteractionSession,
  SessionOptions,
  Snapshot,
} from './session.js';
import { StateSource, type State } from './state.js';
import { PageTools, type ClientTool } from './tools/page-tools.js';
import { waitUntil } from './waiting.js';

/**
 * Makes a session; nothing is opened before `connect()`, so it may be made anywhere, on a server too.
 * @throws {TypeError} where there are no options, `url` is no http(s) or ws(s) URL, there is neither a `token` nor a `tokenSource`, or
 *   `transport` is none, @throws {RangeError} where `ducking` is out of its range
 */
export function createSession(options: SessionOptions): InteractionSession {
  // Not every app has its types checked.
  if (typeof options !== 'object' || !options) throw expected('options such as { token }', options);
  const { transport } = options;
  if (transport !== undefined && typeof transport?.open !== 'function') throw expected('a `transport`', transport);
  return new Session(options);
}

function expected(what: string, got: unknown): TypeError {
  return new TypeError(`expected ${what}, got ${got === null ? got : typeof got}`);
}

/** Requests with pictures that are under way or wait for each other; one more is refused. */
const MOST_PICTURE_REQUESTS = 16;

/** Joins the three: a call, its media, and what follows from the events of it. */
class Session implements InteractionSession {
  readonly connection = new StateSource<Connection>({ status: 'idle' });
  readonly info;
  readonly participants;
  readonly tracks;
  readonly agentTrack;
  readonly agent;
  readonly floor;
  readonly transcript;
  readonly responses;
  readonly interruptions;
  readonly tasks;
  readonly surfaces;
  readonly stats;
  readonly microphone;
  readonly camera;
  readonly screen;
  readonly speaker;
  readonly events: Observable<SessionEvent>;
  readonly errors: Observable<MicroturnError>;

  readonly #options: SessionOptions;
  readonly #tokenSource: TokenSource;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #platform: MediaPlatform;
  readonly #media: SessionMedia;
  readonly #errors = new Subject<MicroturnError>();
  /** After the states have changed, once for all of them. */
  readonly #changes = new Subject<void>();
  readonly #follower: CallFollower;
  readonly #tools: PageTools;
  readonly #fields: ObservedFields;
  /** Those of one request after those of another: an edge keeps as many as one may have, and lets go of the oldest. */
  readonly #pictures = oneAfterAnother(MOST_PICTURE_REQUESTS);
  #call: Call | undefined;
  #closed = false;

  constructor(options: SessionOptions) {
    const { transport = webrtc(), clock = systemClock, logger = noLogger, microphone = true } = options;
    if (options.url !== undefined) signalingUrl(options.url);
    this.#options = options;
    this.#tokenSource = tokenSourceOf(options);
    this.#transport = transport;
    this.#platform = transport.media ?? browserMedia;
    this.#clock = clock;
    this.#logger = logger;
    this.errors = this.#errors.asObservable();

    this.#fields = new ObservedFields(() => this.#call?.link, clock);
    this.#tools = new PageTools(
      () => this.#call?.link,
      (error) => this.#report(MicroturnError.from(error, 'tool/failed')),
    );
    this.#media = new SessionMedia({
      platform: this.#platform,
      clock,
      microphone: microphone === false ? true : microphone,
      audioElement: options.audioElement,
      ducking: options.ducking ?? true,
      notify: (message) => this.#call?.link?.notify(message),
      show: (images, name) => this.show(images, { name }),
      problem: (error) => this.#report(error),
    });
    ({
      tracks: this.tracks,
      agentTrack: this.agentTrack,
      microphone: this.microphone,
      camera: this.camera,
      screen: this.screen,
      speaker: this.speaker,
    } = this.#media);

    this.#follower = new CallFollower({
      clock,
      media: this.#media,
      tools: this.#tools,
      fields: this.#fields,
      changed: () => this.#changes.next(),
      report: (error) => this.#report(error),
    });
    this.info = this.#follower.info;
    this.participants = this.#follower.participants;
    this.events = this.#follower.events.asObservable();
    ({
      agent: this.agent,
      floor: this.floor,
      transcript: this.transcript,
      responses: this.responses,
      interruptions: this.interruptions,
      tasks: this.tasks,
      surfaces: this.surfaces,
      stats: this.stats,
    } = this.#follower.states);
  }

  get closed(): boolean {
    return this.#closed;
  }

  get nowMs(): number {
    return this.#follower.nowMs;
  }

  connect({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#closed) return Promise.reject(new MicroturnError('session/closed'));
    if (signal?.aborted) return Promise.reject(aborted(signal));
    return (this.#call ?? this.#startCall()).join(signal);
  }

  async disconnect(): Promise<void> {
    const call = this.#call;
    if (!call) return;
    this.#setStatus('closing');
    call.leave(new MicroturnError('net/closed', 'disconnected'));
    this.#setStatusAfter(call, 'idle');
    return Promise.resolve();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#setStatus('closing');
    this.#fields.close(); // while there is a link
    this.#call?.leave(new MicroturnError('session/closed'));
    this.#setStatus('closed');
    this.#media.close();
    this.#follower.close();
    this.connection.close();
    for (const subject of [this.#follower.events, this.#errors, this.#changes]) subject.complete();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async interrupt(): Promise<InterruptResult> {
    const link = this.#link();
    return checked(InterruptResult, await link.request({ type: 'response.interrupt', ...this.#media.silence() }));
  }

  async say(text: string, { audience }: { readonly audience?: AudienceChoice } = {}): Promise<{ responseId: string }> {
    const reply = await this.#link().request({ type: 'say', text: givenText(text), audience });
    const responseId = (reply as { responseId?: unknown } | undefined)?.responseId;
    if (typeof responseId !== 'string') throw new MicroturnError('protocol/malformed', 'say: expected a responseId');
    return { responseId };
  }

  async muteParticipant(identity: string, trackId: string): Promise<void> {
    await this.#link().request({ type: 'participant.mute', participant: identity, producerId: trackId });
  }

  async removeParticipant(identity: string): Promise<void> {
    await this.#link().request({ type: 'participant.remove', participant: identity });
  }

  async ask(text: string, { subject, images = [] }: AskOptions = {}): Promise<AskResult> {
    const link = this.#link();
    const question = { type: 'task.ask', text: givenText(text), subject } as const;
    const reply = await (images.length === 0
      ? link.request(question)
      : this.#withPictures(link, images, (imageIds) => ({ ...question, images: imageIds })));
    const result = checked(AskResult, reply);
    // Not before: one that is refused still stands in its field.
    this.#fields.sent(text.trim());
    return result;
  }

  async amend(taskId: string, text: string): Promise<void> {
    await this.#link().request({ type: 'task.amend', taskId, text: givenText(text) });
  }

  async answer(taskId: string, answer: string | boolean, options: AnswerOptions = {}): Promise<void> {
    const { questionId = this.tasks.value.find(({ id }) => id === taskId)?.question?.id } = options;
    await this.#link().request({
      type: 'task.answer',
      taskId,
      answer: typeof answer === 'boolean' ? answer : givenText(answer),
      questionId,
    });
  }

  async cancel(taskId?: string): Promise<void> {
    await this.#link().request({ type: 'task.cancel', taskId });
  }

  async changeSubject(): Promise<void> {
    await this.#link().request({ type: 'subject.change' });
  }

  registerTool<Arguments = Record<string, unknown>>(tool: ClientTool<Arguments>): () => void {
    if (this.#closed) throw new MicroturnError('session/closed');
    return this.#tools.register(tool);
  }

  send(text: string): void {
    const sent = givenText(text, true).trim();
    if (sent.length > limits.typedChars) {
      throw new MicroturnError(
        'protocol/too-large',
        `expected at most ${limits.typedChars} characters, got ${sent.length}`,
      );
    }
    if (sent === '') return;
    const link = this.#link();
    this.#fields.sent(sent);
    link.notify({ type: 'typing', field: 'message', text: sent, sent: true });
  }

  async show(images: readonly Blob[], { name = 'pictures' }: { readonly name?: string } = {}): Promise<void> {
    await this.#withPictures(this.#link(), images, (imageIds) => ({ type: 'image.show', name, images: imageIds }));
  }

  videoOf(choice: VideoChoice = {}): State<MediaStreamTrack | undefined> {
    return videoOf(this, choice);
  }

  attachVideo(element: HTMLVideoElement, choice?: VideoChoice): () => void {
    return attachVideo(element, this.videoOf(choice), this.#platform);
  }

  observeInput(element: TypedField, options: ObserveInputOptions = {}): () => void {
    return this.#closed ? () => undefined : this.#fields.observe(element, options);
  }

  on<T extends SessionEventType>(
    type: T,
    fn: (event: SessionEventOf<T>) => void,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): () => void {
    if (signal?.aborted) return () => undefined;
    const subscription = this.events.subscribe((event) => {
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

  #withPictures(
    link: TransportLink,
    images: readonly Blob[],
    toRequest: (imageIds: string[]) => SessionRequest,
  ): Promise<unknown> {
    return this.#pictures(async () =>
      link.request(toRequest(await uploadImages(images, (piece) => link.request(piece)))),
    );
  }

  #startCall(): Call {
    const { url, room, recipe, participantName, audience, microphone } = this.#options;
    const call = new Call({
      url,
      room,
      recipe,
      participantName,
      audience,
      tokenSource: this.#tokenSource,
      transport: this.#transport,
      clock: this.#clock,
      logger: this.#logger,
      host: {
        prepare: async (signal) => {
          if (microphone === false) return;
          await this.#media.enable(signal);
          this.#setStatus('connecting');
        },
        lastSeq: () => this.#follower.lastSeq,
        joined: (link, signal) => this.#follower.joined(link, signal),
        linkLost: () => {
          this.#media.detach();
          this.#follower.setLive(false);
        },
        status: (status, error) => this.#setStatusAfter(call, status, error),
        left: () => {
          this.#call = undefined;
          this.#follower.end();
        },
        event: (event) => this.#follower.take(event),
        trackAdded: (track) => {
          this.#media.add(track);
          this.#changes.next();
        },
        trackRemoved: (id) => {
          this.#media.remove(id);
          this.#changes.next();
        },
        roster: (update) => this.#follower.takeRoster(update),
        media: (flowing) => this.#followMedia(flowing),
        problem: (error) => this.#report(error),
      },
    });
    this.#call = call;
    this.#follower.startOver();
    // Whoever was told that all begins anew may have left.
    if (this.#call === call) this.#setStatus(microphone === false ? 'connecting' : 'requesting-media');
    return call;
  }

  #followMedia(flowing: boolean): void {
    const [from, to] = flowing ? (['reconnecting', 'connected'] as const) : (['connected', 'reconnecting'] as const);
    const follows = () => this.connection.value.status === from;
    if (follows()) this.#follower.setLive(flowing);
    // Whoever is told of it may leave.
    if (follows()) this.#setStatus(to);
  }

  #report(error: MicroturnError): void {
    this.#logger.warn(error.message, { code: error.code });
    this.#errors.next(error);
  }

  /** Whoever is told of the end of a call may have begun the next, whose status it is then. */
  #setStatusAfter(call: Call, status: ConnectionStatus, error?: MicroturnError): void {
    if (!this.#call || this.#call === call) this.#setStatus(status, error);
  }

  #setStatus(status: ConnectionStatus, error?: MicroturnError): void {
    this.connection.set({ status, ...(error && { error }) });
    this.#changes.next();
  }

  #snapshot(): Snapshot {
    return {
      connection: this.connection.value,
      info: this.info.value,
      participants: this.participants.value,
      agent: this.agent.value,
      floor: this.floor.value,
      transcript: this.transcript.value,
      responses: this.responses.value,
      interruptions: this.interruptions.value,
      tasks: this.tasks.value,
      surfaces: this.surfaces.value,
      stats: this.stats.value,
    };
  }

  #link(): TransportLink {
    if (this.#closed) throw new MicroturnError('session/closed');
    const link = this.#call?.link;
    if (!link) {
      const { status } = this.connection.value;
      throw new MicroturnError('net/closed', status === 'reconnecting' ? 'it is reconnecting' : 'not connected');
    }
    return link;
  }
}
