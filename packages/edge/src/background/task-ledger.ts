import type { SessionEventBody } from '@microturn/protocol';
import {
  newTaskBook,
  stepTasks,
  type Task,
  type TaskBook,
  type TaskEffect,
  type TaskInput,
  type TaskLimits,
} from './task-reducer.js';

export interface TaskLedgerParts {
  readonly limits: TaskLimits;
  readonly emit: (event: SessionEventBody) => void;
  readonly run: (effect: TaskEffect) => void;
  /** After every change, when its events are told and its effects have begun. */
  readonly onTasks: (tasks: readonly Task[]) => void;
}

/** The tasks of one session as they are: takes inputs, tells what came of them. */
export class TaskLedger {
  readonly #parts: TaskLedgerParts;
  #book: TaskBook;
  /** Inputs that came in the middle of a step. */
  readonly #inbox: TaskInput[] = [];
  #stepping = false;
  #closed = false;

  constructor(parts: TaskLedgerParts) {
    this.#parts = parts;
    this.#book = newTaskBook(parts.limits);
  }

  get tasks(): readonly Task[] {
    return this.#book.tasks;
  }

  /** One input after the other, also where one leads to the next. */
  apply(input: TaskInput): void {
    if (this.#closed) return;
    if (this.#stepping) {
      this.#inbox.push(input);
      return;
    }
    this.#stepping = true;
    try {
      for (let next: TaskInput | undefined = input; next; next = this.#inbox.shift()) this.#step(next);
    } finally {
      this.#stepping = false;
    }
  }

  /** Takes nothing more. */
  close(): void {
    this.#closed = true;
  }

  #step(input: TaskInput): void {
    const { book, events, effects } = stepTasks(this.#book, input);
    // Most micro-turns change nothing; what a task is doing is told without a change.
    if (book === this.#book && events.length === 0) return;
    this.#book = book;
    for (const event of events) this.#parts.emit(event);
    for (const effect of effects) this.#parts.run(effect);
    this.#parts.onTasks(book.tasks);
  }
}
