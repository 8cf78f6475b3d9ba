import { MicroturnError } from '@microturn/protocol';
import { NothingToSay } from './nothing-to-say.js';
import { splitSentences } from './sentences.js';
import type { SpeakOptions, SpeechClause, Voice } from './types.js';

/** One that failed is left alone for so long: waiting for it again would make every sentence late. */
const COOLING_MS = 10_000;

/** A voice that another one stands in for, from the word at which it failed. */
export class FallbackVoice implements Voice {
  readonly name: string;
  readonly concurrent: boolean;
  readonly #first: Voice;
  readonly #second: Voice;
  readonly #now: () => number;
  #coolUntilMs = -Infinity;
  /** It has said something since it was left alone last. */
  #speaks = false;

  constructor(first: Voice, second: Voice, now: () => number = () => performance.now()) {
    this.name = first.name;
    this.concurrent = first.concurrent ?? false;
    this.#first = first;
    this.#second = second;
    this.#now = now;
  }

  async *speak(text: string, options: SpeakOptions = {}): AsyncGenerator<SpeechClause, void, void> {
    const words = splitSentences(text).flatMap((sentence) => sentence.words);
    let said = 0;
    if (this.#now() >= this.#coolUntilMs) {
      try {
        for await (const clause of this.#first.speak(text, options)) {
          said += clause.words.length;
          this.#speaks = true;
          yield clause;
        }
        return;
      } catch (cause) {
        const error = MicroturnError.from(cause, 'voice/failed');
        // A text that it cannot say is no reason for others to hear another voice; but one that was given a wrong name refuses every text.
        if (!(error instanceof NothingToSay && this.#speaks)) {
          this.#coolUntilMs = this.#now() + COOLING_MS;
          this.#speaks = false;
        }
        options.onProblem?.(error);
      }
    }
    const rest = words.slice(said).join(' ');
    if (rest !== '' && !options.signal?.aborted) yield* this.#second.speak(rest, options);
  }

  rehearse(text: string, caller?: string): void {
    if (this.#now() >= this.#coolUntilMs) this.#first.rehearse?.(text, caller);
  }

  async close(): Promise<void> {
    await Promise.all([this.#first.close(), this.#second.close()]);
  }
}
