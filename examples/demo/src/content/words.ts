import { inputs, outputs } from '../../../../models/nano/bundle/bundle.json';

const { blank, unknown, classes } = outputs.words;
const marks: readonly string[] = Object.values(textRole().marks ?? {});

/** The words that the shipped bundle has classes for. */
export const vocabulary: readonly string[] = classes.filter(
  (name) => name !== blank && name !== unknown && !marks.includes(name),
);
export const VOCABULARY_SIZE = vocabulary.length;

const known: ReadonlySet<string> = new Set(vocabulary);
const aliases: ReadonlyMap<string, string> = new Map(Object.entries(textRole().aliases ?? {}));

/** The words of a text as the transcript has them: those that the model knows, animals in the singular. */
export function knownWords(text: string): string[] {
  const words = text.toLowerCase().match(/[a-z']+/g) ?? [];
  return words
    .flatMap((word) => aliases.get(word)?.split(' ') ?? [known.has(word) ? word : word.replace(/s$/, '')])
    .filter((word) => known.has(word));
}

/** What the bundle reads, where it does. */
function textRole(): { readonly aliases?: Record<string, string>; readonly marks?: Record<string, string> } {
  return 'text' in inputs ? (inputs.text as ReturnType<typeof textRole>) : {};
}
