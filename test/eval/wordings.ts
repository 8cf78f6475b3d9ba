/**
 * Wordings of one thing: as models/nano/recipe/texts.py words it, with values that have nothing special; as others may; and as somebody did
 * who had seen neither.
 */
export interface Wordings<T> {
  readonly recipe: readonly T[];
  readonly other: readonly T[];
  readonly blind: readonly T[];
}

/** And a number that goes with it. */
export type Numbered = readonly [text: string, value: number];

/** Typed at the beginning, at the end and after it, and the seconds between the first two. */
export type Timed = readonly [begin: string, end: string, question: string, seconds: number];
