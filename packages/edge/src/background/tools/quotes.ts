import { toSpeech } from '../speech-pieces.js';

/** What is looked through for something to say. */
export interface QuotedPassage {
  readonly file: string;
  readonly heading: string;
  readonly text: string;
}

export interface Quote {
  readonly file: string;
  readonly heading: string;
  /** One or two whole sentences, as they are said. */
  readonly text: string;
}

/** Of what a question is about, weighed by how rare each word is in the documents: this much must be there. */
const COVERED = 0.75;
/** And this much in the sentence itself, without the heading above it. */
const SAID = 0.6;
/** What it is worth that a sentence begins with what was asked for: of others that have as much of it, it comes first. */
const BEGINS = 0.1;
/** A sentence that takes longer to say is none to be listened to, nor are two that do together. */
const SENTENCE_CHARS = 220;
const QUOTE_CHARS = 300;
/** Of a passage that has no paragraphs. */
const PASSAGE_CHARS = 4000;
/** Figures in a sentence that can still be listened to, and the share of its words that are words. */
const FIGURES = 2;
const WORDS = 0.85;
/** Ask for something, and say nothing of what. */
const QUESTION_WORDS = new Set(
  'a about an and any are as at be been being by can could did do does doing for from get give go going had happen happens has have how i if in into is it its just know let like many me much my of on or our please say should show so some tell than that the their them there these they this those time to us use used using want was we were what when where which who whom whose why will with work works would you your'.split(
    ' ',
  ),
);

const asksWhatItIs = /\b(?:what(?:['’]s|\s+(?:is|are|was|were))|what\s+does\s.*\bmean)\b/i;
/** “How an edge is …” is about something else than what an edge is. */
const asksFirst = /^(?:how|if|what|when|where|whether|which|who|why)\b/i;
/** Said alone, nobody knows what it is about. */
const leansOnOthers =
  /\b(?:above|below|following)\b|^(?:it|its|they|their|them|he|she|his|her|this|that|these|those|such|then|there|here|so|but|and|or|nor|else|also|both|neither|otherwise|instead|for that|to (?:each|that|this|them|it))\b/i;

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/** Finds what can be said of a question out of a text, and nothing where that is no answer. */
export class Quotes {
  readonly #passages: number;
  /** In how many passages a word is. */
  readonly #counts = new Map<string, number>();

  constructor(passages: readonly QuotedPassage[]) {
    this.#passages = passages.length;
    for (const { heading, text } of passages) {
      for (const stem of stemsOf(`${heading} ${text}`)) this.#counts.set(stem, (this.#counts.get(stem) ?? 0) + 1);
    }
  }

  /** @param candidates passages that may have it, best first */
  find(question: string, candidates: readonly QuotedPassage[]): Quote | undefined {
    const asked = [...stemsOf(question)];
    if (asked.length === 0) return undefined;
    const definition = asksWhatItIs.test(question);
    let best: { score: number; passage: QuotedPassage; sentences: readonly Sentence[]; at: number } | undefined;
    for (const passage of candidates) {
      const heading = stemsOf(passage.heading);
      const sentences = toSentences(passage.text);
      for (const [at, { spoken, stems }] of sentences.entries()) {
        if (!isSpeakable(spoken) || leansOnOthers.test(spoken)) continue;
        const covered = this.#share(asked, (stem) => stems.has(stem) || heading.has(stem));
        const said = this.#share(asked, (stem) => stems.has(stem));
        if (covered < COVERED || said < SAID) continue;
        const topic = this.#share(asked, (stem) => heading.has(stem));
        const begins = beginsWith(spoken, asked);
        const about = definition
          ? isDefinition(spoken, asked, heading)
          : isAbout(asked.length, { covered, said, topic, begins });
        if (!about) continue;
        // Of two that have all of it, the one that says it first is the answer.
        const score = covered + said + topic + (begins ? BEGINS : 0);
        if (!best || score > best.score) best = { score, passage, sentences, at };
      }
    }
    if (!best) return undefined;
    const { file, heading } = best.passage;
    const [{ spoken: first }, next] = best.sentences.slice(best.at) as [Sentence, Sentence?];
    const more = next?.paragraph === best.sentences[best.at]!.paragraph && isSpeakable(next.spoken);
    const both = `${first} ${next?.spoken}`;
    return { file, heading: toSpeech(heading), text: more && both.length <= QUOTE_CHARS ? both : first };
  }

  #share(asked: readonly string[], has: (stem: string) => boolean): number {
    const weight = (stem: string) => Math.log(1 + this.#passages / (this.#counts.get(stem) ?? 0.5));
    const sum = (stems: readonly string[]) => stems.reduce((total, stem) => total + weight(stem), 0);
    return sum(asked.filter(has)) / sum(asked);
  }
}

interface Sentence {
  readonly spoken: string;
  readonly stems: ReadonlySet<string>;
  readonly paragraph: number;
}

/** The sentences of its prose: no code, no tables, no mark-up. */
function toSentences(text: string): Sentence[] {
  const prose = text.slice(0, PASSAGE_CHARS).replaceAll(/^```[\s\S]*?(?:^```|$(?![\s\S]))/gm, '\n\n');
  // A point of a list is a paragraph; a line of a paragraph goes on with the next one.
  const paragraphs = prose.split(/\n\s*\n|\n(?=\s*(?:[-*+•]|\d+[.)])\s)/);
  return paragraphs.flatMap((paragraph, index) => {
    if (/^\s*\|/m.test(paragraph)) return [];
    const line = paragraph.trim().replaceAll(/\s*\n\s*/g, ' ');
    return [...segmenter.segment(line)].map(({ segment }) => {
      const spoken = toSpeech(segment.replace(/^\d+[.)]\s+/, ''));
      return { spoken, stems: stemsOf(spoken), paragraph: index };
    });
  });
}

/** Whole, short, and of words. */
function isSpeakable(spoken: string): boolean {
  if (spoken.length > SENTENCE_CHARS || !/^["“'(]?[\p{Lu}\p{Lo}\p{N}].*[.!?]["”')]*$/u.test(spoken)) return false;
  if (/[{}<>=\\|_@#]|\S\/\S*\/|[a-z]\/[a-z]|\w\.[a-z]{2,4}\b/.test(spoken)) return false;
  const tokens = spoken.split(' ');
  const words = tokens.filter((token) => /^["“'(]*[\p{L}][\p{L}'’\p{Pd}]*["”').,;:!?]*$/u.test(token));
  const figures = tokens.filter((token) => /\d/.test(token));
  return tokens.length > 2 && words.length / tokens.length >= WORDS && figures.length <= FIGURES;
}

/** Words in common may be by chance: this is whether the sentence is about what was asked. All shares are of its weight. */
function isAbout(
  words: number,
  { covered, said, topic, begins }: Record<'covered' | 'said' | 'topic', number> & { begins: boolean },
): boolean {
  if (begins) return true;
  if (words === 1) return false;
  if (words === 2) return topic === 1 || (topic > 0 && said === 1);
  return topic > 0 || covered === 1;
}

/** “A ticket is …”, to one who asks what a ticket is: what the sentence does not name, its heading does. */
function isDefinition(spoken: string, asked: readonly string[], heading: ReadonlySet<string>): boolean {
  const [, subject] = /^(?:an?|the)?\s*(.{1,60}?)\s(?:is|are|was|were|means?)\s/i.exec(spoken) ?? [];
  if (subject === undefined || asksFirst.test(subject)) return false;
  const named = stemsOf(subject);
  return (
    named.size > 0 &&
    [...named].every((stem) => asked.includes(stem)) &&
    asked.every((stem) => named.has(stem) || heading.has(stem))
  );
}

/** Whether what was asked for stands at the beginning of a sentence. */
function beginsWith(spoken: string, asked: readonly string[]): boolean {
  const first = new Set([...stemsOf(spoken)].slice(0, asked.length));
  return asked.every((stem) => first.has(stem));
}

/** What a text is about: its words, without their endings, in order. */
function stemsOf(text: string): ReadonlySet<string> {
  const words =
    text
      .toLowerCase()
      .replaceAll(/['’]s\b/g, '')
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(words.filter((word) => !QUESTION_WORDS.has(word)).map(toStem));
}

function toStem(word: string): string {
  const stem = word.replace(/(?:ies|y)$/, 'i').replace(/(?:ing|ed|es|e|(?<!s)s)$/, '');
  return stem.length < 3 ? word : stem;
}
