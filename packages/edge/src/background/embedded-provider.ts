import { MicroturnError } from '@microturn/protocol';
import type { BackgroundProvider, TaskBrief, TaskIo } from './provider.js';
import { calculate, isExpression } from './tools/calculator.js';
import { ownZone, placeOf, tellTime, zoneOf } from './tools/clock.js';
import type { DocumentSearch } from './tools/documents.js';

export interface EmbeddedProviderOptions {
  readonly documents: DocumentSearch | undefined;
  readonly wallMs: () => number;
  /** Of the time where no place is named; the edge's own unless given. */
  readonly timeZone?: string;
}

const CAN = 'tell the time, work out sums and convert units';
const CAN_WITH_DOCUMENTS = 'tell the time, work out sums, convert units and look up topics in the documents';
const CANNOT_SEE = 'I cannot look at pictures without a language model that takes them.';

/** Of now: when something opens is another question. */
const asksTime =
  /\b(?:(?:time|date|day) is it|(?:what(?:'s| is)|tell me) (?:the |today's )?(?:current )?(?:time|date|day)(?: is it)?(?=[?.!\s]*$| (?:now|today|please|in|at|right)\b)|(?:what|which) day is (?:it|today)|current time)\b|^what time[?.!\s]*$/i;
const greets =
  /^(?:hi|hello|hey|howdy|greetings|good (?:morning|afternoon|evening|day))(?: (?:there|again|everyone|all))?(?:[,.!]+ *| +|$)/i;
/** What needs no answer but one of its kind. */
const smallTalk: readonly (readonly [RegExp, string])[] = [
  [/^how (?:are|do) you(?: do| doing)?(?: today)?[?.! ]*$/i, 'I am well, thank you.'],
  [/^(?:thanks|thank you|cheers)(?: (?:a lot|so much|very much|again))?[?.! ]*$/i, 'You are welcome.'],
  [/^(?:bye|goodbye|bye bye|good night|see you(?: later| soon)?)[?.! ]*$/i, 'Goodbye.'],
];
const asksWhatItCan =
  /^(?:help(?: me)?|what can (?:you|i|we) (?:do|ask)(?: here)?(?: you)?)[?.! ]*$|^(?:who|what|which)\b.{0,40} are you[?.! ]*$|^(?:who|what) are you[?.! ]*$/i;
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

  #answer(said: string): string {
    const greeting = greets.exec(said)?.[0] ?? '';
    const question = said.slice(greeting.length);
    const can = this.#options.documents ? CAN_WITH_DOCUMENTS : CAN;
    if (question === '') return `Hello! I can ${can}.`;
    const answered = smallTalk.find(([pattern]) => pattern.test(question))?.[1];
    if (answered !== undefined) return answered;
    if (asksWhatItCan.test(question)) return `I can ${can}.`;
    if (asksTime.test(question)) return this.#time(question);
    const sum = toExpression(question);
    if (sum !== undefined) return `${sum.spoken} is ${calculate(sum.expression)}.`;
    const quote = this.#options.documents?.quote(question);
    if (!quote) return `I have no answer to that: without a language model I can only ${can}.`;
    return `${quote.text}\nThat is from ${quote.file}, under ${quote.heading}.`;
  }

  #time(question: string): string {
    const { wallMs, timeZone = ownZone() } = this.#options;
    const where = place.exec(question)?.[1]?.trim();
    if (where === undefined) return tellTime(wallMs(), timeZone, placeOf(timeZone));
    const zone = zoneOf(where);
    if (zone === undefined) return `I do not know the time zone of ${where}.`;
    return tellTime(wallMs(), zone, where);
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
