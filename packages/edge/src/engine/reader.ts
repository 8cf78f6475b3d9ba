import type { FedTurn } from './lane-io.js';
import type { Manifest } from './manifest.js';
import { ageForms } from './notes.js';
import type { Perceived } from './types.js';
import { Vocabulary } from './vocabulary.js';

/** Ids that may wait to be read, policy dropOldest: what was said last matters most, and a mark is never late. */
const MAX_TOKENS = 256;

type Read = Pick<FedTurn, 'text' | 'said'>;

/** What one row has to read: as many ids in a micro-turn as its graph has room for, the others in the next ones. */
export interface Reader {
  perceive(perceived: Perceived): void;
  /** Takes what goes into the next step. */
  read(): Read;
  /** What was taken last is read again, before all that waits. */
  putBack(read: Read): void;
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
          text?.write(ageTokens(text.vocabulary, perceived));
          break;
        }
        default:
          perceived satisfies never;
      }
    },
    read: () => ({ text: text?.take(), said: said?.take() }),
    putBack(read) {
      text?.putBack(read.text);
      said?.putBack(read.said);
    },
  };
}

/**
 * The mark, the age and the note, which may fill more than one micro-turn; nothing where the model has no such mark. Whether the note
 * has the words of the age that were told before is what a small model learns slowest: it is told.
 */
function ageTokens(vocabulary: Vocabulary, { seconds, text }: { seconds: number; text: string }): number[] {
  const [mark, same] = [vocabulary.mark('age'), vocabulary.mark('same')];
  if (mark === undefined) return [];
  const [note, forms] = [vocabulary.tokens(text), ageForms(seconds)];
  if (same !== undefined) for (const form of forms) replaceEach(note, vocabulary.known(form) ?? [], same);
  return [mark, ...vocabulary.tokens(forms[0]), ...note];
}

/** Puts `id` in the place of all of `part`, wherever `ids` has it in a row. */
function replaceEach(ids: number[], part: readonly number[], id: number): void {
  if (part.length === 0) return;
  for (let first = 0; first + part.length <= ids.length; first++) {
    if (part.every((one, index) => ids[first + index] === one)) ids.fill(id, first, first + part.length);
  }
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

  putBack(ids: Int32Array = new Int32Array()): void {
    this.write([...ids, ...this.#waiting.splice(0)]);
  }

  take(): Int32Array | undefined {
    return this.#waiting.length > 0 ? Int32Array.from(this.#waiting.splice(0, this.#width)) : undefined;
  }
}
