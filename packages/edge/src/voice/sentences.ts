import { MicroturnError } from '@microturn/protocol';
import { MAX_TEXT_CHARS, plainText } from './clauses.js';
import { NothingToSay } from './nothing-to-say.js';

/** A sentence as a voice of any language is given it. */
export interface Sentence {
  readonly text: string;
  readonly words: readonly string[];
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'sentence' });
/** Longer ones are cut at a space: what is asked for at once cannot be stopped before it is paid for. */
const LONGEST_CHARS = 280;

/**
 * Splits text into sentences, for voices that know how to read it: marks and tags are taken out, nothing else is changed.
 * @throws {MicroturnError} `voice/failed` where the text is too long or has no letter or number
 */
export function splitSentences(text: string): Sentence[] {
  if (text.length > MAX_TEXT_CHARS) {
    throw new MicroturnError('voice/failed', `expected at most ${MAX_TEXT_CHARS} characters, got ${text.length}`);
  }
  const sentences: Sentence[] = [];
  for (const { segment } of segmenter.segment(plainText(text))) {
    let words: string[] = [];
    for (const word of segment.split(/\s+/).filter(Boolean)) {
      if ([...words, word].join(' ').length > LONGEST_CHARS && words.length > 0) {
        sentences.push(toSentence(words));
        words = [];
      }
      words.push(word);
    }
    if (/[\p{L}\p{N}]/u.test(words.join(''))) sentences.push(toSentence(words));
  }
  if (sentences.length === 0) throw new NothingToSay();
  return sentences;
}

function toSentence(words: readonly string[]): Sentence {
  return { text: words.join(' '), words };
}
