import { MicroturnError, turnAt, type AskResult } from '@microturn/protocol';
import type { Decision, ModelInfo } from '../engine/index.js';
import type { SessionBackground, TypedRequest } from './background.js';
import type { Perceiving } from './perceiving.js';
import { ReadMessages, showsWhatItHandles } from './read-messages.js';
import type { SessionEvents } from './session-events.js';
import type { SessionRow, TypedText } from './session-parts.js';

export interface TypedMessagesParts {
  readonly participant: string;
  readonly model: ModelInfo;
  readonly events: SessionEvents;
  readonly lease: Pick<SessionRow, 'typed'>;
  readonly perceiving: Perceiving;
  readonly background: SessionBackground | undefined;
  /** Session ms now. */
  nowMs(): number;
}

/** Brings what the user types to whoever answers it: a task that is under way, a model that reads, the background model. */
export class TypedMessages {
  readonly #parts: TypedMessagesParts;
  /** Of a model that deals with some, and does not pass on the others. */
  readonly #read: ReadMessages | undefined;

  constructor(parts: TypedMessagesParts) {
    this.#parts = parts;
    const { reads } = parts.model;
    if (reads && !reads.delegates && showsWhatItHandles(parts.model)) {
      this.#read = new ReadMessages({ perTurn: reads.perTurn, ask: (text) => this.#askLate(text) });
    }
  }

  /**
   * Sent, it is first of all about a task that it calls off, adds to or answers; else a model that reads answers it, and
   * where none does, the background model. Of a bundle that reads and handles some, any other is a question a little later, and an event
   * `error` tells where it is refused then.
   * @throws {MicroturnError} `task/off` where nobody could answer it, `task/full`
   */
  typed(typed: TypedText): void {
    const { events, lease, background } = this.#parts;
    if (events.closed) return;
    const about = typed.sent ? background?.followUp(typed.text) : undefined;
    if (lease.typed) {
      // What went to a task is not answered a second time.
      lease.typed(about?.taskId === undefined ? typed : { ...typed, text: '', sent: false });
    } else if (typed.sent && about?.taskId === undefined && typed.text.trim() !== '') {
      // "Never mind" is about tasks where there are any, and about reminders as well: only the model knows of those.
      if (about) this.#perceive(typed.text);
      else this.#take(typed.text);
    }
    if (typed.sent) this.#note(typed.text);
  }

  /**
   * A question, or something about a task that is under way.
   * @throws {MicroturnError} `task/off`, `task/full`, `image/invalid`, `session/closed`
   */
  ask(request: TypedRequest): AskResult {
    const result = this.#assertBackground().typed(request);
    this.#note(request.text);
    return result;
  }

  /** Once it is taken: what is refused was not said. Tasks are told the conversation later than this. */
  #note(text: string): void {
    if (text.trim() === '') return;
    this.#parts.events.emitWhileOpen({ type: 'transcript.typed', participant: this.#parts.participant, text });
  }

  onDecision(decision: Decision): void {
    this.#read?.onDecision(decision);
  }

  #perceive(text: string): void {
    const { perceiving, nowMs } = this.#parts;
    perceiving.typed(text, nowMs());
  }

  #take(text: string): void {
    const { background, nowMs, model } = this.#parts;
    const { reads } = model;
    this.#perceive(text);
    if (reads?.delegates) background?.read(text);
    else if (this.#read) this.#read.push(text, turnAt(nowMs(), model.microTurnMs));
    else if (background || !reads) this.#assertBackground().ask({ text, origin: 'text' });
  }

  /** Who sent it was told by then that it was taken: where it is not, their page is told. */
  #askLate(text: string): void {
    const { events } = this.#parts;
    try {
      this.#assertBackground().ask({ text, origin: 'text' });
    } catch (error) {
      events.emitWhileOpen({ type: 'error', ...MicroturnError.from(error, 'edge/internal').toWire() });
    }
  }

  #assertBackground(): SessionBackground {
    const { events, background } = this.#parts;
    events.assertOpen();
    if (!background) throw new MicroturnError('task/off');
    return background;
  }
}
