import { randomUUID } from 'node:crypto';
import {
  MicroturnError,
  limits,
  turnAt,
  turnStartMs,
  type SessionEvent,
  type SessionEventBody,
} from '@microturn/protocol';
import type { Clock } from '../clock.js';
import type { EngineId } from '../engine/engine-worker.js';
import type { Decision, LeaseId, ModelInfo } from '../engine/types.js';
import type { EndpointStats, HeardReport, MediaMethod, MediaRequests, VoiceKey } from '../media/types.js';
import { hashToken, type FoundSession, type Stamp, type StoredSession } from '../store/index.js';
import type { Log } from '../telemetry/log.js';
import type { SpeakRequest } from '../voice/index.js';
import { EventJournal } from './event-journal.js';
import { startConversation, stepConversation, type Conversation, type ConversationInput } from './conversation.js';
import { contiguousTail, unfinishedResponses } from './restore.js';

/** What a session needs of the media thread. */
export interface SessionMedia {
  request<M extends MediaMethod>(method: M, params: MediaRequests[M]['params']): Promise<MediaRequests[M]['result']>;
}

/** What a session needs of the engine: one row, and its decisions. */
export interface SessionEngine {
  readonly info: ModelInfo;
  lease(
    onDecision: (decision: Decision) => void,
    onFailed: (error: MicroturnError) => void,
    onReset: (error: MicroturnError) => void,
  ): SessionRow;
}

export interface SessionRow {
  readonly id: LeaseId;
  readonly engine: EngineId;
  /** Monotonic ms of session time 0: up to a micro-turn ahead, where the row's lane has its boundaries. */
  readonly zeroMs: number;
  release(): void;
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
  readonly clock: Clock;
  readonly media: SessionMedia;
  readonly engine: SessionEngine;
  readonly voice: SessionVoice;
  readonly log: Log;
  /** Whether the sound of the last half minute is kept on the media thread, for those who have to hear a question again. */
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
  readonly #voiceKey: VoiceKey;
  #conversation: Conversation;
  readonly #journal: EventJournal;
  /** Until its client is back: session ms up to which it was saved, and the model that it talked with. */
  #origin: { readonly savedMs: number; readonly model: string } | undefined;
  #listener: ((event: SessionEvent) => void) | undefined;
  #seq = 0;
  #turns = 0;
  #late = 0;
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
    this.#voiceKey = `room:${parts.room}`;
    this.#conversation = startConversation(parts.participant);
    this.#journal = new EventJournal(contiguousTail(origin?.events ?? []));
    if (origin && origin.session.microTurnMs !== this.model.microTurnMs) {
      throw new MicroturnError('session/expired', 'the model hears in other micro-turns now');
    }
    this.#lease = parts.engine.lease(
      (decision) => this.#onDecision(decision),
      (error) => this.#fail(error),
      (error) => this.report(error),
    );
    this.#zeroMs = this.#lease.zeroMs;
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
    for (const interrupted of unfinishedResponses(events)) this.#emit(interrupted);
    // What the client saw of the floor last may not have been saved.
    this.#emit({ type: 'floor.changed', participant: this.participant, floor: 'silent', confidence: 0 });
  }

  /** Has the media thread cut this session's micro-turns, from the one that holds now on: the clock never restarts. */
  async startRow(): Promise<void> {
    const { microTurnMs, inputHz } = this.model;
    const { id: lease, engine } = this.#lease;
    await this.#parts.media.request('row.start', {
      endpoint: this.endpoint,
      row: { lease, engine, microTurnMs, inputHz, zeroMs: this.#zeroMs, keepClip: this.#parts.keepClip },
    });
  }

  get closed(): boolean {
    return this.#closed;
  }
  /** Of the newest event. */
  get seq(): number {
    return this.#seq;
  }
  /** Session ms now. It stands at 0 until the first micro-turn begins. */
  get nowMs(): number {
    return Math.max(0, this.#parts.clock.now() - this.#zeroMs);
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
  say(text: string): { responseId: string } {
    this.#assertOpen();
    if (this.#conversation.responses.length >= LIVE_RESPONSES) {
      throw new MicroturnError('protocol/rate', `${LIVE_RESPONSES} responses are waiting to be said`);
    }
    const waitingChars = this.#conversation.responses.reduce((sum, response) => sum + response.chars, text.length);
    if (waitingChars > LIVE_CHARS) {
      throw new MicroturnError('protocol/rate', `at most ${LIVE_CHARS} characters may wait to be said`);
    }
    const responseId = this.#nextResponseId();
    this.#apply({ type: 'say', atMs: this.nowMs, responseId, text });
    return { responseId };
  }

  /** What the listener's device plays now. */
  async heard(report: HeardReport): Promise<void> {
    if (this.#closed) return;
    const { heard } = await this.#parts.media.request('heard', { endpoint: this.endpoint, report });
    for (const { responseId, heardMs } of heard) {
      this.#apply({ type: 'heard', responseId, heardMs, state: report.state });
    }
    if (report.state !== 'muted') return;
    // A cut response of which nothing was played yet maps to nothing on the timeline: its answer is zero.
    for (const response of this.#conversation.responses) {
      if (response.phase === 'cut') {
        this.#apply({ type: 'heard', responseId: response.id, heardMs: response.heardMs, state: 'muted' });
      }
    }
  }

  /** The user's client stops the agent. Resolves with what had been heard of the response that was playing. */
  async interrupt(report: HeardReport | undefined): Promise<{ responseId?: string; heardMs: number }> {
    this.#assertOpen();
    if (report) await this.heard(report);
    const playing = this.#conversation.responses[0];
    if (playing === undefined) return { heardMs: 0 };
    this.#apply({ type: 'interrupt', atMs: this.nowMs });
    return { responseId: playing.id, heardMs: playing.heardMs };
  }

  /** Tells the client of something it did that has no request to answer. */
  report(error: MicroturnError): void {
    this.#emit({ type: 'error', ...error.toWire() });
  }

  /** The first packet of a response left, or its last one. */
  speechMoved(type: 'speech-started' | 'speech-sent', responseId: string, atMonotonicMs: number): void {
    this.#apply({ type, responseId, atMs: atMonotonicMs - this.#zeroMs });
  }

  /** The newest view of this endpoint from the media thread. */
  noteStats(stats: EndpointStats): void {
    this.#stats = stats;
  }

  /** Gives the row back and ends what is being said. Closing twice is harmless. */
  close(reason: string): void {
    if (this.#closed) return;
    for (const response of this.#conversation.responses) {
      this.#run({ do: 'cut', responseId: response.id });
    }
    this.#emitUsage();
    this.#emit({ type: 'session.closed', reason });
    this.#closed = true;
    this.#lease.release();
    this.#listener = undefined;
    this.#parts.onClosed(this, reason);
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
    if (lagMs > microTurnMs) this.#late++;
    this.#parts.onDecision?.(decision, lagMs);
    this.#apply({
      type: 'decision',
      atMs: this.nowMs,
      decision,
      responseId: decision.say ? this.#nextResponseId() : '',
    });
    if (this.#turns % STATS_EVERY_TURNS === 0) this.#emitStats(decision.stepMs, lagMs);
    if (this.#turns % USAGE_EVERY_TURNS === 0) this.#emitUsage();
  }

  #fail(error: MicroturnError): void {
    this.report(error);
    this.close(error.code);
  }

  #apply(input: ConversationInput): void {
    if (this.#closed) return;
    const { state, events, effects } = stepConversation(this.#conversation, input);
    this.#conversation = state;
    for (const event of events) this.#emit(event);
    for (const effect of effects) this.#run(effect);
  }

  #run(effect: ReturnType<typeof stepConversation>['effects'][number]): void {
    const { voice, media, log } = this.#parts;
    const { responseId } = effect;
    switch (effect.do) {
      case 'speak':
        this.#speak(responseId, effect.text, effect.last);
        return;
      case 'end':
        voice.end(responseId);
        return;
      case 'cut':
        voice.cancel(responseId);
        media
          .request('speech.cut', { voice: this.#voiceKey, responseId })
          .catch((error: unknown) => log.warn({ err: error }, 'a response could not be cut'));
        return;
      default:
        effect satisfies never;
    }
  }

  #speak(responseId: string, text: string, last: boolean): void {
    this.#parts.voice
      .speak({
        voiceKey: this.#voiceKey,
        responseId,
        text,
        last,
        onClause: ({ text, words, lengthMs }) => this.#apply({ type: 'clause', responseId, text, words, lengthMs }),
      })
      .then(
        () => this.#apply({ type: 'spoken', responseId }),
        (cause: unknown) => {
          const error = MicroturnError.from(cause, 'voice/failed');
          this.#apply({ type: 'voice-failed', atMs: this.nowMs, responseId, ...error.toWire(), code: error.code });
        },
      );
  }

  #emit(body: SessionEventBody): void {
    const at = this.nowMs;
    const event = { ...body, seq: ++this.#seq, at: Math.round(at * 10) / 10, turn: turnAt(at, this.model.microTurnMs) };
    this.#journal.push(event as SessionEvent);
    this.#listener?.(event as SessionEvent);
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
      tokensIn: 0,
      tokensOut: 0,
    });
  }
}
