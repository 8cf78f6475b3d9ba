import { randomUUID } from 'node:crypto';
import {
  MicroturnError,
  limits,
  turnAt,
  turnStartMs,
  type Audience,
  type AudienceChoice,
  type SessionEvent,
  type SessionEventBody,
} from '@microturn/protocol';
import type { Clock } from '../clock.js';
import type { EngineId } from '../engine/engine-worker.js';
import type { Decision, LeaseId, ModelInfo } from '../engine/types.js';
import type { EndpointStats, Heard, HeardReport, MediaMethod, MediaRequests, VoiceKey } from '../media/types.js';
import { hashToken, type FoundSession, type Stamp, type StoredSession } from '../store/index.js';
import type { Log } from '../telemetry/log.js';
import type { SpeakRequest } from '../voice/index.js';
import type { AudienceSeat, ResponseEvent, RoomAudience } from './audience.js';
import type { OpenBackground, SessionBackground, SessionDesk, SpentTokens } from './background.js';
import { EventJournal } from './event-journal.js';
import {
  startConversation,
  stepConversation,
  type Conversation,
  type ConversationEffect,
  type ConversationInput,
} from './conversation.js';
import { contiguousTail, unfinishedResponses } from './restore.js';

/** What a session needs of the media thread. */
export interface SessionMedia {
  request<M extends MediaMethod>(method: M, params: MediaRequests[M]['params']): Promise<MediaRequests[M]['result']>;
}

/** What a session needs of the engine: one row, and its decisions. */
export interface SessionEngine {
  readonly info: ModelInfo;
  /** @throws {MicroturnError} `edge/full` where no row could be leased now */
  assertRoom(): void;
  lease(
    onDecision: (decision: Decision) => void,
    onFailed: (error: MicroturnError) => void,
    onReset: (error: MicroturnError, snapshotAgeMs: number | undefined) => void,
    outlet: EngineOutlet,
  ): SessionRow;
}

/** What a model has to say besides its decisions. */
export interface EngineOutlet {
  /** Session ms now. */
  nowMs(): number;
  /** Words of an answer that go on between two decisions. */
  more(text: string): void;
  emit(event: SessionEventBody): void;
}

export interface SessionRow {
  readonly id: LeaseId;
  readonly engine: EngineId;
  /** Monotonic ms of session time 0: up to a micro-turn ahead, where the row's lane has its boundaries. */
  readonly zeroMs: number;
  /** Of the language model that speaks here, where one does. */
  readonly spent?: SpentTokens;
  /** The model is told of what happens in its session, as the client is. */
  observe?(event: SessionEvent): void;
  /** The first packet of a response left, at session ms. */
  speechStarted?(responseId: string, atMs: number): void;
  /** What the user types: as it stands now, or `sent`. */
  typed?(typed: TypedText): void;
  release(): void;
}

export interface TypedText {
  readonly field: string;
  readonly text: string;
  readonly sent: boolean;
}

/** What a session needs of the voice. Speech itself goes straight to the media thread. */
export interface SessionVoice {
  speak(request: SpeakRequest): Promise<unknown>;
  end(responseId: string): void;
  cancel(responseId: string): void;
}

export interface SessionParts {
  readonly room: string;
  readonly participant: string;
  /** The room, as far as the agent speaks to it. */
  readonly roomAudience: RoomAudience;
  /** Whom the model speaks to. */
  readonly audience: AudienceChoice;
  readonly clock: Clock;
  readonly media: SessionMedia;
  readonly engine: SessionEngine;
  readonly voice: SessionVoice;
  /** Whose voice it is, where there are several. */
  readonly speaker?: string | undefined;
  readonly log: Log;
  /** Slow work off the path; without it nothing can be asked of a background model. */
  readonly background?: OpenBackground | undefined;
  /** Whether the sound of the last half minute is kept, for a model that has to hear it again. */
  readonly keepClip?: boolean | undefined;
  /** Called once, when the session is over for whatever reason. */
  readonly onClosed: (session: Session, reason: string) => void;
  /** @param lagMs from the end of the micro-turn to here, on main */
  readonly onDecision?: ((decision: Decision, lagMs: number) => void) | undefined;
}

/** Where a session of a process that is gone is taken up. */
export interface SessionOrigin extends FoundSession {
  readonly resumeToken: string;
  /** What its client has: more than was saved, where the process was killed between two saves. */
  readonly lastSeq: number;
}

/** Stats go to the client once a second. */
const STATS_EVERY_TURNS = 5;
const USAGE_EVERY_TURNS = 300;
/** Late micro-turns in a row that are told to the client, and how soon again. */
const LATE_IN_A_ROW = 10;
const LATE_AGAIN_MS = 10_000;
/** What one caller may have waiting to be said, so that none fills the voice of everybody. */
const LIVE_RESPONSES = 16;
const LIVE_CHARS = 2 * limits.textChars;

/**
 * One participant's conversation with the agent. Composes the stages: decisions come in from the engine, speech goes
 * out through the voice, what was heard comes back from the listener, and all of it becomes events with a `seq`.
 */
export class Session {
  readonly id: string;
  readonly resumeToken: string;
  readonly room: string;
  readonly participant: string;
  /** The endpoint of the media thread that carries this session. */
  readonly endpoint: string;
  readonly model: ModelInfo;
  readonly #parts: SessionParts;
  #zeroMs: number;
  readonly #lease: SessionRow;
  readonly #seat: AudienceSeat;
  /** Responses to the room that are going on: this participant's, and the others'. */
  readonly #shared = new Set<string>();
  readonly #overheard = new Set<string>();
  /** Open once it may be needed: a voice that nobody else hears. */
  #privateVoice: Promise<void> | undefined;
  #conversation: Conversation;
  readonly #journal: EventJournal;
  /** Until its client is back: session ms up to which it was saved, and the model that it talked with. */
  #origin: { readonly savedMs: number; readonly model: string } | undefined;
  #listener: ((event: SessionEvent) => void) | undefined;
  #seq = 0;
  #turns = 0;
  #late = 0;
  readonly #background: SessionBackground | undefined;
  #lateInARow = 0;
  #toldLateAtMs = -Infinity;
  #stats: EndpointStats | undefined;
  #closed = false;

  private constructor(parts: SessionParts, endpoint: string, origin: SessionOrigin | undefined) {
    this.#parts = parts;
    this.id = origin?.session.id ?? randomUUID();
    this.resumeToken = origin?.resumeToken ?? randomUUID();
    this.room = parts.room;
    this.participant = parts.participant;
    this.endpoint = endpoint;
    this.model = parts.engine.info;
    this.#conversation = startConversation(parts.participant, this.#audienceOf(parts.audience));
    this.#journal = new EventJournal(contiguousTail(origin?.events ?? []));
    if (origin && origin.session.microTurnMs !== this.model.microTurnMs) {
      throw new MicroturnError('session/expired', 'the model hears in other micro-turns now');
    }
    this.#lease = parts.engine.lease(
      (decision) => this.#onDecision(decision),
      (error) => this.#fail(error),
      (error, snapshotAgeMs) => this.report(error, snapshotAgeMs),
      {
        nowMs: () => this.nowMs,
        more: (text) => this.#apply({ type: 'more', atMs: this.nowMs, text, responseId: this.#nextResponseId() }),
        emit: (event) => {
          if (!this.#closed) this.#emit(event);
        },
      },
    );
    this.#zeroMs = this.#lease.zeroMs;
    this.#seat = parts.roomAudience.join({
      overhear: (event) => this.#overhear(event),
      overrule: (by) => this.#apply({ type: 'overruled', atMs: this.nowMs, by }),
    });
    this.#background = parts.background?.(this.#createDesk());
    if (origin) this.#takeUp(origin);
  }

  /**
   * Leases a row and starts the session clock; the endpoint must be open on the media thread.
   * @param origin the session to take up again, of a process that is gone
   * @throws {MicroturnError} `edge/full` where every row is leased, `session/expired` where the model does not fit
   */
  static async open(parts: SessionParts, endpoint: string, origin?: SessionOrigin): Promise<Session> {
    const session = new Session(parts, endpoint, origin);
    try {
      await session.startRow();
    } catch (error) {
      session.#seat.leave();
      session.#lease.release();
      throw error;
    }
    return session;
  }

  /**
   * Goes on where another process was: on the same clock, moved on by less than one micro-turn to the phase of its new
   * lane, and with the next `seq` that its client has not had. What the agent was saying ended where it was last heard.
   */
  #takeUp({ session, events, elapsedMs, lastSeq }: SessionOrigin): void {
    const { microTurnMs } = this.model;
    const sessionMs = session.sessionMs + elapsedMs;
    const turns = Math.ceil((sessionMs + this.#lease.zeroMs - this.#parts.clock.now()) / microTurnMs);
    this.#zeroMs = this.#lease.zeroMs - turns * microTurnMs;
    this.#origin = { savedMs: session.sessionMs, model: session.model };
    this.#turns = session.turns;
    this.#late = session.late;
    this.#seq = Math.max(lastSeq, events.at(-1)?.seq ?? 0);
    const reminders = events.filter(({ type }) => type === 'reminder.fired').length;
    this.#conversation = { ...this.#conversation, listening: false, reminders };
    this.#background?.restore(events);
    for (const interrupted of unfinishedResponses(events)) this.#emit(interrupted);
    // What the client saw of the floor last may not have been saved.
    this.#emit({ type: 'floor.changed', participant: this.participant, floor: 'silent', confidence: 0 });
  }

  /** Has the media thread cut this session's micro-turns, from the one that holds now on: the clock never restarts. */
  async startRow(): Promise<void> {
    const { microTurnMs, inputHz, inputs } = this.model;
    const { id: lease, engine } = this.#lease;
    const keepClip = this.#parts.keepClip || this.#background?.keepsClip;
    await this.#parts.media.request('row.start', {
      endpoint: this.endpoint,
      row: { lease, engine, microTurnMs, inputHz, zeroMs: this.#zeroMs, keepClip, ref: inputs?.includes('ref') },
    });
    if (this.#parts.audience !== 'self' && !this.#privateVoice) return;
    this.#privateVoice = undefined;
    await this.#openPrivateVoice();
  }

  get closed(): boolean {
    return this.#closed;
  }
  /** The engine thread of its row. */
  get engine(): EngineId {
    return this.#lease.engine;
  }
  /** Micro-turns that were decided late, one after the other, up to now. */
  get lateInARow(): number {
    return this.#lateInARow;
  }
  /** Of the newest event. */
  get seq(): number {
    return this.#seq;
  }
  /** Session ms now. It stands at 0 until the first micro-turn begins. */
  get nowMs(): number {
    return Math.max(0, this.#parts.clock.now() - this.#zeroMs);
  }

  /** @throws {MicroturnError} `task/off` where this edge has no background model, `session/closed` */
  get background(): SessionBackground {
    this.#assertOpen();
    if (!this.#background) throw new MicroturnError('task/off');
    return this.#background;
  }

  /** Where events go, from `session.started` on. One listener: the socket of the participant. */
  start(listener: (event: SessionEvent) => void): void {
    this.#listener = listener;
    this.#emit({
      type: 'session.started',
      sessionId: this.id,
      room: this.room,
      participant: this.participant,
      model: this.modelName,
      microTurnMs: this.model.microTurnMs,
      resumeToken: this.resumeToken,
    });
  }

  /** Name and version. */
  get modelName(): string {
    return `${this.model.name} ${this.model.version}`;
  }

  /** The latest events after `seq`, to be saved. */
  eventsAfter(seq: number): readonly SessionEvent[] {
    return this.#journal.after(seq).missed;
  }

  /** What another process needs to take this session up, besides its events. */
  toStored(savedAt: Stamp, leaseMs: number): StoredSession {
    return {
      id: this.id,
      tokenHash: hashToken(this.resumeToken),
      room: this.room,
      participant: this.participant,
      model: this.modelName,
      microTurnMs: this.model.microTurnMs,
      turns: this.#turns,
      late: this.#late,
      sessionMs: this.nowMs,
      savedAt,
      leaseMs,
    };
  }

  /** Nobody listens any more. The clock, the row and the history go on; what was being said ends where it was heard. */
  suspend(): void {
    this.#listener = undefined;
    this.#apply({ type: 'listener', atMs: this.nowMs, present: false });
  }

  /** The participant is back, and has every event up to `lastSeq`: the missed ones come first, each once, in order. */
  resume(lastSeq: number, listener: (event: SessionEvent) => void): void {
    this.#assertOpen();
    const { missed, lostMs } = this.#journal.after(lastSeq);
    const origin = this.#origin;
    this.#origin = undefined;
    for (const event of missed) listener(event);
    this.#listener = listener;
    this.#apply({ type: 'listener', atMs: this.nowMs, present: true });
    this.#emit({
      type: 'session.resumed',
      // Of the time since it was saved there may have been events, and then there was nobody to make any.
      lostMs: lostMs + (origin ? this.nowMs - origin.savedMs : 0),
      ...(origin && origin.model !== this.modelName && { model: this.modelName }),
    });
  }

  /** Speaks through the agent: a `proactive` response that the model may still stop. */
  say(text: string, audience: AudienceChoice = this.#parts.audience): { responseId: string } {
    this.#assertOpen();
    if (this.#conversation.responses.length >= LIVE_RESPONSES) {
      throw new MicroturnError('protocol/rate', `${LIVE_RESPONSES} responses are waiting to be said`);
    }
    const waitingChars = this.#conversation.responses.reduce((sum, response) => sum + response.chars, text.length);
    if (waitingChars > LIVE_CHARS) {
      throw new MicroturnError('protocol/rate', `at most ${LIVE_CHARS} characters may wait to be said`);
    }
    const responseId = this.#nextResponseId();
    this.#apply({ type: 'say', atMs: this.nowMs, responseId, text, audience: this.#audienceOf(audience) });
    return { responseId };
  }

  /** What the user types; only a model that reads perceives it. */
  typed(typed: TypedText): void {
    if (!this.#closed) this.#lease.typed?.(typed);
  }

  /** What the listener's device plays now. */
  async heard(report: HeardReport): Promise<readonly Heard[]> {
    if (this.#closed) return [];
    const { heard } = await this.#parts.media.request('heard', { endpoint: this.endpoint, report });
    for (const { responseId, heardMs } of heard) {
      this.#apply({ type: 'heard', responseId, heardMs, state: report.state });
    }
    if (report.state !== 'muted') return heard;
    // A cut response of which nothing was played yet maps to nothing on the timeline: its answer is zero.
    for (const response of this.#conversation.responses) {
      if (response.phase === 'cut') {
        this.#apply({ type: 'heard', responseId: response.id, heardMs: response.heardMs, state: 'muted' });
      }
    }
    return heard;
  }

  /** The user's client stops the agent. Resolves with what had been heard of the response that was playing. */
  async interrupt(report: HeardReport | undefined): Promise<{ responseId?: string; heardMs: number }> {
    this.#assertOpen();
    const heard = report ? await this.heard(report) : [];
    const playing = this.#conversation.responses[0];
    if (this.#overheard.size > 0) this.#seat.overrule('client');
    if (playing === undefined) return heard.at(-1) ?? { heardMs: 0 };
    this.#apply({ type: 'interrupt', atMs: this.nowMs });
    return { responseId: playing.id, heardMs: playing.heardMs };
  }

  /**
   * Tells the client of what has no request to answer.
   * @param snapshotAgeMs where the model was set back: how far, unless to its beginning
   */
  report(error: MicroturnError, snapshotAgeMs?: number): void {
    this.#emit({ type: 'error', ...error.toWire(), ...(snapshotAgeMs !== undefined && { snapshotAgeMs }) });
  }

  /** The first packet of a response left, or its last one. */
  speechMoved(type: 'speech-started' | 'speech-sent', responseId: string, atMonotonicMs: number): void {
    const atMs = atMonotonicMs - this.#zeroMs;
    this.#apply({ type, responseId, atMs });
    if (type === 'speech-started' && this.#conversation.responses.some(({ id }) => id === responseId)) {
      this.#lease.speechStarted?.(responseId, atMs);
    }
  }

  /** More of a response was made than its voice can hold: it ends here, and the client is told. */
  speechFull(responseId: string): void {
    if (!this.#conversation.responses.some(({ id }) => id === responseId)) return;
    this.#failToSpeak(responseId, new MicroturnError('voice/failed', 'more speech waits than its queue holds'));
  }

  /** The newest view of this endpoint from the media thread. */
  noteStats(stats: EndpointStats): void {
    this.#stats = stats;
  }

  /** Gives the row back and ends what is being said. Closing twice is harmless. */
  close(reason: string): void {
    if (this.#closed) return;
    this.#background?.close();
    this.#apply({ type: 'listener', atMs: this.nowMs, present: false });
    this.#emitUsage();
    this.#emit({ type: 'session.closed', reason });
    this.#closed = true;
    this.#seat.leave();
    this.#lease.release();
    this.#listener = undefined;
    this.#parts.onClosed(this, reason);
  }

  /** What background work may do to this session. */
  #createDesk(): SessionDesk {
    return {
      sessionId: this.id,
      participant: this.participant,
      microTurnMs: this.model.microTurnMs,
      nowMs: () => this.nowMs,
      emit: (event) => {
        if (!this.#closed) this.#emit(event);
      },
      relay: (taskId, text, responseId = this.#nextResponseId()) => {
        this.#apply({ type: 'relay', atMs: this.nowMs, responseId, taskId, text });
        return responseId;
      },
      endRelay: (responseId) => this.#apply({ type: 'relay-end', responseId }),
      drop: (responseId) => this.#apply({ type: 'drop', atMs: this.nowMs, responseId }),
      clip: (fromMs, toMs) => this.#parts.media.request('clip', { endpoint: this.endpoint, fromMs, toMs }),
    };
  }

  #assertOpen(): void {
    if (this.#closed) throw new MicroturnError('session/closed');
  }

  #nextResponseId(): string {
    // Each response has an event of its own, so a number is used once, also by the process that takes over.
    return `${this.id.slice(0, 8)}-${this.#seq + 1}`;
  }

  #onDecision(decision: Decision): void {
    if (this.#closed) return;
    this.#turns++;
    const { microTurnMs } = this.model;
    const lagMs = Math.max(0, this.nowMs - turnStartMs(decision.index + 1, microTurnMs));
    this.#noteLag(lagMs);
    this.#parts.onDecision?.(decision, lagMs);
    this.#apply({
      type: 'decision',
      atMs: this.nowMs,
      decision,
      responseId: decision.say ? this.#nextResponseId() : '',
      overhears: this.#overheard.size > 0,
    });
    const { responses, listening } = this.#conversation;
    this.#background?.onDecision(decision, {
      responses,
      present: listening,
      overhears: this.#overheard.size > 0,
    });
    if (this.#turns % STATS_EVERY_TURNS === 0) this.#emitStats(decision.stepMs, lagMs);
    if (this.#turns % USAGE_EVERY_TURNS === 0) this.#emitUsage();
  }

  #noteLag(lagMs: number): void {
    if (lagMs <= this.model.microTurnMs) {
      this.#lateInARow = 0;
      return;
    }
    this.#late++;
    this.#lateInARow++;
    if (this.#lateInARow < LATE_IN_A_ROW || this.nowMs - this.#toldLateAtMs < LATE_AGAIN_MS) return;
    this.#toldLateAtMs = this.nowMs;
    this.report(new MicroturnError('engine/late', `${this.#lateInARow} micro-turns in a row`));
  }

  #fail(error: MicroturnError): void {
    this.report(error);
    this.close(error.code);
  }

  #apply(input: ConversationInput): void {
    if (this.#closed) return;
    const { state, events, effects } = stepConversation(this.#conversation, input);
    this.#conversation = state;
    for (const event of events) {
      this.#emit(event);
      this.#share(event);
    }
    for (const effect of effects) this.#run(effect);
    // What is made need not keep the room's voice from others, who are played after it.
    const unfinished = state.responses.filter(
      (r) => r.phase === 'speaking' || (r.phase === 'ending' && r.speaking > 0),
    );
    this.#seat.settle(new Set(unfinished.map(({ id }) => id)));
  }

  #run(effect: ConversationEffect): void {
    const { voice, media, log } = this.#parts;
    switch (effect.do) {
      case 'speak':
        this.#whenVoiceIsFree(effect, () => this.#speak(effect));
        return;
      case 'end':
        this.#whenVoiceIsFree(effect, () => voice.end(effect.responseId));
        return;
      case 'cut':
        voice.cancel(effect.responseId);
        media
          .request('speech.cut', { voice: this.#voiceKey(effect.audience), responseId: effect.responseId })
          .catch((error: unknown) => log.warn({ err: error }, 'a response could not be cut'));
        return;
      case 'overrule':
        this.#seat.overrule('user');
        return;
      default:
        effect satisfies never;
    }
  }

  /** The room's voice says one response at a time; a private one is this session's alone, once it is open. */
  #whenVoiceIsFree({ responseId, audience }: ConversationEffect & { do: 'speak' | 'end' }, say: () => void): void {
    const isLive = () => this.#conversation.responses.some(({ id, phase }) => id === responseId && phase !== 'cut');
    if (audience !== 'room') {
      this.#openPrivateVoice().then(
        () => isLive() && say(),
        (cause: unknown) => this.#failToSpeak(responseId, MicroturnError.from(cause, 'voice/failed')),
      );
    } else if (!this.#seat.speak(responseId, say)) {
      this.#failToSpeak(responseId, new MicroturnError('voice/failed', 'too much waits to be said to the room'));
    }
  }

  /** Resolves when what it says is heard from the start. It stays open as long as the endpoint. */
  #openPrivateVoice(): Promise<void> {
    this.#privateVoice ??= this.#parts.media.request('voice.open', { endpoint: this.endpoint });
    this.#privateVoice.catch(() => (this.#privateVoice = undefined));
    return this.#privateVoice;
  }

  #audienceOf(choice: AudienceChoice): Audience {
    return choice === 'room' ? 'room' : { participant: this.participant };
  }

  #voiceKey(audience: Audience): VoiceKey {
    return audience === 'room' ? `room:${this.room}` : `endpoint:${this.endpoint}`;
  }

  /** The rows of a room share what the agent said to it. */
  #share(event: SessionEventBody): void {
    if (!isResponseEvent(event)) return;
    if (event.type === 'response.started' && event.audience === 'room') this.#shared.add(event.responseId);
    if (!this.#shared.has(event.responseId)) return;
    if (isEnd(event)) this.#shared.delete(event.responseId);
    this.#seat.share(event);
  }

  #overhear(event: ResponseEvent): void {
    // Nothing comes before `session.started`.
    if (this.#closed || this.#seq === 0) return;
    if (event.type === 'response.started') this.#overheard.add(event.responseId);
    else if (isEnd(event)) this.#overheard.delete(event.responseId);
    this.#emit(event);
  }

  #failToSpeak(responseId: string, error: MicroturnError): void {
    this.#apply({ type: 'voice-failed', atMs: this.nowMs, responseId, ...error.toWire(), code: error.code });
  }

  #speak({ responseId, audience, text, last }: ConversationEffect & { do: 'speak' }): void {
    this.#parts.voice
      .speak({
        voiceKey: this.#voiceKey(audience),
        responseId,
        text,
        last,
        speaker: this.#parts.speaker,
        onProblem: (error) => this.report(error),
        onClause: ({ text, words, lengthMs }) => this.#apply({ type: 'clause', responseId, text, words, lengthMs }),
      })
      .then(
        () => this.#apply({ type: 'spoken', responseId }),
        (cause: unknown) => this.#failToSpeak(responseId, MicroturnError.from(cause, 'voice/failed')),
      );
  }

  #emit(body: SessionEventBody): void {
    const at = this.nowMs;
    const event = { ...body, seq: ++this.#seq, at: Math.round(at * 10) / 10, turn: turnAt(at, this.model.microTurnMs) };
    this.#journal.push(event as SessionEvent);
    this.#listener?.(event as SessionEvent);
    this.#background?.onEvent(event as SessionEvent);
    this.#lease.observe?.(event as SessionEvent);
  }

  #emitStats(stepMs: number, turnLagMs: number): void {
    const stats = this.#stats;
    const seen = stats ? stats.packets + stats.lost : 0;
    this.#emit({
      type: 'stats',
      ...(stats?.rttMs !== undefined && { rttMs: stats.rttMs }),
      loss: stats && seen > 0 ? stats.lost / seen : 0,
      jitterMs: stats?.jitterMs ?? 0,
      turnLagMs,
      stepMs,
    });
  }

  #emitUsage(): void {
    this.#emit({
      type: 'session.usage',
      audioSeconds: (this.#turns * this.model.microTurnMs) / 1000,
      microTurns: this.#turns,
      late: this.#late,
      ...sumOf([this.#lease.spent, this.#background?.spent]),
    });
  }
}

/** Without a language model there is no cost, rather than one of 0. */
function sumOf(parts: readonly (SpentTokens | undefined)[]): Omit<SpentTokens, 'cost'> & { cost?: number } {
  let sum: ReturnType<typeof sumOf> = { tokensIn: 0, tokensOut: 0 };
  for (const part of parts) {
    if (!part) continue;
    const { tokensIn, tokensOut, cost } = part;
    sum = { tokensIn: sum.tokensIn + tokensIn, tokensOut: sum.tokensOut + tokensOut, cost: (sum.cost ?? 0) + cost };
  }
  return sum;
}

function isResponseEvent(event: SessionEventBody): event is ResponseEvent {
  return event.type.startsWith('response.');
}

function isEnd({ type }: ResponseEvent): boolean {
  return type === 'response.completed' || type === 'response.interrupted';
}
