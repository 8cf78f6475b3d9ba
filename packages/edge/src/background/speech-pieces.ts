/** One sentence of a result, as it is said. */
export interface SpeechPiece {
  /** Where it ends in the result. */
  readonly toChar: number;
  /** Without what only an eye can read; empty where nothing is left to say. */
  readonly spoken: string;
}

/** A sentence that is longer is said in parts. */
const LONGEST_CHARS = 240;
/** A full stop inside a number or a name ends nothing: a space must follow. */
const SENTENCE_END = /[.!?…:;]["')\]]*(?=\s)|\n+/g;

/**
 * The next sentence of a result that is still being written.
 * @param complete the result has come to its end: what is left is a sentence too
 */
export function nextPiece(text: string, fromChar: number, complete: boolean): SpeechPiece | undefined {
  if (fromChar >= text.length) return undefined;
  const rest = text.slice(fromChar, fromChar + LONGEST_CHARS);
  SENTENCE_END.lastIndex = 0;
  for (let match = SENTENCE_END.exec(rest); match; match = SENTENCE_END.exec(rest)) {
    const length = match.index + match[0].length;
    if (rest.slice(0, length).trim() !== '') return piece(text, fromChar, length);
  }
  if (rest.length === LONGEST_CHARS) {
    const space = rest.lastIndexOf(' ');
    return piece(text, fromChar, space > 0 ? space : rest.length);
  }
  return complete ? piece(text, fromChar, rest.length) : undefined;
}

function piece(text: string, fromChar: number, length: number): SpeechPiece {
  const toChar = fromChar + length;
  return { toChar, spoken: toSpeech(text.slice(fromChar, toChar)) };
}

/** Text as it is read out: no mark-up, no addresses; nothing where no word is left, for a voice refuses a smile alone. */
export function toSpeech(text: string): string {
  const spoken = text
    .replaceAll(/```\w*/g, ' ')
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/https?:\/\/\S+/g, 'a link')
    .replaceAll(/^\s*(?:[-*+•>]|#{1,6})\s+/gm, '')
    .replaceAll(/[*_`|~]+/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/ ([.,;:!?])/g, '$1')
    .trim();
  return /[\p{L}\p{N}]/u.test(spoken) ? spoken : '';
}

/** What any voice leaves of a text, by which what was heard is compared with what was to be said. */
export function letters(text: string): string {
  return text.normalize('NFKD').replaceAll(/[^\p{L}\p{N}]+/gu, '');
}
