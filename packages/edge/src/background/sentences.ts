import { phrases } from './phrases.js';
import { nextPiece, type SpeechPiece } from './speech-pieces.js';
import type { Task } from './task-reducer.js';

/** Of one result, at most so much is said; the rest can be read. */
const SPOKEN_CHARS = 700;
/** Sentences that are ready before they are needed. */
const AHEAD = 3;

export interface SentencesParts {
  /** Looks at each sentence before it is said: it may change it, or drop it. Where it fails, it is dropped. */
  readonly moderate: ((text: string, task: Task) => Promise<string | undefined>) | undefined;
  /** The task as it is by now; undefined where nothing is said of it any more. */
  readonly current: () => Task | undefined;
  /** Nothing of a piece is to be said, and none waits before it. */
  readonly onSkipped: (task: Task, piece: SpeechPiece) => void;
}

/** The result of one task, cut into sentences as it grows, a few before they are needed. */
export class Sentences {
  readonly #parts: SentencesParts;
  readonly #ready: SpeechPiece[] = [];
  /** Up to where they have been cut off. */
  #cutChars: number;
  #spokenChars = 0;
  #moderating = false;

  constructor(saidChars: number, parts: SentencesParts) {
    this.#cutChars = saidChars;
    this.#parts = parts;
  }

  /** The one that is said next, as far as one is ready. */
  get first(): SpeechPiece | undefined {
    return this.#ready[0];
  }

  /** Of those that were taken, and not put back. */
  get spokenChars(): number {
    return this.#spokenChars;
  }

  take(): SpeechPiece | undefined {
    const piece = this.#ready.shift();
    this.#spokenChars += piece?.spoken.length ?? 0;
    return piece;
  }

  /** Those that were taken last: they are to be said again. */
  putBack(pieces: readonly SpeechPiece[]): void {
    this.#ready.unshift(...pieces);
    this.#spokenChars -= charsOf(pieces);
  }

  /** Nothing more is said. */
  silence(): void {
    this.#ready.length = 0;
    this.#cutChars = Infinity;
  }

  prepare(task: Task): void {
    while (!this.#moderating && this.#ready.length < AHEAD && task.saidChars < task.text.length) {
      const piece = this.#cut(task);
      if (!piece) return;
      const { moderate } = this.#parts;
      if (piece.spoken === '') this.#skip(task, piece);
      else if (moderate) void this.#moderate(moderate, task, piece);
      else this.#ready.push(piece);
    }
  }

  #cut(task: Task): SpeechPiece | undefined {
    const complete = task.status === 'done';
    if (this.#spokenChars + charsOf(this.#ready) > SPOKEN_CHARS) {
      if (!complete || this.#cutChars >= task.text.length) return undefined;
      this.#cutChars = task.text.length;
      return { toChar: task.text.length, spoken: phrases.more };
    }
    const piece = nextPiece(task.text, this.#cutChars, complete);
    if (piece) this.#cutChars = piece.toChar;
    return piece;
  }

  async #moderate(moderate: NonNullable<SentencesParts['moderate']>, task: Task, piece: SpeechPiece): Promise<void> {
    this.#moderating = true;
    let spoken: string | undefined;
    try {
      spoken = await moderate(piece.spoken, task);
    } catch {
      // It is the app's, and may throw anything, at once as well: what it did not look at is not said.
    } finally {
      this.#moderating = false;
    }
    const current = this.#parts.current();
    if (!current) return;
    if (spoken) this.#ready.push({ ...piece, spoken });
    else this.#skip(current, piece);
    this.prepare(current);
  }

  /** Nothing of it is to be said: it counts as said where nothing before it waits. */
  #skip(task: Task, piece: SpeechPiece): void {
    const before = this.#ready.at(-1);
    if (before) this.#ready[this.#ready.length - 1] = { ...before, toChar: piece.toChar };
    else this.#parts.onSkipped(task, piece);
  }
}

function charsOf(pieces: readonly SpeechPiece[]): number {
  return pieces.reduce((sum, { spoken }) => sum + spoken.length, 0);
}
