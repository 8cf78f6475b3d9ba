import { type FliteProgram, INPUT_PATH } from './flite-program.js';
import { parsePhoneNames } from './word-times.js';

/** All voices share the lexicon; this one is the fastest to ask: 1 ms a word. */
const VOICE = 'kal16';
const MAX_KNOWN_WORDS = 4_096;

/** Which phones a word has when Flite says it alone. Remembers them, oldest out first. */
export class FliteLexicon {
  readonly #program: FliteProgram;
  readonly #known = new Map<string, readonly string[]>();

  constructor(program: FliteProgram) {
    this.#program = program;
  }

  /** @throws {Error} if Flite fails */
  phonesOf(words: readonly string[]): (readonly string[])[] {
    const unknown = [...new Set(words)].filter((word) => !this.#known.has(word));
    if (unknown.length > 0) {
      // Each is an utterance of its own, printed on a line of its own.
      let answers = this.#ask(unknown);
      // A word that Flite takes for two utterances shifts the lines of all: then each is asked alone.
      if (answers.length !== unknown.length) answers = unknown.map((word) => this.#ask([word]).flat());
      for (const [i, word] of unknown.entries()) this.#known.set(word, answers[i]!);
    }
    const phones = words.map((word) => this.#known.get(word)!);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_KNOWN_WORDS) break;
      this.#known.delete(oldest);
    }
    return phones;
  }

  #ask(words: readonly string[]): string[][] {
    const { stdout } = this.#program.run(
      ['-voice', VOICE, '-ps', '-f', INPUT_PATH, '-o', 'none'],
      `${words.join('\n\n')}\n`,
    );
    return parsePhoneNames(stdout);
  }
}
