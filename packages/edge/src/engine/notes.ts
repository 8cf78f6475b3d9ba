import { turnAt, turnStartMs } from '@microturn/protocol';
import type { DecodedWord, Decision, Perceived } from './types.js';
import { formsOf } from './vocabulary.js';

/** Longer than this between the ends of two words, and the second begins another utterance. */
const UTTERANCE_GAP_MS = 1500;
/** Words of a note, the last ones. */
const MAX_WORDS = 10;
/** Policy dropOldest. */
const MAX_NOTES = 4;
const MINUTE_S = 60;
const LAST_AGE_S = 60 * MINUTE_S;

type Age = Perceived & { readonly type: 'age' };

/** What the user said or typed last. */
interface Request {
  readonly words: readonly string[];
  /** Session ms. */
  readonly endMs: number;
}

interface Note extends Request {
  /** The age that is told next. */
  readonly nextS: number;
  /** The micro-turn in which it was noted, or told last. */
  readonly turn: number;
}

/**
 * What one participant asked for, and how old it is. The model says what is noted and what its age means; here the
 * session's clock is counted for it, by the indexes of its decisions alone, beyond what it remembers itself.
 */
export class Notes {
  readonly #microTurnMs: number;
  /** In the order in which they were noted. */
  #notes: readonly Note[] = [];
  #spoken: Request | undefined;
  #typed: Request | undefined;

  constructor(microTurnMs: number) {
    this.#microTurnMs = microTurnMs;
  }

  /**
   * A whole message that the model reads.
   * @param index the micro-turn that it begins to be fed to
   */
  typed(text: string, index: number): void {
    const words = formsOf(text).slice(-MAX_WORDS);
    if (words.length > 0) this.#typed = { words, endMs: turnStartMs(index, this.#microTurnMs) };
  }

  /**
   * Follows the decisions of a session, in order; indexes may be missing.
   * @returns what the model is to perceive before its next micro-turn: ages whose moment lies in that one, and those that a gap
   *   between the indexes left untold
   */
  take({ words, acts, index }: Pick<Decision, 'words' | 'acts' | 'index'>): Age[] {
    for (const word of words) this.#hear(word);
    if (acts.includes('remind')) this.#drop(this.#latest());
    if (acts.includes('cancel')) this.#drop(this.#notes.at(-1));
    if (acts.includes('note')) this.#note(index);
    return this.#tell(index + 1);
  }

  #hear({ text, endMs }: DecodedWord): void {
    const before = this.#spoken && endMs - this.#spoken.endMs <= UTTERANCE_GAP_MS ? this.#spoken.words : [];
    this.#spoken = { words: [...before, text].slice(-MAX_WORDS), endMs };
  }

  #note(index: number): void {
    const request = later(this.#spoken, this.#typed);
    // The model may say it twice, with something else in between.
    if (!request || this.#notes.some(({ endMs }) => endMs === request.endMs)) return;
    let nextS = ageAfter(0);
    while (nextS <= LAST_AGE_S && this.#turnOf(request, nextS) <= index) nextS = ageAfter(nextS);
    this.#notes = [...this.#notes, { ...request, nextS, turn: index }].slice(-MAX_NOTES);
  }

  /** The one that a reminder is most likely of: what was asked for or told last, whichever came later. */
  #latest(): Note | undefined {
    return this.#notes.reduce<Note | undefined>((a, b) => (a && a.turn > b.turn ? a : b), undefined);
  }

  #drop(note: Note | undefined): void {
    this.#notes = this.#notes.filter((other) => other !== note);
  }

  /** @param turn the micro-turn that is decided next */
  #tell(turn: number): Age[] {
    const due: { readonly turn: number; readonly age: Age }[] = [];
    this.#notes = this.#notes.flatMap((note): Note[] => {
      let { nextS } = note;
      for (; nextS <= LAST_AGE_S && this.#turnOf(note, nextS) <= turn; nextS = ageAfter(nextS)) {
        const age: Age = { type: 'age', seconds: nextS, text: note.words.join(' ') };
        due.push({ turn: this.#turnOf(note, nextS), age });
      }
      // The last age is told, and the note is kept for as long as it may be answered: until there would be another.
      if (this.#turnOf(note, nextS) <= turn) return [];
      return [nextS === note.nextS ? note : { ...note, nextS, turn }];
    });
    return due.sort((a, b) => a.turn - b.turn).map(({ age }) => age);
  }

  /** The micro-turn in which a request is so old. */
  #turnOf({ endMs }: Request, seconds: number): number {
    return turnAt(endMs + 1000 * seconds, this.#microTurnMs);
  }
}

/** The next age that is told after one of `seconds`. */
function ageAfter(seconds: number): number {
  return seconds + (seconds < MINUTE_S ? 10 : MINUTE_S);
}

function later(spoken: Request | undefined, typed: Request | undefined): Request | undefined {
  return spoken && typed ? (typed.endMs >= spoken.endMs ? typed : spoken) : (spoken ?? typed);
}
