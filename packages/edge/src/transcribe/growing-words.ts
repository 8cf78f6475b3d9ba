/** Words that two hypotheses in a row agree on stay: the rule is known as LocalAgreement-2. */
export class GrowingWords {
  #last: readonly string[] = [];
  #stable: readonly string[] = [];

  /** Takes the newest hypothesis of the whole utterance. */
  take(text: string): { readonly words: readonly string[]; readonly stable: number } {
    const hypothesis = text.split(/\s+/).filter((word) => word !== '');
    let agreed = 0;
    while (agreed < hypothesis.length && same(hypothesis[agreed]!, this.#last[agreed])) agreed++;
    this.#last = hypothesis;
    // What was called stable is not taken back, whatever a longer clip makes of it.
    const words = [...this.#stable, ...hypothesis.slice(this.#stable.length)];
    this.#stable = words.slice(0, Math.max(this.#stable.length, agreed));
    return { words, stable: this.#stable.length };
  }
}

function same(a: string, b: string | undefined): boolean {
  const plain = (word: string) => word.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
  return b !== undefined && plain(a) === plain(b);
}
