const OPEN = '<think>';
const CLOSE = '</think>';

/**
 * Takes out the thoughts that an answer begins with, between `<think>` and `</think>`: where a server has no parser for
 * them, they would be said aloud. One that loses its end is thought to the last, and leaves no answer.
 */
export class Thoughts {
  #state: 'begins' | 'thinks' | 'thought' | 'answers' = 'begins';
  #held = '';

  /** @returns what of it is the answer; what may become a tag yet is held back */
  push(text: string): string {
    if (this.#state === 'answers') return text;
    this.#held += text;
    if (this.#state === 'begins') {
      const start = this.#held.trimStart();
      if (start.startsWith(OPEN)) {
        this.#state = 'thinks';
        this.#held = start.slice(OPEN.length);
      } else if (OPEN.startsWith(start)) return '';
      else return this.#answer(this.#held);
    }
    if (this.#state === 'thinks') {
      const end = this.#held.indexOf(CLOSE);
      if (end < 0) {
        // Long thoughts are not kept: only what may be the beginning of their end.
        this.#held = this.#held.slice(1 - CLOSE.length);
        return '';
      }
      this.#state = 'thought';
      this.#held = this.#held.slice(end + CLOSE.length);
    }
    this.#held = this.#held.trimStart();
    return this.#held === '' ? '' : this.#answer(this.#held);
  }

  /** No more text comes, or something else than text. @returns what was held back and is no tag */
  end(): string {
    return this.#state === 'begins' ? this.#answer(this.#held) : '';
  }

  #answer(text: string): string {
    this.#state = 'answers';
    this.#held = '';
    return text;
  }
}
