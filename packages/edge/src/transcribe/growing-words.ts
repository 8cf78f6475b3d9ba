import { TRANSCRIBE_HZ } from './types.js';

/** Samples. Two hypotheses that are alike and so far apart: nobody spoke for a while between their ends. */
const PAUSE = 0.4 * TRANSCRIBE_HZ;

/**
 * Words that two hypotheses in a row agree on stay: the rule is known as LocalAgreement-2. Each hypothesis is of all the
 * sound since the utterance's beginning, or since the place up to which its words are settled.
 */
export class GrowingWords {
  /** Settled: their sound is in no later hypothesis. */
  #settled: readonly string[] = [];
  #last: readonly string[] = [];
  #stable: readonly string[] = [];
  #words: readonly string[] = [];
  /** Where the last hypothesis ended, and the first of those before it that were like it. */
  #end = 0;
  #alikeSince = 0;
  /** Words that were all there were for a while, and a place within that. */
  #pause: { readonly words: readonly string[]; readonly place: number } | undefined;

  /**
   * Takes the newest hypothesis.
   * @param end the place in the utterance up to which it heard, in samples
   */
  take(text: string, end: number): { readonly words: readonly string[]; readonly stable: number } {
    const hypothesis = text.split(/\s+/).filter((word) => word !== '');
    const agreed = alike(hypothesis, this.#last);
    if (this.#pause && alike(hypothesis, this.#pause.words) < this.#pause.words.length) this.#pause = undefined;
    if (agreed < hypothesis.length || agreed < this.#last.length) this.#alikeSince = end;
    if (agreed > 0 && end - this.#alikeSince >= PAUSE) {
      // Its last word may have been known before it had ended, and the next may have begun.
      this.#pause = { words: hypothesis, place: Math.round((this.#alikeSince + end) / 2) };
    }
    this.#last = hypothesis;
    this.#end = end;
    // What was called stable is not taken back, whatever a longer clip makes of it.
    this.#words = [...this.#stable, ...hypothesis.slice(this.#stable.length)];
    this.#stable = this.#words.slice(0, Math.max(this.#stable.length, agreed));
    return { words: [...this.#settled, ...this.#words], stable: this.#settled.length + this.#stable.length };
  }

  /**
   * Settles the words before the last pause. Where nothing was said since, it does not: from sound without a word in it
   * Whisper invents some.
   * @returns the place from which on hypotheses are to hear
   */
  settleToPause(): number | undefined {
    const pause = this.#pause;
    return pause && pause.words.length < this.#last.length ? this.#settle(pause.words.length, pause.place) : undefined;
  }
  /** Settles all words, though the last may be half of one. */
  settleAll(): number {
    return this.#settle(this.#words.length, this.#end);
  }

  #settle(count: number, place: number): number {
    this.#settled = [...this.#settled, ...this.#words.slice(0, count)];
    this.#words = this.#words.slice(count);
    this.#last = this.#last.slice(count);
    this.#stable = this.#stable.slice(count);
    this.#pause = undefined;
    return place;
  }
}

/** How many words both begin with. */
function alike(some: readonly string[], others: readonly string[]): number {
  const plain = (word: string) => word.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
  const different = some.findIndex((word, i) => i >= others.length || plain(word) !== plain(others[i]!));
  return different < 0 ? some.length : different;
}
