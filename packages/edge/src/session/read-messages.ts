import type { Act, ModelInfo } from '../engine/types.js';
import { formsOf } from '../engine/vocabulary.js';

/** What a model does about a message by itself. */
const deals: ReadonlySet<Act> = new Set<Act>([
  'note',
  'handle',
  'stop',
  'continue',
  'cancel',
  'repeat',
  'louder',
  'quieter',
  'slower',
  'faster',
]);
/** Micro-turns that a model may take after the one that had a message's last word. */
const THINKING_TURNS = 2;
/** No instruction to a small model is longer: who waits for the end of a letter waits in vain. */
const MOST_READING_TURNS = 3;
/** Policy: the oldest is a question at once. */
const MAX_WAITING = 4;

/** Whether what a model with these acts does about a message can be seen. */
export const showsWhatItDeals = ({ acts }: Pick<ModelInfo, 'acts'>): boolean =>
  acts?.includes('handle') === true || acts?.includes('note') === true;

export interface ReadMessagesParts {
  /** Words that the model reads in a micro-turn. */
  readonly perTurn: number;
  /** The model does nothing about it: somebody else is to answer it. */
  readonly ask: (text: string) => void;
}

/** Messages that a model has been given to read, until it has dealt with them, or has had the time to. */
export class ReadMessages {
  readonly #parts: ReadMessagesParts;
  /** In the order in which they came. */
  #waiting: readonly { readonly text: string; readonly turns: number }[] = [];

  constructor(parts: ReadMessagesParts) {
    this.#parts = parts;
  }

  push(text: string): void {
    const reading = Math.min(Math.ceil(formsOf(text).length / this.#parts.perTurn), MOST_READING_TURNS);
    this.#waiting = [...this.#waiting, { text, turns: reading + THINKING_TURNS }];
    if (this.#waiting.length > MAX_WAITING) this.#askFirst();
  }

  /** One micro-turn has been decided. What the model does is about what it read last. */
  onDecision(acts: readonly Act[]): void {
    if (acts.some((act) => deals.has(act))) this.#waiting = this.#waiting.slice(0, -1);
    this.#waiting = this.#waiting.map(({ text, turns }) => ({ text, turns: turns - 1 }));
    while (this.#waiting[0] && this.#waiting[0].turns <= 0) this.#askFirst();
  }

  #askFirst(): void {
    const [first, ...others] = this.#waiting;
    this.#waiting = others;
    if (first) this.#parts.ask(first.text);
  }
}
