import type { Manifest } from './manifest.js';
import type { FedTurn } from './lane-io.js';
import type { Perceived } from './types.js';
import { Vocabulary } from './vocabulary.js';

/** Ids that may wait to be read, policy dropOldest: what was said last matters most, and a mark is never late. */
const MAX_TOKENS = 256;

/** What one row has to read: as many ids in a micro-turn as its graph has room for, the others in the next ones. */
export interface Reader {
  perceive(perceived: Perceived): void;
  /** Takes what goes into the next step. */
  read(): Pick<FedTurn, 'text' | 'said'>;
}

/** @returns one that takes no notice of what its model has no input for */
export function createReader(manifest: Manifest): Reader {
  const text = Page.of(manifest, 'text');
  const said = Page.of(manifest, 'said');
  return {
    perceive(perceived) {
      switch (perceived.type) {
        case 'typed':
          text?.write(text.vocabulary.tokens(perceived.text));
          break;
        case 'heard':
          said?.write(said.vocabulary.tokens(perceived.text));
          break;
        case 'mark': {
          const id = text?.vocabulary.mark(perceived.mark);
          if (id !== undefined) text?.write([id]);
          break;
        }
        case 'age': {
          const id = text?.vocabulary.mark('age');
          if (id !== undefined) text?.write([id, ...ageTokens(text.vocabulary, perceived)]);
          break;
        }
        default:
          perceived satisfies never;
      }
    },
    read: () => ({ text: text?.take(), said: said?.take() }),
  };
}

/**
 * A note may fill more than one micro-turn, and whether it has the words of the age that were told before is what a small
 * model learns slowest: it is told.
 */
function ageTokens(vocabulary: Vocabulary, { seconds, text }: { seconds: number; text: string }): number[] {
  const age = vocabulary.tokens(ageText(seconds));
  const same = vocabulary.mark('same');
  const note = vocabulary.tokens(text);
  if (same === undefined) return [...age, ...note];
  for (let first = 0; first + age.length <= note.length; first++) {
    if (age.every((id, index) => note[first + index] === id)) note.fill(same, first, first + age.length);
  }
  return [...age, ...note];
}

/** Digits and one form of the unit: what they are written with is the vocabulary's. */
function ageText(seconds: number): string {
  return seconds < 60 ? `${seconds} seconds` : `${seconds / 60} minutes`;
}

/** The ids of one role that wait. */
class Page {
  readonly vocabulary: Vocabulary;
  readonly #width: number;
  readonly #waiting: number[] = [];

  static of(manifest: Manifest, role: 'said' | 'text'): Page | undefined {
    const vocabulary = Vocabulary.of(manifest, role);
    return vocabulary && new Page(vocabulary, Number(manifest.inputs[role]!.shape[1]));
  }

  constructor(vocabulary: Vocabulary, width: number) {
    this.vocabulary = vocabulary;
    this.#width = width;
  }

  write(ids: readonly number[]): void {
    this.#waiting.push(...ids);
    this.#waiting.splice(0, this.#waiting.length - MAX_TOKENS);
  }

  take(): Int32Array | undefined {
    return this.#waiting.length > 0 ? Int32Array.from(this.#waiting.splice(0, this.#width)) : undefined;
  }
}
