import type { ResponseWord } from '@microturn/protocol';

/** Of one character of text, where nothing is known of a voice: about 15 in a second. */
const FIRST_MS_PER_CHAR = 65;
/** Weight of the newest sentence in what is known. */
const NEWEST = 0.4;
/** No word is shorter, as long as there is room. */
const SHORTEST_MS = 1;

/** How fast a voice speaks, by what it said so far. */
export class SpeakingRate {
  #msPerChar = FIRST_MS_PER_CHAR;
  get msPerChar(): number {
    return this.#msPerChar;
  }
  note(chars: number, lengthMs: number): void {
    if (chars > 0 && lengthMs > 0) this.#msPerChar += NEWEST * (lengthMs / chars - this.#msPerChar);
  }
}

/**
 * Places words in the sound of a voice that gives no times: by their length, at the rate of that voice. As the sound
 * streams in, words come out with the stretch in which they end; the last stretch takes the rest.
 */
export class StreamedWords {
  readonly #words: readonly string[];
  readonly #rate: SpeakingRate;
  #next = 0;
  #endMs = 0;

  constructor(words: readonly string[], rate: SpeakingRate) {
    this.#words = words;
    this.#rate = rate;
  }

  /** Words that have not come out. */
  get rest(): readonly string[] {
    return this.#words.slice(this.#next);
  }

  /** @param lengthMs of the sound so far. @returns the words that end in it; times count from its start */
  take(lengthMs: number): ResponseWord[] {
    const taken: ResponseWord[] = [];
    while (this.#next < this.#words.length) {
      const text = this.#words[this.#next]!;
      const endMs = this.#endMs + (text.length + 1) * this.#rate.msPerChar;
      if (endMs > lengthMs) break;
      taken.push(this.#place(text, endMs));
    }
    return taken;
  }

  /** All that are left, in the sound that is left. @param lengthMs of the whole */
  finish(lengthMs: number): ResponseWord[] {
    const chars = (words: readonly string[]) => words.reduce((sum, word) => sum + word.length + 1, 0);
    this.#rate.note(chars(this.#words), lengthMs);
    const taken: ResponseWord[] = [];
    while (this.#next < this.#words.length) {
      const text = this.#words[this.#next]!;
      const left = Math.max(lengthMs - this.#endMs, 0);
      const share = ((text.length + 1) / chars(this.rest)) * left;
      taken.push(this.#place(text, this.#endMs + Math.max(share, SHORTEST_MS)));
    }
    return taken;
  }

  #place(text: string, endMs: number): ResponseWord {
    const word = { text, startMs: this.#endMs, endMs };
    this.#endMs = endMs;
    this.#next++;
    return word;
  }
}
