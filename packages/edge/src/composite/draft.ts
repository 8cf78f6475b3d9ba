/** What a draft wants to be. The first characters tell: `[silence]`, `[backchannel] mm-hm`, `[interject] text`, or just text. */
export type DraftKind = 'reply' | 'silence' | 'backchannel' | 'interjection';

/** An answer that the LLM is writing, or wrote, to words that may not be all there are. */
export interface Draft {
  readonly id: string;
  /** The words that it answers, as `plainWords` gives them. */
  readonly on: readonly string[];
  /** As streamed so far, mark and all. */
  readonly text: string;
  readonly done: boolean;
  readonly askedAtMs: number;
  readonly firstAtMs: number | undefined;
}

const MARKS: Readonly<Record<string, DraftKind>> = {
  '[silence]': 'silence',
  '[backchannel]': 'backchannel',
  '[interject]': 'interjection',
};
const LONGEST_MARK = Math.max(...Object.keys(MARKS).map((mark) => mark.length));
/** What people add without changing what they want. */
const FILLERS: ReadonlySet<string> = new Set('um uh er hm please thanks okay so well'.split(' '));
/** What no sentence ends with, or few: whoever says it goes on. English; other languages are drafted for a little more. */
const LEADS_ON: ReadonlySet<string> = new Set(
  'a an the and or but if as than that this my your his her its our their of to for with from by at in on is are was were do does did can could will would should have has had i we they who which when where while because since before after not very so'.split(
    ' ',
  ),
);

/** @returns undefined while the text could still turn out to be either */
export function readDraft({
  text,
  done,
}: Pick<Draft, 'text' | 'done'>): { readonly kind: DraftKind; readonly text: string } | undefined {
  const trimmed = text.trimStart();
  if (trimmed === '') return done ? { kind: 'silence', text: '' } : undefined;
  if (!trimmed.startsWith('[')) return { kind: 'reply', text: trimmed };
  const end = trimmed.indexOf(']') + 1;
  if (end === 0 && trimmed.length < LONGEST_MARK && !done) return undefined;
  const kind = MARKS[trimmed.slice(0, end).toLowerCase()];
  if (!kind) return { kind: 'reply', text: trimmed };
  return { kind, text: trimmed.slice(end).trimStart() };
}

/** Words as they are compared: transcribers change their mind about capitals and punctuation, not about what was said. */
export function plainWords(words: readonly string[]): string[] {
  return words
    .map((word) =>
      word
        .normalize('NFKC')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}'’<>]+/gu, '')
        .replace(/’/g, "'"),
    )
    .filter((word) => word !== '');
}

export function isPrefix(short: readonly string[], long: readonly string[]): boolean {
  return short.length <= long.length && short.every((word, i) => word === long[i]);
}

/** Whether a draft to words that end like this would be one to half a phrase. */
export function leadsOn(plain: readonly string[]): boolean {
  const last = plain.at(-1);
  return last === undefined || LEADS_ON.has(last);
}

/** Whether an answer to `on` answers `final` too: the same words, but for fillers at the end of either. */
export function fits(on: readonly string[], final: readonly string[]): boolean {
  const [short, long] = on.length <= final.length ? [on, final] : [final, on];
  return short.length > 0 && isPrefix(short, long) && long.slice(short.length).every((word) => FILLERS.has(word));
}
