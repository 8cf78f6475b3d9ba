import { formsOf, type Act, type Decision, type ModelInfo } from '../engine/index.js';

/** What a model does about a message by itself. */
const deals: ReadonlySet<Act> = new Set<Act>([
  'handle',
  'note',
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
/** After somebody spoke, what the model does is about that. Any other act than `handle` is then no sign that a message was dealt with. */
const SPOKEN_TURNS = 3;
/** Policy: the oldest is a question at once. */
const MAX_WAITING = 4;

/** Whether it can be seen which messages a model with these acts has dealt with. */
export const showsWhatItHandles = ({ acts }: Pick<ModelInfo, 'acts'>): boolean => acts?.includes('handle') === true;

export interface ReadMessagesParts {
  /** Words that the model reads in a micro-turn. */
  readonly perTurn: number;
  /** The model does nothing about it: somebody else is to answer it. */
  readonly ask: (text: string) => void;
}

interface Message {
  readonly text: string;
  /** The micro-turn of its last word. */
  readonly last: number;
  /** The micro-turn after which it is a question. */
  readonly until: number;
}

/**
 * Messages that a model has been given to read, until it has dealt with them, or has had the time to. Where it cannot be told what an act
 * was about, the message is a question: two answers are better than none.
 */
export class ReadMessages {
  readonly #parts: ReadMessagesParts;
  /** In the order in which they came. */
  #waiting: readonly Message[] = [];
  /** The micro-turn in which all that came so far is read. */
  #readBy = -1;
  #spokenAt = -Infinity;
  #done: readonly Act[] = [];

  constructor(parts: ReadMessagesParts) {
    this.#parts = parts;
  }

  /** @param index the micro-turn that it begins to be fed to, unless others are in front of it */
  push(text: string, index: number): void {
    const first = Math.max(index, this.#readBy + 1);
    const turns = Math.max(1, Math.ceil(formsOf(text).length / this.#parts.perTurn));
    this.#readBy = first + turns - 1;
    const until = first + Math.min(turns, MOST_READING_TURNS) - 1 + THINKING_TURNS;
    this.#waiting = [...this.#waiting, { text, last: this.#readBy, until }];
    if (this.#waiting.length > MAX_WAITING) this.#ask(this.#waiting[0]!);
  }

  /** Follows the decisions of a session, in order; indexes may be missing. */
  onDecision({ index, floor, words, acts }: Pick<Decision, 'index' | 'floor' | 'words' | 'acts'>): void {
    if (words.length > 0 || (floor !== 'silent' && floor !== 'yielded')) this.#spokenAt = index;
    const isQuiet = index - this.#spokenAt > SPOKEN_TURNS;
    // An act that goes on is about the same message.
    const begun = acts.filter((act) => !this.#done.includes(act));
    this.#done = acts;
    if (begun.some((act) => act === 'handle' || (isQuiet && deals.has(act)))) {
      const meant = this.#waiting.findLast(({ last, until }) => last < index && index <= until);
      this.#waiting = this.#waiting.filter((message) => message !== meant);
    }
    for (const message of this.#waiting) if (message.until <= index) this.#ask(message);
  }

  #ask(message: Message): void {
    this.#waiting = this.#waiting.filter((other) => other !== message);
    this.#parts.ask(message.text);
  }
}
