import { turnAt, type SessionEvent } from '@microturn/protocol';
import { Notes, type Decision, type Mark, type ModelInfo, type NotesSaved } from '../engine/index.js';
import { HeardWords } from './heard-words.js';
import type { SessionRow } from './session-parts.js';

/** Tells a model what it cannot hear: messages, what was heard of its words, the age of a request, what waits for its word. */
export class Perceiving {
  readonly #model: ModelInfo;
  readonly #lease: Pick<SessionRow, 'perceive'>;
  readonly #heardWords = new HeardWords();
  /** The session's, and not the engine's: they outlive the thread that noted them. */
  readonly #notes: Notes;

  constructor(model: ModelInfo, lease: Pick<SessionRow, 'perceive'>) {
    this.#model = model;
    this.#lease = lease;
    this.#notes = new Notes(model.microTurnMs, model.reads?.same);
  }

  /** What another process needs to go on with. */
  get notes(): NotesSaved {
    return this.#notes.saved;
  }

  takeUp(notes: NotesSaved): void {
    this.#notes.takeUp(notes);
  }

  onEvent(event: SessionEvent): void {
    const heard = this.#heardWords.take(event);
    if (heard !== '') this.#lease.perceive?.({ type: 'heard', text: heard });
  }

  /** What of a decision is to be carried out. */
  heed(decision: Decision): Decision {
    return this.#notes.heed(decision);
  }

  onDecision(decision: Decision): void {
    for (const age of this.#notes.take(decision)) this.#lease.perceive?.(age);
  }

  /** A whole message, where the model reads any. @param atMs session ms */
  typed(text: string, atMs: number): void {
    if (!this.#model.reads) return;
    this.#lease.perceive?.({ type: 'typed', text });
    this.#notes.typed(text, turnAt(atMs, this.#model.microTurnMs));
  }

  mark(mark: Mark): void {
    this.#lease.perceive?.({ type: 'mark', mark });
  }
}
