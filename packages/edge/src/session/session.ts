import { randomUUID } from 'node:crypto';
import {
  MicroturnError,
  turnStartMs,
  type AskResult,
  type AudienceChoice,
  type SessionEvent,
} from '@microturn/protocol';
import {
  rememberedFromJson,
  rememberedToJson,
  type Decision,
  type EngineId,
  type ModelInfo,
  type NotesSaved,
  type Recovery,
} from '../engine/index.js';
import type { EndpointStats, Heard } from '../media/index.js';
import { toPicture } from '../picture.js';
import { hashToken, type Stamp, type StoredSession } from '../store/index.js';
import type { SessionBackground, TypedRequest } from './background.js';
import { ListenerReports, type ListenerReport } from './listener-reports.js';
import { LiveConversation } from './live-conversation.js';
import { Perceiving } from './perceiving.js';
import { PictureUploads } from './picture-uploads.js';
import { unfinishedResponses } from './restore.js';
import { SessionAccount } from './session-account.js';
import { createDesk } from './session-desk.js';
import { SessionEvents, type EventListener } from './session-events.js';
import type { SessionOrigin, SessionParts, SessionRow, TypedText } from './session-parts.js';
import { TypedMessages } from './typed-messages.js';

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
  /** What its page sends of pictures, until they are shown or asked about. */
  readonly pictures = new PictureUploads();
  readonly #parts: SessionParts;
  #zeroMs: number;
  readonly #lease: SessionRow;
  readonly #events: SessionEvents;
  readonly #conversation: LiveConversation;
  readonly #reports: ListenerReports;
  readonly #typed: TypedMessages;
  readonly #account: SessionAccount;
  readonly #perceiving: Perceiving;
  /** Until its client is back: session ms up to which it was saved, the model that it talked with, and what of that goes on. */
  #origin: { readonly savedMs: number; readonly model: string; readonly snapshotAgeMs: number | undefined } | undefined;
  readonly #background: SessionBackground | undefined;

  private constructor(parts: SessionParts, endpoint: string, origin: SessionOrigin | undefined) {
    this.#parts = parts;
    this.id = origin?.session.id ?? randomUUID();
    this.resumeToken = origin?.resumeToken ?? randomUUID();
    this.room = parts.room;
    this.participant = parts.participant;
    this.endpoint = endpoint;
    this.model = parts.engine.info;
    if (origin && origin.session.microTurnMs !== this.model.microTurnMs) {
      throw new MicroturnError('session/expired', 'the model hears in other micro-turns now');
    }
    const { id: sessionId, participant } = this;
    const { microTurnMs } = this.model;
    const nowMs = () => this.nowMs;
    // Those who follow the session besides its client.
    const onEvent = (event: SessionEvent) => {
      this.#background?.onEvent(event);
      this.#lease.observe?.(event);
      this.#perceiving.onEvent(event);
    };
    this.#events = new SessionEvents({ sessionId, microTurnMs, nowMs, onEvent }, origin);
    this.#lease = parts.engine.lease(
      (decision) => this.#onDecision(decision),
      (error) => this.#fail(error),
      (error, recovery) => this.report(error, recovery),
      {
        nowMs,
        more: (text) =>
          this.#conversation.apply({ type: 'more', atMs: nowMs(), text, responseId: this.#events.nextResponseId() }),
        rehearse: (text) => this.#conversation.speech.rehearse(text),
        heard: (utterance) => this.#background?.heard(utterance),
        emit: (event) => this.#events.emitWhileOpen(event),
        tools: () => this.#background?.tools,
      },
    );
    this.#zeroMs = this.#lease.zeroMs;
    const { media } = parts;
    const [events, lease] = [this.#events, this.#lease];
    const perceiving = new Perceiving(this.model, lease);
    const conversation = new LiveConversation({ ...parts, endpoint, events, nowMs });
    this.#perceiving = perceiving;
    this.#conversation = conversation;
    this.#reports = new ListenerReports({ media, endpoint, events, conversation, nowMs });
    const desk = { sessionId, participant, microTurnMs, nowMs, endpoint, events, conversation, perceiving, media };
    this.#background = parts.background?.(createDesk(desk));
    const background = this.#background;
    this.#typed = new TypedMessages({ participant, model: this.model, events, lease, perceiving, background, nowMs });
    const { speech } = conversation;
    this.#account = new SessionAccount({ microTurnMs, events, lease, speech, background }, origin?.session);
  }

  /**
   * Leases a row and starts the session clock; the endpoint must be open on the media thread.
   * @param origin the session to take up again, of a process that is gone
   * @throws {MicroturnError} `edge/full` where every row is leased, `session/expired` where the model does not fit,
   *   `session/closed` where it ended before it began; nothing of it is left then
   */
  static async open(parts: SessionParts, endpoint: string, origin?: SessionOrigin): Promise<Session> {
    const session = new Session(parts, endpoint, origin);
    try {
      if (origin) session.#takeUp(origin);
      await session.startRow();
      // The model may have given its row up meanwhile.
      session.#events.assertOpen();
    } catch (error) {
      session.close(MicroturnError.from(error, 'edge/internal').code);
      throw error;
    }
    return session;
  }

  /**
   * Goes on where another process was: on the same clock, moved on by less than one micro-turn to the phase of its new
   * lane, and with the next `seq` that its client has not had. What the agent was saying ended where it was last heard.
   */
  #takeUp({ session, events, elapsedMs, remembered }: SessionOrigin): void {
    const { microTurnMs } = this.model;
    const sessionMs = session.sessionMs + elapsedMs;
    const turns = Math.ceil((sessionMs + this.#lease.zeroMs - this.#parts.clock.now()) / microTurnMs);
    this.#zeroMs = this.#lease.zeroMs - turns * microTurnMs;
    const snapshotAgeMs = session.model === this.modelName ? this.#goOn(remembered) : undefined;
    this.#origin = { savedMs: session.sessionMs, model: session.model, snapshotAgeMs };
    if (session.notes) this.#perceiving.takeUp(session.notes as NotesSaved);
    const reminders = events.filter(({ type }) => type === 'reminder.fired').length;
    this.#conversation.takeUp(reminders, this.#events.shownWords);
    this.#background?.restore(events, session.spent?.background);
    this.#lease.restore?.(events);
    for (const interrupted of unfinishedResponses(events)) this.#events.emit(interrupted);
    // What the client saw of the floor last may not have been saved.
    this.#events.emit({ type: 'floor.changed', participant: this.participant, floor: 'silent', confidence: 0 });
  }

  /** Its model goes on from what it remembered in that process. @returns how old that is; undefined where it begins anew */
  #goOn(json: string | undefined): number | undefined {
    if (json === undefined) return undefined;
    const remembered = rememberedFromJson(json);
    if (!this.#lease.goOn?.(remembered)) return undefined;
    return Math.max(0, this.nowMs - turnStartMs(remembered.index + 1, this.model.microTurnMs));
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
    await this.#conversation.speech.reopenPrivateVoice();
    if (this.#parts.audience === 'self') await this.#conversation.speech.openPrivateVoice();
  }

  get closed(): boolean {
    return this.#events.closed;
  }
  /** The engine thread of its row. */
  get engine(): EngineId {
    return this.#lease.engine;
  }
  /** Micro-turns that its engine thread decided late, one after the other, up to now. */
  get engineLateInARow(): number {
    return this.#account.engineLateInARow;
  }
  /** Of the newest event. */
  get seq(): number {
    return this.#events.seq;
  }
  /** Session ms now. It stands at 0 until the first micro-turn begins. */
  get nowMs(): number {
    return Math.max(0, this.#parts.clock.now() - this.#zeroMs);
  }

  /** @throws {MicroturnError} `task/off` where this edge has no background model, `session/closed` */
  get background(): SessionBackground {
    this.#events.assertOpen();
    if (!this.#background) throw new MicroturnError('task/off');
    return this.#background;
  }

  /** Where events go, from `session.started` on. One listener: the socket of the participant. */
  start(listener: EventListener): void {
    this.#events.listen(listener);
    this.#events.emit({
      type: 'session.started',
      sessionId: this.id,
      room: this.room,
      participant: this.participant,
      model: this.modelName,
      microTurnMs: this.model.microTurnMs,
      resumeToken: this.resumeToken,
    });
    this.#conversation.tellOverheard();
  }

  /** Name and version. */
  get modelName(): string {
    return `${this.model.name} ${this.model.version}`;
  }

  /** The latest events after `seq`, to be saved. */
  eventsAfter(seq: number): readonly SessionEvent[] {
    return this.#events.after(seq);
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
      ...this.#account.toStored(),
      notes: this.#perceiving.notes,
      sessionMs: this.nowMs,
      savedAt,
      leaseMs,
    };
  }

  /** What its model remembers, for a process that follows; undefined where that is not kept. */
  remembered(): string | undefined {
    const remembered = this.#lease.remembered?.();
    return remembered && rememberedToJson(remembered);
  }

  /** Nobody listens any more. The clock, the row and the history go on; what was being said ends where it was heard. */
  suspend(): void {
    this.#events.listen(undefined);
    this.#conversation.apply({ type: 'listener', atMs: this.nowMs, present: false });
  }

  /** The participant is back, and has every event up to `lastSeq`: the missed ones come first, each once, in order. */
  resume(lastSeq: number, listener: EventListener): void {
    this.#events.assertOpen();
    const forgottenMs = this.#events.replay(lastSeq, listener);
    if (forgottenMs === undefined) return;
    const origin = this.#origin;
    // Of the time since it was saved there may have been events, and then there was nobody to make any.
    const lostMs = forgottenMs + (origin ? this.nowMs - origin.savedMs : 0);
    this.#origin = undefined;
    this.#conversation.apply({ type: 'listener', atMs: this.nowMs, present: true });
    this.#events.emit({
      type: 'session.resumed',
      lostMs,
      ...(origin && origin.model !== this.modelName && { model: this.modelName }),
      ...(origin?.snapshotAgeMs !== undefined && { snapshotAgeMs: origin.snapshotAgeMs }),
    });
    // Not before: for its page, whatever was being said is over with that.
    this.#conversation.tellOverheard();
    if (lostMs > 0) {
      this.#events.redraw();
      this.#background?.retell();
    }
  }

  /**
   * Speaks through the agent: a `proactive` response that the model may still stop.
   * @throws {MicroturnError} `protocol/malformed` where there is no word in it
   */
  say(text: string, audience?: AudienceChoice): { responseId: string } {
    if (text.trim() === '') throw new MicroturnError('protocol/malformed', 'say text: it is blank');
    return this.#conversation.say(text, audience);
  }

  /**
   * Changes what its page shows: a JSON document with an id, by operations of RFC 6902.
   * @throws {MicroturnError} `ui/patch` where they do not fit what is shown, `protocol/malformed`, `protocol/too-large`
   */
  patch(surfaceId: string, patch: unknown): void {
    this.#events.patch(surfaceId, patch);
  }

  /** What the user types. @throws {MicroturnError} `task/off` where nobody could answer it, `task/full` */
  typed(typed: TypedText): void {
    this.#typed.typed(typed);
  }

  /** A question that was typed. @throws {MicroturnError} `task/off`, `task/full`, `image/invalid`, `session/closed` */
  ask(request: TypedRequest): AskResult {
    return this.#typed.ask(request);
  }

  /**
   * Pictures that the model sees with what is said and typed from now on, until others are shown under that name, or none.
   * @throws {MicroturnError} `protocol/state` where it looks at none, `image/invalid`, `protocol/too-large`
   */
  show(name: string, images: readonly Uint8Array[]): void {
    this.#events.assertOpen();
    if (!this.#lease.show) throw new MicroturnError('protocol/state', 'the model of this call looks at no pictures');
    this.#lease.show({ name, pictures: images.map(toPicture) });
  }

  /** What the listener's device plays now. */
  heard(report: ListenerReport): Promise<readonly Heard[]> {
    return this.#reports.heard(report);
  }

  /** The user's client stops the agent. Resolves with what had been heard of the response that was playing. */
  interrupt(report: ListenerReport | undefined): Promise<{ responseId?: string; heardMs: number }> {
    return this.#reports.interrupt(report);
  }

  /** Tells the client of what has no request to answer; and where the model was set back, what it goes on from. */
  report(error: MicroturnError, recovery?: Recovery): void {
    this.#events.report(error, recovery);
  }

  /** The first packet of a response left, or its last one. */
  speechMoved(type: 'speech-started' | 'speech-sent', responseId: string, atMonotonicMs: number): void {
    const atMs = atMonotonicMs - this.#zeroMs;
    this.#conversation.apply({ type, responseId, atMs });
    if (type === 'speech-started' && this.#conversation.has(responseId)) {
      this.#lease.speechStarted?.(responseId, atMs);
    }
  }

  /** More of a response was made than its voice can hold: it ends here, and the client is told. */
  speechFull(responseId: string): void {
    this.#conversation.speechFull(responseId);
  }

  /** The newest view of this endpoint from the media thread. */
  noteStats(stats: EndpointStats): void {
    this.#account.noteEndpoint(stats);
  }

  /** Gives the row back and ends what is being said. Closing twice is harmless. */
  close(reason: string): void {
    if (this.#events.closed) return;
    this.#background?.close();
    this.#conversation.apply({ type: 'listener', atMs: this.nowMs, present: false });
    this.#account.tellUsage();
    this.#events.close(reason);
    this.#conversation.leave();
    this.#lease.release();
    this.#events.listen(undefined);
    this.#parts.onClosed(this, reason);
  }

  #onDecision(made: Decision): void {
    if (this.#events.closed) return;
    const decision = this.#perceiving.heed(made);
    const { microTurnMs } = this.model;
    const lagMs = Math.max(0, this.nowMs - turnStartMs(decision.index + 1, microTurnMs));
    this.#account.noteTurn(decision, lagMs, this.nowMs);
    this.#parts.onDecision?.(decision, lagMs);
    this.#conversation.apply({
      type: 'decision',
      atMs: this.nowMs,
      decision,
      responseId: this.#events.nextResponseId(),
      overhears: this.#conversation.overhears,
      behind: this.#conversation.behind,
    });
    const { responses, listening: present, overhears } = this.#conversation;
    this.#background?.onDecision(decision, { responses, present, overhears });
    this.#typed.onDecision(decision);
    this.#perceiving.onDecision(decision);
    this.#account.tellTurn(decision, lagMs);
  }

  #fail(error: MicroturnError): void {
    this.report(error);
    this.close(error.code);
  }
}
