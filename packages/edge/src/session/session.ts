import { randomUUID } from 'node:crypto';
import {
  MicroturnError,
  limits,
  turnAt,
  turnStartMs,
  type AskResult,
  type AudienceChoice,
  type SessionEvent,
  type SessionEventBody,
} from '@microturn/protocol';
import { Notes, type Decision, type EngineId, type ModelInfo, type Recovery } from '../engine/index.js';
import type { EndpointStats, Heard, HeardReport } from '../media/index.js';
import { toPicture } from '../picture.js';
import { hashToken, type Stamp, type StoredSession } from '../store/index.js';
import { AgentSpeech } from './agent-speech.js';
import type { SessionBackground, SessionDesk, SpentTokens, TypedRequest } from './background.js';
import { startConversation, type Conversation, type ConversationInput } from './conversation-state.js';
import { stepConversation } from './conversation.js';
import { EventJournal } from './event-journal.js';
import { HeardWords } from './heard-words.js';
import { PictureUploads } from './picture-uploads.js';
import { addCounts, type ServiceCounts } from './service-counts.js';
import { contiguousTail, unfinishedResponses } from './restore.js';
import type { SessionOrigin, SessionParts, SessionRow, TypedText } from './session-parts.js';
import { SharedSpeech } from './shared-speech.js';
import { ShownSurfaces } from './shown-surfaces.js';
import { TurnCounts, addSpent } from './turn-counts.js';

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
  /** What its page sends of pictures, until they are shown or asked about. */
  readonly pictures = new PictureUploads();
  readonly #parts: SessionParts;
  #zeroMs: number;
  readonly #lease: SessionRow;
  readonly #shared: SharedSpeech;
  readonly #speech: AgentSpeech;
  readonly #counts: TurnCounts;
  #conversation: Conversation;
  readonly #journal: EventJournal;
  readonly #heardWords = new HeardWords();
  /** Its own, and not the engine's: they outlive the thread that noted them. */
  readonly #notes: Notes;
  readonly #surfaces = new ShownSurfaces();
  /** Until its client is back: session ms up to which it was saved, and the model that it talked with. */
  #origin: { readonly savedMs: number; readonly model: string } | undefined;
  #listener: ((event: SessionEvent) => void) | undefined;
  #seq = 0;
  readonly #background: SessionBackground | undefined;
  #spentBefore: SpentTokens | undefined;
  #servicesBefore: ServiceCounts | undefined;
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
    this.#notes = new Notes(this.model.microTurnMs);
    this.#counts = new TurnCounts(this.model.microTurnMs, origin?.session);
    this.#journal = new EventJournal(contiguousTail(origin?.events ?? []));
    if (origin && origin.session.microTurnMs !== this.model.microTurnMs) {
      throw new MicroturnError('session/expired', 'the model hears in other micro-turns now');
    }
    this.#lease = parts.engine.lease(
      (decision) => this.#onDecision(decision),
      (error) => this.#fail(error),
      (error, recovery) => this.report(error, recovery),
      {
        nowMs: () => this.nowMs,
        more: (text) => this.#apply({ type: 'more', atMs: this.nowMs, text, responseId: this.#nextResponseId() }),
        rehearse: (text) => this.#speech.rehearse(text),
        heard: (utterance) => this.#background?.heard(utterance),
        emit: (event) => {
          if (!this.#closed) this.#emit(event);
        },
        tools: () => this.#background?.tools,
      },
    );
    this.#zeroMs = this.#lease.zeroMs;
    this.#shared = new SharedSpeech(parts.roomAudience, {
      // Nothing comes before `session.started`.
      listens: () => !this.#closed && this.#seq > 0,
      emit: (event) => this.#emit(event),
      overruled: (by) => this.#apply({ type: 'overruled', atMs: this.nowMs, by }),
    });
    this.#speech = new AgentSpeech({
      ...parts,
      endpoint,
      shared: this.#shared,
      nowMs: () => this.nowMs,
      apply: (input) => this.#apply(input),
      isLive: (id) => this.#isLive(id),
      report: (error) => this.report(error),
    });
    this.#conversation = startConversation(parts.participant, this.#speech.audienceOf(parts.audience));
    this.#background = parts.background?.(this.#createDesk());
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
      session.#assertOpen();
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
  #takeUp({ session, events, elapsedMs, lastSeq }: SessionOrigin): void {
    const { microTurnMs } = this.model;
    const sessionMs = session.sessionMs + elapsedMs;
    const turns = Math.ceil((sessionMs + this.#lease.zeroMs - this.#parts.clock.now()) / microTurnMs);
    this.#zeroMs = this.#lease.zeroMs - turns * microTurnMs;
    this.#origin = { savedMs: session.sessionMs, model: session.model };
    this.#seq = Math.max(lastSeq, events.at(-1)?.seq ?? 0);
    const reminders = events.filter(({ type }) => type === 'reminder.fired').length;
    this.#conversation = { ...this.#conversation, listening: false, reminders };
    this.#spentBefore = session.spent?.speaking;
    this.#servicesBefore = session.spent?.services;
    this.#background?.restore(events, session.spent?.background);
    for (const event of events) this.#surfaces.take(event);
    this.#lease.restore?.(events);
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
    await this.#speech.reopenPrivateVoice();
    if (this.#parts.audience === 'self') await this.#speech.openPrivateVoice();
  }

  get closed(): boolean {
    return this.#closed;
  }
  /** The engine thread of its row. */
  get engine(): EngineId {
    return this.#lease.engine;
  }
  /** Micro-turns that its engine thread decided late, one after the other, up to now. */
  get engineLateInARow(): number {
    return this.#counts.engineLateInARow;
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
      turns: this.#counts.turns,
      late: this.#counts.late,
      spent: { speaking: this.#spentSpeaking, background: this.#background?.spent, services: this.#services },
      sessionMs: this.nowMs,
      savedAt,
      leaseMs,
    };
  }

  /** By the language model that speaks here, also in a process before. */
  get #spentSpeaking(): SpentTokens | undefined {
    return addSpent(this.#spentBefore, this.#lease.spent);
  }

  /** Of its transcriber and its voice, also in a process before. */
  get #services(): ServiceCounts {
    const { transcribed } = this.#lease;
    return addCounts(this.#servicesBefore, {
      ...(transcribed && { transcriber: transcribed }),
      voice: this.#speech.spoken,
    });
  }

  /** Nobody listens any more. The clock, the row and the history go on; what was being said ends where it was heard. */
  suspend(): void {
    this.#listener = undefined;
    this.#apply({ type: 'listener', atMs: this.nowMs, present: false });
  }

  /** The participant is back, and has every event up to `lastSeq`: the missed ones come first, each once, in order. */
  resume(lastSeq: number, listener: (event: SessionEvent) => void): void {
    this.#assertOpen();
    const { missed, lostMs: forgottenMs } = this.#journal.after(lastSeq);
    this.#listener = listener;
    for (const event of missed) {
      listener(event);
      // Gone again in the middle of it: whoever comes next gets all of it.
      if (this.#listener !== listener) return;
    }
    const origin = this.#origin;
    // Of the time since it was saved there may have been events, and then there was nobody to make any.
    const lostMs = forgottenMs + (origin ? this.nowMs - origin.savedMs : 0);
    this.#origin = undefined;
    this.#apply({ type: 'listener', atMs: this.nowMs, present: true });
    this.#emit({
      type: 'session.resumed',
      lostMs,
      ...(origin && origin.model !== this.modelName && { model: this.modelName }),
    });
    if (lostMs > 0) for (const drawn of this.#surfaces.redraw()) this.#emit(drawn);
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
    this.#apply({ type: 'say', atMs: this.nowMs, responseId, text, audience: this.#speech.audienceOf(audience) });
    return { responseId };
  }

  /**
   * Changes what its page shows: a JSON document with an id, by operations of RFC 6902.
   * @throws {MicroturnError} `ui/patch` where they do not fit what is shown, `protocol/malformed`, `protocol/too-large`
   */
  patch(surfaceId: string, patch: unknown): void {
    this.#assertOpen();
    this.#emit(this.#surfaces.toEvent(surfaceId, patch));
  }

  /**
   * What the user types. Sent, it is first of all about a task that it calls off, adds to or answers; else a model that
   * reads answers it, and where none does, the background model. A bundle that reads delegates what it does not answer itself,
   * where it has learnt to.
   * @throws {MicroturnError} `task/off` where nobody could answer it, `task/full`
   */
  typed(typed: TypedText): void {
    if (this.#closed) return;
    const about = typed.sent ? this.#background?.followUp(typed.text) : undefined;
    if (this.#lease.typed) {
      // What went to a task is not answered a second time.
      this.#lease.typed(about?.taskId === undefined ? typed : { ...typed, text: '', sent: false });
    } else if (typed.sent && !about && typed.text.trim() !== '') this.#readMessage(typed.text);
    if (typed.sent) this.#noteMessage(typed.text);
  }

  /**
   * A question that was typed, or something about a task that is under way.
   * @throws {MicroturnError} `task/off`, `task/full`, `image/invalid`, `session/closed`
   */
  ask(request: TypedRequest): AskResult {
    const result = this.background.typed(request);
    this.#noteMessage(request.text);
    return result;
  }

  /**
   * Pictures that the model sees with what is said and typed from now on, until others are shown under that name, or none.
   * @throws {MicroturnError} `protocol/state` where it looks at none, `image/invalid`, `protocol/too-large`
   */
  show(name: string, images: readonly Uint8Array[]): void {
    this.#assertOpen();
    if (!this.#lease.show) throw new MicroturnError('protocol/state', 'the model of this call looks at no pictures');
    this.#lease.show({ name, pictures: images.map(toPicture) });
  }

  /** Once it is taken: what is refused was not said. Tasks are told the conversation later than this. */
  #noteMessage(text: string): void {
    if (this.#closed || text.trim() === '') return;
    this.#emit({ type: 'transcript.typed', participant: this.participant, text });
  }

  #readMessage(text: string): void {
    const { reads, microTurnMs } = this.model;
    if (reads) {
      this.#lease.perceive?.({ type: 'typed', text });
      this.#notes.typed(text, turnAt(this.nowMs, microTurnMs));
    }
    if (reads?.delegates) this.#background?.read(text);
    else if (this.#background || !reads) this.background.ask({ text, origin: 'text' });
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
    if (this.#shared.overhears) this.#shared.overrule('client');
    if (playing === undefined) return heard.at(-1) ?? { heardMs: 0 };
    this.#apply({ type: 'interrupt', atMs: this.nowMs });
    return { responseId: playing.id, heardMs: playing.heardMs };
  }

  /**
   * Tells the client of what has no request to answer.
   * @param recovery where the model was set back: what it goes on from
   */
  report(error: MicroturnError, recovery: Recovery = {}): void {
    this.#emit({ type: 'error', ...error.toWire(), ...recovery });
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
    this.#speech.failed(responseId, new MicroturnError('voice/failed', 'more speech waits than its queue holds'));
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
    this.#shared.leave();
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
      nextResponseId: () => this.#nextResponseId(),
      relay: (responseId, taskId, text) => this.#apply({ type: 'relay', atMs: this.nowMs, responseId, taskId, text }),
      endRelay: (responseId) => this.#apply({ type: 'relay-end', responseId }),
      drop: (responseId) => this.#apply({ type: 'drop', atMs: this.nowMs, responseId }),
      patch: (surfaceId, patch) => this.patch(surfaceId, patch),
      mark: (mark) => this.#lease.perceive?.({ type: 'mark', mark }),
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
    const { microTurnMs } = this.model;
    const lagMs = Math.max(0, this.nowMs - turnStartMs(decision.index + 1, microTurnMs));
    if (this.#counts.note(lagMs, decision.lagMs, this.nowMs)) {
      this.report(new MicroturnError('engine/late', `${this.#counts.lateInARow} micro-turns in a row`));
    }
    this.#parts.onDecision?.(decision, lagMs);
    this.#apply({
      type: 'decision',
      atMs: this.nowMs,
      decision,
      responseId: this.#nextResponseId(),
      overhears: this.#shared.overhears,
    });
    const { responses, listening } = this.#conversation;
    this.#background?.onDecision(decision, {
      responses,
      present: listening,
      overhears: this.#shared.overhears,
    });
    for (const age of this.#notes.take(decision)) this.#lease.perceive?.(age);
    const { turns } = this.#counts;
    if (turns % STATS_EVERY_TURNS === 0) this.#emitStats(decision.stepMs, lagMs);
    if (turns % USAGE_EVERY_TURNS === 0) this.#emitUsage();
  }

  #fail(error: MicroturnError): void {
    this.report(error);
    this.close(error.code);
  }

  /**
   * Whoever is told of an event may bring the next input in the middle of this one: a listener whose socket is cut off there
   * ends what was about to be said. So what is done at the end is done by how things stand then.
   */
  #apply(input: ConversationInput): void {
    if (this.#closed) return;
    const { state, events, effects } = stepConversation(this.#conversation, input);
    this.#conversation = state;
    for (const event of events) {
      this.#emit(event);
      this.#shared.share(event);
      // Nothing comes after its end.
      if (this.closed) return;
    }
    for (const effect of effects) {
      if (effect.do !== 'speak' || this.#isLive(effect.responseId)) this.#speech.run(effect);
    }
    this.#shared.settle(this.#conversation.responses);
  }

  /** Whether a response is still to be said. */
  #isLive(responseId: string): boolean {
    return this.#conversation.responses.some(({ id, phase }) => id === responseId && phase !== 'cut');
  }

  #emit(body: SessionEventBody): void {
    const at = this.nowMs;
    const event = { ...body, seq: ++this.#seq, at: Math.round(at * 10) / 10, turn: turnAt(at, this.model.microTurnMs) };
    this.#journal.push(event as SessionEvent);
    this.#surfaces.take(body);
    this.#listener?.(event as SessionEvent);
    this.#background?.onEvent(event as SessionEvent);
    this.#lease.observe?.(event as SessionEvent);
    const heard = this.#heardWords.take(event);
    if (heard !== '') this.#lease.perceive?.({ type: 'heard', text: heard });
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
    this.#emit(this.#counts.usage(addSpent(this.#spentSpeaking, this.#background?.spent), this.#services));
  }
}
