import { MicroturnError } from '@microturn/protocol';
import { NothingToSay } from './nothing-to-say.js';

/** Longest text that one call may speak. */
export const MAX_TEXT_CHARS = 4_096;

/** A clause as written and as an English voice can say it. */
export interface Clause {
  /** The words' texts, joined by spaces. What cannot be said is not in it. */
  readonly text: string;
  readonly words: readonly ClauseWord[];
  /** How long a speaker would pause after it. */
  readonly pauseMs: number;
}

export interface ClauseWord {
  /** As written, with its punctuation. */
  readonly text: string;
  /** Printable ASCII for the voice; may be several words ("€5" is "5 euros"). */
  readonly spoken: string;
}

type Break = 'sentence' | 'phrase' | 'comma' | 'line' | 'none';

/** Within the 120 to 250 ms of read speech; a cut that no punctuation asked for is kept short. */
const PAUSE_MS: Record<Break, number> = { sentence: 250, line: 200, phrase: 180, comma: 120, none: 30 };

/**
 * A first clause of few characters is heard early: synthesis takes about 14 ms for each second of speech. Later ones may be
 * longer, which sounds better, up to the length that delays another response by no more than about 90 ms.
 */
const FIRST = { min: 6, max: 48 };
const LATER = { min: 20, max: 96 };
/** A tail shorter than this stays with its clause: ", sir." is not a clause. */
const MIN_TAIL_CHARS = 10;
/** Longer tokens are no words; they are cut, so that the caps hold. */
const MAX_TOKEN_CHARS = 48;

const ABBREVIATIONS = new Set(
  'dr mr mrs ms prof st sr jr rev gen col capt lt sgt hon mt ft no vs e.g i.e cf al fig figs vol approx dept est inc ltd co corp'.split(
    ' ',
  ),
);
/** These end a sentence only where a capital follows. */
const MAYBE_FINAL = new Set('etc a.m p.m u.s u.k u.n'.split(' '));
/** Where a clause that is too long may be cut with least harm: before one of these. */
const SOFT_BREAK = new Set(
  'and but or so because while when where which who that if although though since until unless after before with without for from into over under about between through'.split(
    ' ',
  ),
);

// prettier-ignore
const SYMBOLS: Record<string, string> = {
  '‘': "'", '’': "'", '‚': ',', '‛': "'", '′': "'", 'ʼ': "'", '`': "'",
  '“': '"', '”': '"', '„': '"', '‟': '"', '«': '"', '»': '"', '″': '"',
  '‐': '-', '‑': '-', '‒': '-', '–': '-', '−': '-',
  '…': '...', '、': ',', '。': '.', '，': ',', '！': '!', '？': '?', '：': ':', '；': ';',
  'ß': 'ss', 'æ': 'ae', 'Æ': 'Ae', 'œ': 'oe', 'Œ': 'Oe', 'ø': 'o', 'Ø': 'O', 'ł': 'l', 'Ł': 'L', 'đ': 'd', 'Đ': 'D',
  'ð': 'd', 'Ð': 'D', 'þ': 'th', 'Þ': 'Th', 'ı': 'i',
  '°': ' degrees ', '×': ' times ', '÷': ' divided by ', '±': ' plus or minus ', '€': ' euros ', '£': ' pounds ', '¥': ' yen ',
  '&': ' and ', '@': ' at ', '=': ' equals ', '<': ' less than ', '>': ' greater than ',
};

/**
 * Splits text into clauses: at sentence ends, at commas, colons and dashes where both sides are long enough, at line ends, and,
 * past a length cap, before a conjunction. Numbers, abbreviations and initials are not broken. Tags and Markdown marks are taken
 * out, typographic characters folded to ASCII; words of other scripts are left out of `text`, because they are not said.
 * @throws {MicroturnError} `voice/failed` where the text is too long or nothing in it can be said
 */
export function splitClauses(text: string): Clause[] {
  if (text.length > MAX_TEXT_CHARS) {
    throw new MicroturnError('voice/failed', `expected at most ${MAX_TEXT_CHARS} characters, got ${text.length}`);
  }
  const words = toWords(text);
  if (words.length === 0) {
    throw new NothingToSay('this voice speaks English words and numbers');
  }
  const clauses: Clause[] = [];
  for (let from = 0; from < words.length;) {
    const to = clauseEnd(words, from, clauses.length === 0 ? FIRST : LATER);
    clauses.push(toClause(words.slice(from, to)));
    from = to;
  }
  return clauses;
}

interface Word extends ClauseWord {
  readonly after: Break;
}

function toClause(words: readonly Word[]): Clause {
  return {
    text: words.map((word) => word.text).join(' '),
    words: words.map(({ text, spoken }) => ({ text, spoken })),
    pauseMs: PAUSE_MS[words.at(-1)!.after],
  };
}

/** Index after the last word of the clause that starts at `from`. */
function clauseEnd(words: readonly Word[], from: number, { min, max }: { min: number; max: number }): number {
  let chars = 0;
  for (let i = from; i < words.length; i++) {
    const word = words[i]!;
    // The first word always fits, so that every clause has one.
    if (i > from && chars + word.spoken.length > max) return softEnd(words, from, i);
    chars += word.spoken.length + 1;
    if (word.after === 'sentence' || word.after === 'line') return i + 1;
    if (word.after !== 'none' && chars > min && charsToSentenceEnd(words, i + 1) >= MIN_TAIL_CHARS) return i + 1;
  }
  return words.length;
}

/** Words from..to are too long a clause: the last comma, else the last place before a conjunction, else all of them. */
function softEnd(words: readonly Word[], from: number, to: number): number {
  for (let i = to; i > from + 1; i--) if (words[i - 1]!.after !== 'none') return i;
  for (let i = to; i > from + 2; i--) if (SOFT_BREAK.has(words[i]!.spoken.toLowerCase())) return i;
  return to;
}

function charsToSentenceEnd(words: readonly Word[], from: number): number {
  let chars = 0;
  for (let i = from; i < words.length && chars < MIN_TAIL_CHARS; i++) {
    chars += words[i]!.spoken.length + 1;
    if (words[i]!.after === 'sentence' || words[i]!.after === 'line') break;
  }
  return chars;
}

function toWords(text: string): Word[] {
  const words: Word[] = [];
  for (const line of plainText(text).split('\n')) {
    const firstOfLine = words.length;
    const tokens = line.split(' ').filter((token) => token !== '');
    for (const [i, token] of tokens.entries()) {
      const spoken = toSpoken(token);
      if (/[A-Za-z0-9]/.test(spoken)) words.push({ text: token, spoken, after: breakAfter(token, tokens[i + 1]) });
      else if (isPunctuation(token) && words.length > firstOfLine) words.push(joinPunctuation(words.pop()!, token));
    }
    const last = words.at(-1);
    if (words.length > firstOfLine && last!.after === 'none') words.push({ ...words.pop()!, after: 'line' });
  }
  readMoneyAmountFirst(words);
  // The end of the text is no line end: nobody knows yet whether more follows.
  const last = words.at(-1);
  if (last?.after === 'line') words.push({ ...words.pop()!, after: 'none' });
  return words;
}

/** "$5 million" is said "5 million dollars": the words must be told so, or their times change places. */
function readMoneyAmountFirst(words: Word[]): void {
  for (let i = 0; i + 1 < words.length; i++) {
    const amount = /^\$(\d[\d.,]*)$/.exec(words[i]!.spoken);
    const scale = /^(hundred|thousand|million|billion|trillion)(\W*)$/i.exec(words[i + 1]!.spoken);
    if (!amount || !scale) continue;
    words[i] = { ...words[i]!, spoken: amount[1]! };
    words[i + 1] = { ...words[i + 1]!, spoken: `${scale[1]} dollars${scale[2]}` };
  }
}

/** A dash or an ellipsis that stands alone belongs to the word before it. */
function joinPunctuation(word: Word, token: string): Word {
  const after = breakAfter(token, undefined);
  return {
    text: `${word.text} ${token}`,
    spoken: after === 'none' || /[.,;:!?]$/.test(word.spoken) ? word.spoken : `${word.spoken},`,
    after: after === 'none' ? word.after : after,
  };
}

/** Without tags, Markdown marks and control characters; lines are kept, every other white space is one space. */
export function plainText(text: string): string {
  return (
    text
      .normalize('NFC')
      .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
      .replace(/<[!/?]?[A-Za-z][^<>\n]{0,256}>/g, ' ')
      .replace(/!?\[([^[\]\n]{1,256})\]\([^()\s]{0,512}\)/g, '$1')
      .replace(/^[ \t]{0,16}(?:#{1,6}|[-*+•>]|[-=*_]{3,256})(?=\s|$)/gm, ' ')
      .replace(/[*_~`|\\{}[\]^]+/g, (marks, at: number, all: string) =>
        marks === '_' && isInsideWord(all, at) ? ' ' : '',
      )
      // A dash between words is a pause, and stands alone.
      .replace(/\s*[—―]\s*|--+|(?<=\s)[–-](?=\s)/g, ' — ')
      .replace(/\p{Cf}+/gu, '')
      .replace(/[^\S\n]+|[^\n\P{C}]+/gu, ' ')
  );
}

function isInsideWord(text: string, at: number): boolean {
  return /\w/.test(text[at - 1] ?? ' ') && /\w/.test(text[at + 1] ?? ' ');
}

function toSpoken(token: string): string {
  const folded = token
    // Money is read amount first.
    .replace(/^([€£¥])(\d[\d.,]*\d|\d)/u, '$2$1')
    .replace(/[^\x20-\x7e]|[&@=<>`]/gu, (char) => SYMBOLS[char] ?? char)
    .normalize('NFKD')
    .replace(/[⁄]/g, '/')
    .replace(/(?<=[A-Za-z])\/(?=[A-Za-z])/g, ' ')
    .replace(/\+(?=\d)/g, ' plus ')
    .replace(/[^\x20-\x7e]|#(?!\d)/g, '')
    .replace(/#(?=\d)/g, 'number ')
    .replace(/ +/g, ' ')
    .trim();
  // An orphan of a word in another script ("é" of "привéт") is not a way to say it.
  const letters = token.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  const kept = folded.match(/[A-Za-z0-9]/g)?.length ?? 0;
  if (letters > kept * 2) return '';
  return folded.slice(0, MAX_TOKEN_CHARS).trimEnd();
}

function isPunctuation(token: string): boolean {
  return /^[\p{P}]+$/u.test(token);
}

function breakAfter(token: string, next: string | undefined): Break {
  const bare = token.replace(/["'’”»)\]]+$/u, '');
  if (/[!?。！？]$/u.test(bare)) return 'sentence';
  if (/(?:\.{2,}|…)$/u.test(bare)) return next !== undefined && /^\p{Ll}/u.test(next) ? 'phrase' : 'sentence';
  if (bare.endsWith('.')) return isAbbreviation(bare.slice(0, -1), next) ? 'none' : 'sentence';
  if (/[;:—―；：]$/u.test(bare)) return 'phrase';
  if (/[,，、]$/u.test(bare)) return 'comma';
  return 'none';
}

function isAbbreviation(stem: string, next: string | undefined): boolean {
  if (next === undefined) return false;
  const word = stem.replace(/^["'‘“«([]+/u, '').toLowerCase();
  if (MAYBE_FINAL.has(word)) return !/^["'‘“(]*\p{Lu}/u.test(next);
  // "No. 5" is a number; "No. Five of them." is an answer.
  if (word === 'no') return /^\d/.test(next);
  if (/^\p{L}$/u.test(word)) return word !== 'i';
  return ABBREVIATIONS.has(word) || /^\d{1,3}$/.test(word);
}
