import { tokenClasses, type Manifest } from './manifest.js';
import type { Mark } from './types.js';

/** Runs of letters, also around an apostrophe, and runs of digits: "10s" is two. */
const TOKENS = /\p{L}+(?:'\p{L}+)*|\p{N}+/gu;

/** What of a text is read, in order. */
export function formsOf(text: string): string[] {
  const plain = text.normalize('NFKC').toLowerCase().replaceAll('’', "'");
  return plain.match(TOKENS) ?? [];
}

/** The words that a text is read as, by what each of some forms is written as. */
export function namesOf(text: string, aliases: ReadonlyMap<string, string>): string[] {
  return formsOf(text).flatMap((form) => aliases.get(form)?.split(' ') ?? [form]);
}

/** Text as the classes that a graph reads, by what its manifest says. */
export class Vocabulary {
  readonly #classes: ReadonlyMap<string, number>;
  readonly #aliases: ReadonlyMap<string, string>;
  readonly #unknown: number | undefined;
  readonly #marks: Readonly<Partial<Record<Mark, string | undefined>>>;

  constructor(
    classes: readonly string[],
    { aliases, unknown, marks }: Pick<NonNullable<Manifest['inputs']['text']>, 'aliases' | 'unknown' | 'marks'>,
  ) {
    this.#classes = new Map(classes.map((name, index) => [name, index]));
    this.#aliases = new Map(Object.entries(aliases));
    this.#unknown = unknown === undefined ? undefined : this.#classes.get(unknown);
    this.#marks = marks;
  }

  /** Of a role of the manifest; undefined where nothing can be fed to it. */
  static of(manifest: Manifest, role: 'said' | 'text'): Vocabulary | undefined {
    const classes = tokenClasses(manifest, role);
    return classes && new Vocabulary(classes, manifest.inputs[role]!);
  }

  /** The ids of a text's words, in order. */
  tokens(text: string): number[] {
    return namesOf(text, this.#aliases)
      .map((name) => this.#classes.get(name) ?? this.#unknown)
      .filter((id) => id !== undefined);
  }

  /** The same, where each of its words has a class of its own. */
  known(text: string): number[] | undefined {
    const names = namesOf(text, this.#aliases);
    return names.every((name) => this.#classes.has(name)) ? this.tokens(text) : undefined;
  }

  /** The id of a mark; undefined where the model knows no such mark. */
  mark(mark: Mark): number | undefined {
    const name = this.#marks[mark];
    return name === undefined ? undefined : this.#classes.get(name);
  }
}
