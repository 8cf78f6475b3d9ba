import { MicroturnError } from '@microturn/protocol';
import type { BackgroundProvider, TaskBrief, TaskIo } from './provider.js';
import { nextPiece } from './speech-pieces.js';
import { calculate, isExpression } from './tools/calculator.js';
import { tellTime, zoneOf } from './tools/clock.js';
import type { DocumentSearch } from './tools/documents.js';

export interface EmbeddedProviderOptions {
  readonly documents: DocumentSearch | undefined;
  readonly wallMs: () => number;
}

/** Sentences of a passage that are said. */
const SENTENCES = 3;
const CANNOT =
  'I can only work out numbers, convert units and tell the time here. For other questions, add a language model to this edge, under llm.models in its configuration.';
const CANNOT_DOCUMENTS =
  'I found nothing about that in the documents. Without a language model I can only search them, work out numbers, convert units and tell the time. Add one under llm.models in the configuration.';

const CANNOT_SEE =
  'I cannot look at pictures here. For that, add a language model that takes images to this edge, under llm.models in its configuration.';

const asksTime = /\b(?:what(?:'s| is)? (?:the )?(?:time|date|day)|what time|which day|time is it|current time)\b/i;
const place = /\b(?:in|at|for)\s+([a-z][a-z_/ ]+?)(?:\s+(?:now|today|right now|please))*[?.!\s]*$/i;
const leadIn =
  /^(?:(?:hey|please|so|and|um|uh|okay)[,\s]+)*(?:what(?:'s| is| are)|how (?:much|many) (?:is|are)|how much|calculate|compute|work out|convert|solve|tell me)\s+/i;

/** Answers from the embedded tools alone, without any language model: what it cannot do, it says. */
export class EmbeddedProvider implements BackgroundProvider {
  readonly takesAudio = false;
  readonly #options: EmbeddedProviderOptions;

  constructor(options: EmbeddedProviderOptions) {
    this.#options = options;
  }

  async run({ task }: TaskBrief, io: TaskIo): Promise<void> {
    // The expressions below would try all the ways to cut a long row of spaces.
    const question = [task.prompt, ...task.amendments].join(' ').replaceAll(/\s+/g, ' ').trim();
    if (question === '') throw new MicroturnError('task/unheard');
    io.delta(task.images > 0 ? CANNOT_SEE : this.#answer(question));
  }

  #answer(question: string): string {
    if (asksTime.test(question)) return this.#time(question);
    const sum = toExpression(question);
    if (sum !== undefined) return `${sum.spoken} is ${calculate(sum.expression)}.`;
    const { documents } = this.#options;
    if (!documents) return CANNOT;
    const [best] = documents.search(question);
    if (!best) return CANNOT_DOCUMENTS;
    return `${firstSentences(best.text)}\nThat is from ${best.file}, under ${best.heading}.`;
  }

  #time(question: string): string {
    const where = place.exec(question)?.[1]?.trim() ?? 'UTC';
    const zone = zoneOf(where);
    if (zone === undefined) return `I do not know the time zone of ${where}.`;
    return tellTime(this.#options.wallMs(), zone, where);
  }
}

const spokenOperators: readonly (readonly [RegExp, string])[] = [
  [/\bplus\b/gi, '+'],
  [/\bminus\b/gi, '-'],
  [/\b(?:times|multiplied by)\b/gi, '*'],
  [/\b(?:divided by|over)\b/gi, '/'],
  [/\bto the power of\b/gi, '^'],
  [/\bsquared\b/gi, '^2'],
  [/\b(?:the )?square root of\s+([\d.]+)/gi, 'sqrt($1)'],
  [/\b([\d.]+)\s*(?:percent|%) of\b/gi, '$1 / 100 *'],
];

/** Nobody asks for a longer sum. */
const LONGEST_CHARS = 400;

/** The sum or conversion in a question, where it is one. */
function toExpression(question: string): { expression: string; spoken: string } | undefined {
  if (question.length > LONGEST_CHARS) return undefined;
  let text = question
    .trim()
    .replace(leadIn, '')
    .replace(/[?.!=\s]+$/, '');
  let spoken = text;
  // “how many km are 5 miles”, “how many feet in a mile”
  const turned =
    /^(?:how many\s+)?([a-z/ ]+?)\s+(?:are|is)?\s*(?:there\s+)?(?:in\s+)?(a|an|[\d.,]+)\s+([a-z/ ]+)$/i.exec(text);
  if (turned) {
    const [, to, count, from] = turned as unknown as [string, string, string, string];
    text = `${/^an?$/i.test(count) ? 1 : count} ${from} to ${to}`;
    spoken = `${count} ${from}`;
  }
  for (const [pattern, operator] of spokenOperators) text = text.replaceAll(pattern, operator);
  for (const expression of [text, text.replace(/\b(?:in|into)\b/i, 'to')]) {
    if (/\d/.test(expression) && isExpression(expression)) return { expression, spoken };
  }
  return undefined;
}

function firstSentences(text: string): string {
  let at = 0;
  for (let i = 0; i < SENTENCES; i++) at = nextPiece(text, at, true)?.toChar ?? at;
  return text.slice(0, at);
}
