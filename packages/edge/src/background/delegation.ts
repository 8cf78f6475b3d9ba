import type { Decision } from '../engine/types.js';
import { UtteranceTracker, type Utterance } from './utterances.js';

/** When an utterance becomes a task. */
export type DelegateRule =
  /** The model says so. */
  | { readonly by: 'act' }
  /** Each one that lasts, and that the model does not answer itself. */
  | { readonly by: 'utterance'; readonly minSpeechMs: number; readonly pauseMs: number };

export interface DelegationParts {
  readonly rule: DelegateRule;
  readonly microTurnMs: number;
  /** What is said about tasks is told otherwise, once all its words are known: those in decisions may be some of them. */
  readonly told: boolean;
  /** Somebody understands words that the model has no name for. */
  readonly understood: () => boolean;
  /**
   * An utterance is over, and the model has names for its words. `taken`: it was about a task, and that is done. `unclear`: it is
   * about one, in words that are passed on, so whoever makes out the sound is to be asked for them.
   */
  readonly followUp: (words: string, fromMs: number) => 'taken' | 'unclear' | undefined;
  /** A task has asked the participant something. */
  readonly awaited: () => boolean;
  /** Makes a task of what was said, or of the message that was read. */
  readonly delegate: (asked: Utterance | string) => void;
}

/** How long a model may take to read a message and to delegate it. */
const READ_MS = 10_000;
/** Where the model says so, an utterance that goes on so soon is the same one. */
const PAUSE_MS = 800;

/** Decides what of a talk becomes a task: by the act of the model, and by the rule where there is one. */
export class Delegation {
  readonly #parts: DelegationParts;
  readonly #utterances: UtteranceTracker;
  /** The last message that was read, until it is a task. */
  #message: { readonly text: string; readonly atMs: number } | undefined;

  constructor(parts: DelegationParts) {
    const { rule, microTurnMs } = parts;
    this.#parts = parts;
    this.#utterances = new UtteranceTracker({
      microTurnMs,
      pauseMs: rule.by === 'utterance' ? rule.pauseMs : PAUSE_MS,
    });
  }

  onDecision(decision: Decision, atMs: number): void {
    const ended = this.#utterances.push(decision);
    if (ended) this.#onUtterance(ended);
    if (decision.acts.includes('delegate')) this.#onAct(this.#utterances.take() ?? ended, atMs);
  }

  /** The model reads a message, and may delegate it. */
  onMessage(text: string, atMs: number): void {
    this.#message = { text, atMs };
  }

  /** An utterance is over: it may call something off, answer a question, or be one. */
  #onUtterance(utterance: Utterance): void {
    const { rule, told, understood, followUp, awaited, delegate } = this.#parts;
    const words = utterance.words.join(' ');
    // Words that the model has names for need nobody to make them out.
    const about = told || words.includes('<unk>') ? undefined : followUp(words, utterance.fromMs);
    if (about === 'taken' || !understood()) return;
    const { answered, fromMs, toMs } = utterance;
    const isQuestion = rule.by === 'utterance' && !answered && toMs - fromMs >= rule.minSpeechMs;
    // An answer may be one short word.
    if (isQuestion || about === 'unclear' || (!told && awaited() && !answered)) delegate(utterance);
  }

  /** What the model delegates is what was said just now, else the last message. */
  #onAct(utterance: Utterance | undefined, atMs: number): void {
    const message = this.#message && atMs - this.#message.atMs < READ_MS ? this.#message.text : undefined;
    if (utterance) this.#parts.delegate(utterance);
    else if (message !== undefined) {
      this.#message = undefined;
      this.#parts.delegate(message);
    }
  }
}
