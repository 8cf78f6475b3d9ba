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
  /** Its beginning was given to the voice, to be ready. */
  readonly rehearsed: boolean;
}

const MARKS: Readonly<Record<string, DraftKind>> = {
  '[silence]': 'silence',
  '[backchannel]': 'backchannel',
  '[interject]': 'interjection',
};
const LONGEST_MARK = Math.max(...Object.keys(MARKS).map((mark) => mark.length));
/** How an utterance is expected to end that is not over: `[ends: to Rome?] At nine.` */
const ENDING = /^\[ends:([^\]]*)\]\s*/i;
const ENDING_OPENS = '[ends:';
/** Longer is no ending of a sentence. */
const LONGEST_ENDING_CHARS = 120;
/** What people add without changing what they want, in the middle too. What may complete a question ("are you okay") is not among it. */
const FILLERS: ReadonlySet<string> = new Set(
  'um umm uh uhm uhh er erm hm hmm mm ah eh äh ähm euh please thanks thank-you bitte danke merci gracias grazie'.split(
    ' ',
  ),
);

export interface ReadDraft {
  readonly kind: DraftKind;
  /** What is said of it. */
  readonly text: string;
  /** The words that it takes to be still missing; it answers what was said with these. */
  readonly ending: string;
}

/** @returns undefined while the text could still turn out to be either */
export function readDraft({ text, done }: Pick<Draft, 'text' | 'done'>): ReadDraft | undefined {
  const trimmed = text.trimStart();
  const ends = ENDING.exec(trimmed);
  if (!ends && !done && trimmed.length < LONGEST_ENDING_CHARS && opensEnding(trimmed)) return undefined;
  const ending = ends?.[1]?.trim() ?? '';
  const rest = trimmed.slice(ends?.[0].length ?? 0);
  if (rest === '') return done ? { kind: 'silence', text: '', ending } : undefined;
  if (!rest.startsWith('[')) return { kind: 'reply', text: rest, ending };
  const end = rest.indexOf(']') + 1;
  if (end === 0 && rest.length < LONGEST_MARK && !done) return undefined;
  const kind = MARKS[rest.slice(0, end).toLowerCase()];
  if (!kind) return { kind: 'reply', text: rest, ending };
  return { kind, text: rest.slice(end).trimStart(), ending };
}

function opensEnding(text: string): boolean {
  const opening = text.slice(0, ENDING_OPENS.length).toLowerCase();
  return opening.length > 0 && ENDING_OPENS.startsWith(opening);
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

/** Whether it answers `final`: the words it was asked with and the ending that it foresaw, fillers aside. */
export function fits(draft: Draft, final: readonly string[]): boolean {
  const [answered, wanted] = [meant(answeredBy(draft)), meant(final)];
  return answered.length === wanted.length && isPrefix(answered, wanted);
}

/** Whether it may come to fit words that begin with these: they are on the way to the ending that it foresaw. */
export function stands(draft: Draft, soFar: readonly string[]): boolean {
  return isPrefix(meant(soFar), meant(answeredBy(draft)));
}

/** Whether it was asked with other words than these, or foresaw others. */
export function isRefuted(draft: Draft, soFar: readonly string[]): boolean {
  const [on, answered, words] = [meant(draft.on), meant(answeredBy(draft)), meant(soFar)];
  return !isPrefix(on, words) || !(isPrefix(answered, words) || isPrefix(words, answered));
}

/** The words that it answers, as far as it has told. An ending may begin with the words that it follows. */
function answeredBy(draft: Draft): readonly string[] {
  const ending = plainWords((readDraft(draft)?.ending ?? '').split(/\s+/));
  let repeated = Math.min(ending.length, draft.on.length);
  while (repeated > 0 && !isPrefix(ending.slice(0, repeated), draft.on.slice(-repeated))) repeated--;
  return [...draft.on, ...ending.slice(repeated)];
}

/** Of plain words, those that an answer depends on; all, where they are nothing but fillers. */
function meant(plain: readonly string[]): readonly string[] {
  const joined = plain.flatMap((word, i) =>
    word === 'you' && plain[i - 1] === 'thank' ? [] : [word === 'thank' && plain[i + 1] === 'you' ? 'thank-you' : word],
  );
  const kept = joined.filter((word) => !FILLERS.has(word));
  return kept.length > 0 ? kept : plain;
}
