import { StateSource } from '../state.js';
import type { Conversation } from './reduce.js';

/** The parts of a conversation that an app can watch, each as a state of its own. */
export class ConversationStates {
  readonly agent;
  readonly floor;
  readonly transcript;
  readonly responses;
  readonly interruptions;
  readonly tasks;
  readonly surfaces;
  readonly stats;
  readonly #parts: { show(conversation: Conversation): void; close(): void }[] = [];
  #newest: Conversation;

  constructor(initial: Conversation) {
    this.#newest = initial;
    const part = <K extends keyof Conversation>(key: K) => {
      const state = new StateSource(initial[key]);
      this.#parts.push({ show: (conversation) => state.set(conversation[key]), close: () => state.close() });
      return state;
    };
    this.agent = part('agent');
    this.floor = part('floor');
    this.transcript = part('transcript');
    this.responses = part('responses');
    this.interruptions = part('interruptions');
    this.tasks = part('tasks');
    this.surfaces = part('surfaces');
    this.stats = part('stats');
  }

  /** Of which they are the parts. */
  get newest(): Conversation {
    return this.#newest;
  }

  show(conversation: Conversation): void {
    this.#newest = conversation;
    for (const part of this.#parts) {
      part.show(conversation);
      // Whoever was told may have ended the call: then what is newer has been shown, and nothing older comes after it.
      if (this.#newest !== conversation) return;
    }
  }

  close(): void {
    for (const part of this.#parts) part.close();
  }
}
