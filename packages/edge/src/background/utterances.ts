import type { Floor } from '@microturn/protocol';
import type { Act, Decision } from '../engine/types.js';

/** What somebody said, by the micro-turns in which the model heard them hold the floor. */
export interface Utterance {
  /** Session ms, with a little before its first micro-turn: the model needs a moment to notice. */
  readonly fromMs: number;
  readonly toMs: number;
  /** As the model names them; `<unk>` for one it has no name for. */
  readonly words: readonly string[];
  /** The model answered it by itself, or came in on it. */
  readonly answered: boolean;
}

/** What the model notices late. */
const LEAD_MS = 400;
/** By these a model shows that it does what it was asked to. */
const ownWork: ReadonlySet<Act> = new Set<Act>([
  'handle',
  'note',
  'continue',
  'cancel',
  'repeat',
  'louder',
  'quieter',
  'slower',
  'faster',
]);
/** What is said for so long after that is something else. */
const ELSE_MS = 600;
const speaking: ReadonlySet<Floor> = new Set(['speaking', 'correcting', 'barge-in']);

/** Follows one participant's utterances. One that goes on within `pauseMs` of its end is the same one. */
export class UtteranceTracker {
  readonly #microTurnMs: number;
  readonly #pauseMs: number;
  #open: Utterance | undefined;
  /** Who holds the floor and makes no sound says nothing, unless they do before they leave it: a model may take a first sound for a pause. */
  #spoke = false;
  #quietMs = 0;
  /** What was said since the model showed that it does what was asked; undefined where it did not. */
  #sinceWorkMs: number | undefined;

  constructor({ microTurnMs, pauseMs }: { microTurnMs: number; pauseMs: number }) {
    this.#microTurnMs = microTurnMs;
    this.#pauseMs = pauseMs;
  }

  /** The one that is going on, up to now. */
  get open(): Utterance | undefined {
    return this.#spoke ? this.#open : undefined;
  }

  /** Takes one micro-turn. Returns the utterance that it ends. */
  push({ index, floor, words, say, acts }: Decision): Utterance | undefined {
    const fromMs = index * this.#microTurnMs;
    const toMs = fromMs + this.#microTurnMs;
    this.#spoke ||= speaking.has(floor);
    if (speaking.has(floor) || floor === 'holding') {
      this.#open ??= { fromMs: Math.max(0, fromMs - LEAD_MS), toMs, words: [], answered: false };
      this.#open = { ...this.#open, toMs };
      this.#quietMs = 0;
    } else if (this.#open) this.#quietMs += this.#microTurnMs;
    if (!this.#open) return undefined;
    if (acts.some((act) => ownWork.has(act))) this.#sinceWorkMs = 0;
    else if (this.#sinceWorkMs !== undefined && speaking.has(floor)) this.#sinceWorkMs += this.#microTurnMs;
    this.#open = {
      ...this.#open,
      words: [...this.#open.words, ...words.map(({ text }) => text)].slice(-200),
      // An “mm-hm” under it answers nothing.
      answered: this.#open.answered || (say !== '' && !acts.includes('backchannel')),
    };
    if (this.#quietMs <= this.#pauseMs) return undefined;
    return this.take();
  }

  /** The utterance so far has been dealt with. */
  take(): Utterance | undefined {
    const { open: taken } = this;
    const isDone = this.#sinceWorkMs !== undefined && this.#sinceWorkMs < ELSE_MS;
    this.#open = undefined;
    this.#spoke = false;
    this.#quietMs = 0;
    this.#sinceWorkMs = undefined;
    return taken && { ...taken, answered: taken.answered || isDone };
  }
}
