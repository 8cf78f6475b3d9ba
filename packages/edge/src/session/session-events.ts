import { turnAt, MicroturnError, type SessionEvent, type SessionEventBody } from '@microturn/protocol';
import type { Recovery } from '../engine/index.js';
import { EventJournal } from './event-journal.js';
import { contiguousTail } from './restore.js';
import type { SessionOrigin } from './session-parts.js';
import { ShownSurfaces } from './shown-surfaces.js';

/** @param json of the event, as it is sent */
export type EventListener = (event: SessionEvent, json: string) => void;

export interface SessionEventsParts {
  readonly sessionId: string;
  readonly microTurnMs: number;
  /** Session ms now. */
  nowMs(): number;
  /** Told of each event once its listener was. */
  onEvent(event: SessionEvent): void;
}

/** The events of one session, numbered: to its listener as they happen, and kept for one that comes back. */
export class SessionEvents {
  readonly #parts: SessionEventsParts;
  readonly #journal: EventJournal;
  readonly #surfaces = new ShownSurfaces();
  #listener: EventListener | undefined;
  #seq = 0;
  #closed = false;

  /** @param origin goes on with the next `seq` that its client has not had */
  constructor(parts: SessionEventsParts, origin?: Pick<SessionOrigin, 'events' | 'lastSeq'>) {
    this.#parts = parts;
    const { events = [], lastSeq = 0 } = origin ?? {};
    this.#journal = new EventJournal(contiguousTail(events));
    this.#seq = Math.max(lastSeq, events.at(-1)?.seq ?? 0);
    for (const event of events) this.#surfaces.take(event);
  }

  /** Of the newest event. */
  get seq(): number {
    return this.#seq;
  }

  /** For a response that begins next. */
  nextResponseId(): string {
    // Each response has an event of its own, so a number is used once, also by the process that takes over.
    return `${this.#parts.sessionId.slice(0, 8)}-${this.#seq + 1}`;
  }

  /** The session is over: `session.closed` was told. */
  get closed(): boolean {
    return this.#closed;
  }

  /** @throws {MicroturnError} `session/closed` */
  assertOpen(): void {
    if (this.#closed) throw new MicroturnError('session/closed');
  }

  /** Where events go from now on: to one listener, or to nobody. */
  listen(listener: EventListener | undefined): void {
    this.#listener = listener;
  }

  emit(body: SessionEventBody): void {
    const { nowMs, microTurnMs, onEvent } = this.#parts;
    const at = nowMs();
    const event = { ...body, seq: ++this.#seq, at: Math.round(at * 10) / 10, turn: turnAt(at, microTurnMs) };
    const json = this.#journal.push(event as SessionEvent);
    this.#surfaces.take(body);
    this.#listener?.(event as SessionEvent, json);
    onEvent(event as SessionEvent);
  }

  /** For those who may not know yet that the session is over. */
  emitWhileOpen(body: SessionEventBody): void {
    if (!this.#closed) this.emit(body);
  }

  /** Tells that the session is over. It is still open for whoever is told. */
  close(reason: string): void {
    this.emit({ type: 'session.closed', reason });
    this.#closed = true;
  }

  /**
   * Tells the client of what has no request to answer.
   * @param recovery where the model was set back: what it goes on from
   */
  report(error: MicroturnError, recovery: Recovery = {}): void {
    this.emit({ type: 'error', ...error.toWire(), ...recovery });
  }

  /** The latest events after `seq`. */
  after(seq: number): readonly SessionEvent[] {
    return this.#journal.after(seq).missed;
  }

  /**
   * Gives the listener what came after `seq`, each once, in order, and what comes from now on.
   * @returns session ms of which events are no longer here; undefined where it was gone again in the middle of it
   */
  replay(seq: number, listener: EventListener): number | undefined {
    const { missed, lostMs } = this.#journal.after(seq);
    this.#listener = listener;
    for (const event of missed) {
      listener(event, JSON.stringify(event));
      // Whoever comes next gets all of it.
      if (this.#listener !== listener) return undefined;
    }
    return lostMs;
  }

  /**
   * Changes what the page shows.
   * @throws {MicroturnError} `ui/patch` where it does not fit what is shown, `protocol/malformed`, `protocol/too-large`,
   *   `session/closed`
   */
  patch(surfaceId: string, patch: unknown): void {
    this.assertOpen();
    this.emit(this.#surfaces.toEvent(surfaceId, patch));
  }

  /** By surface, how many words are shown on it. */
  get shownWords(): Readonly<Record<string, number>> {
    return this.#surfaces.wordCounts;
  }

  /** Draws all that is shown, for a page that may have missed some of it. */
  redraw(): void {
    for (const drawn of this.#surfaces.redraw()) this.emit(drawn);
  }
}
