import { turnAt, turnStartMs } from '@microturn/protocol';
import type { DecodedWord, Decision, Perceived } from './types.js';
import { formsOf, namesOf } from './vocabulary.js';

/** Longer than this between the ends of two words, and the second begins another utterance. */
const UTTERANCE_GAP_MS = 1500;
/** Words of a note. */
const MAX_WORDS = 10;
/** Policy dropOldest, and first of those that ask for nothing that is to come. */
const MAX_NOTES = 4;
const MINUTE_S = 60;
const FIRST_AGE_S = 10;
/** Between two things; what is longer is told in whole minutes. */
const MAX_SECONDS = 99;
const LAST_AGE_S = 60 * MINUTE_S;
/** A reminder comes as much too early as this at most. */
const EARLY_S = 2;
/** And as much too late. */
const LATE_S = 2;
/** As long as a model may remember by itself what was called off. */
const CALLED_OFF_MS = 60_000;

type Age = Perceived & { readonly type: 'age' };

/** What the user said or typed last. */
interface Request {
  readonly words: readonly string[];
  /** Session ms. */
  readonly endMs: number;
}

/** The same, as it grows word by word. */
interface Utterance extends Request {
  /** Those that end with the last age which it names, if any: what is said after it may be more than a note holds. */
  readonly toAge: readonly string[] | undefined;
}

interface Note extends Request {
  /** The ages that it names. */
  readonly named: readonly number[];
  /** The age that is told next. */
  readonly nextS: number;
  /** The micro-turn in which it was noted, or told last. */
  readonly turn: number;
}

/** Notes as they are kept for another process: by the clock of their session, which goes on there. */
export interface NotesSaved {
  readonly notes: readonly (Request & Pick<Note, 'nextS' | 'turn'>)[];
  readonly spoken?: Utterance | undefined;
  readonly typed?: Utterance | undefined;
  readonly notedAny: boolean;
  readonly reminded: boolean;
  readonly calledOffTo: number;
}

/**
 * What one participant asked for, and how old it is. The model says what is noted and what its age means; here the
 * session's clock is counted for it, by the indexes of its decisions alone, beyond what it remembers itself.
 */
export class Notes {
  readonly #microTurnMs: number;
  readonly #same: ReadonlyMap<string, string> | undefined;
  /** What an age may be read as; nothing of a model that is not told what a note names. */
  readonly #forms: readonly { readonly age: number; readonly form: string }[];
  /** The same, to look up; and what a form may end with, and how many words the longest has. */
  readonly #isForm: ReadonlySet<string>;
  readonly #lastNames: ReadonlySet<string | undefined>;
  readonly #longest: number;
  /** In the order in which they were noted. */
  #notes: readonly Note[] = [];
  #spoken: Utterance | undefined;
  #typed: Utterance | undefined;
  #notedAny = false;
  /** Since the last note: what is reminded of more than once goes on until it is stopped. */
  #reminded = false;
  /** Until this micro-turn, or the next note, nothing is wanted but what is noted. */
  #calledOffTo = 0;

  /** @param same of a model that is told where a note has the words of its age: what it reads some forms as */
  constructor(microTurnMs: number, same?: Readonly<Record<string, string>>) {
    this.#microTurnMs = microTurnMs;
    const names = same && new Map(Object.entries(same));
    this.#same = names;
    this.#forms = names
      ? namedAges.flatMap((age) => ageForms(age).map((form) => ({ age, form: readAs(form, names) })))
      : [];
    this.#isForm = new Set(this.#forms.map(({ form }) => form));
    const forms = [...this.#isForm].map((form) => form.trim().split(' '));
    this.#lastNames = new Set(forms.map((form) => form.at(-1)));
    this.#longest = Math.max(0, ...forms.map((form) => form.length));
  }

  get saved(): NotesSaved {
    return {
      notes: this.#notes.map(({ words, endMs, nextS, turn }) => ({ words, endMs, nextS, turn })),
      spoken: this.#spoken,
      typed: this.#typed,
      notedAny: this.#notedAny,
      reminded: this.#reminded,
      calledOffTo: this.#calledOffTo,
    };
  }

  /** Takes up what another process had noted, before the first decision. What came due meanwhile is told after that. */
  takeUp({ notes, spoken, typed, notedAny, reminded, calledOffTo }: NotesSaved): void {
    this.#notes = notes.map((note) => ({ ...note, named: this.#agesIn(note.words) }));
    [this.#spoken, this.#typed] = [spoken, typed];
    [this.#notedAny, this.#reminded, this.#calledOffTo] = [notedAny, reminded, calledOffTo];
  }

  /**
   * A whole message that the model reads.
   * @param index the micro-turn that it begins to be fed to
   */
  typed(text: string, index: number): void {
    const words = formsOf(text);
    if (words.length === 0) return;
    const last = (end: number) => words.slice(Math.max(0, end - MAX_WORDS), end);
    // From its end, up to the age that it names last: as long as a message may be, nothing else waits for it.
    let end = words.length;
    while (end > 0 && !this.#endWithAge(last(end))) end--;
    const endMs = turnStartMs(index, this.#microTurnMs);
    this.#typed = { words: last(words.length), endMs, toAge: end > 0 ? last(end) : undefined };
  }

  /**
   * What of a decision is to be carried out, before it is taken: no reminder of what was called off, and none of a run that was stopped. A
   * model counts the seconds to the next one itself, and may be reminded by that of what it has cancelled.
   */
  heed(decision: Decision): Decision {
    const { acts, index } = decision;
    if (!acts.includes('remind') || index >= this.#calledOffTo || this.#isAwaited(index)) return decision;
    return { ...decision, acts: acts.filter((act) => act !== 'remind'), say: '' };
  }

  /**
   * Follows the decisions of a session, in order; indexes may be missing.
   * @returns what the model is to perceive before its next micro-turn: where something was noted, how long before it the others
   *   were; ages whose moment lies in that micro-turn; and those that a gap between the indexes left untold
   */
  take(decision: Pick<Decision, 'words' | 'acts' | 'index' | 'floor'>): Age[] {
    const { words, acts, index } = decision;
    for (const word of words) this.#hear(word);
    if (acts.includes('remind')) this.#drop(this.#remindedOf(index));
    if (acts.includes('cancel')) this.#drop(this.#same ? this.#waiting(index).at(-1) : this.#notes.at(-1));
    this.#follow(decision);
    const before = acts.includes('note') ? this.#note(index) : [];
    return [...before, ...this.#tell(index + 1)];
  }

  #follow({ acts, index, floor }: Pick<Decision, 'acts' | 'index' | 'floor'>): void {
    if (acts.includes('remind')) this.#reminded = true;
    // Who talks over the agent may want it silent, and the next reminder nevertheless: that is for the model to tell.
    const stops = this.#reminded && acts.includes('stop') && floor !== 'barge-in';
    const ends = stops || acts.includes('cancel');
    // A model that notes nothing is told nothing, and knows best.
    if (ends && this.#notedAny) this.#calledOffTo = index + turnAt(CALLED_OFF_MS, this.#microTurnMs);
  }

  /** Whether a note names an age that is to come, or came just now; of a model that is not told of those any note may be due. */
  #isAwaited(index: number): boolean {
    if (!this.#same) return this.#notes.length > 0;
    return this.#notes.some((note) => note.named.some((age) => this.#turnOf(note, age + LATE_S) > index));
  }

  #hear({ text, endMs }: DecodedWord): void {
    const goesOn = this.#spoken && endMs - this.#spoken.endMs <= UTTERANCE_GAP_MS;
    this.#spoken = this.#after(goesOn ? this.#spoken : undefined, text, endMs);
  }

  #after(before: Utterance | undefined, word: string, endMs: number): Utterance {
    const words = [...(before?.words ?? []), word].slice(-MAX_WORDS);
    return { words, endMs, toAge: this.#endWithAge(words) ? words : before?.toAge };
  }

  /** As `#agesIn(words, 'endsWith')` finds any, for a small part of what that takes: it is asked of each word. */
  #endWithAge(words: readonly string[]): boolean {
    if (!this.#same || !this.#lastNames.has(namesOf(words.at(-1)!, this.#same).at(-1))) return false;
    const names = namesOf(words.slice(-this.#longest).join(' '), this.#same);
    return names.some((_, first) => this.#isForm.has(` ${names.slice(first).join(' ')} `));
  }

  /** Its last words, but those before them where the last age would be cut: "two minutes" is no part of "twenty two minutes". */
  #request(): Request | undefined {
    const last = later(this.#spoken, this.#typed);
    if (!last) return undefined;
    const { words, endMs, toAge = words } = last;
    const named = this.#agesIn(words);
    const isWhole = this.#agesIn(toAge, 'endsWith').every((age) => named.includes(age));
    return { words: isWhole ? words : toAge, endMs };
  }

  #note(index: number): Age[] {
    const request = this.#request();
    // The model may say it twice, with something else in between.
    if (!request || this.#notes.some(({ endMs }) => endMs === request.endMs)) return [];
    const before = this.#notes.flatMap((note) => between(note, request) ?? []);
    const note = { ...request, named: this.#agesIn(request.words), nextS: FIRST_AGE_S, turn: index };
    while (note.nextS <= LAST_AGE_S && this.#turnOf(note, note.nextS) <= index) note.nextS = ageAfter(note);
    this.#notes = [...this.#notes, note];
    [this.#notedAny, this.#reminded, this.#calledOffTo] = [true, false, 0];
    if (this.#notes.length > MAX_NOTES) {
      const waiting = this.#waiting(index);
      this.#drop(this.#notes.find((one) => !waiting.includes(one)) ?? this.#notes[0]);
    }
    return before;
  }

  /** The ages that words name, as the model reads both; the longest, where the words of one are among those of another. */
  #agesIn(words: readonly string[], has: 'includes' | 'endsWith' = 'includes'): number[] {
    if (!this.#same) return [];
    const text = readAs(words.join(' '), this.#same);
    const found = this.#forms.filter(({ form }) => text[has](form));
    return found
      .filter(({ form }) => !found.some((other) => other.form !== form && other.form.endsWith(form)))
      .map(({ age }) => age);
  }

  /** Those that name an age which is to come. */
  #waiting(index: number): Note[] {
    return this.#notes.filter((note) => note.named.some((age) => this.#turnOf(note, age - EARLY_S) > index));
  }

  /**
   * The one whose time has come last, of a model that is told what a note names. Of any other what was asked for or told last, whichever
   * came later: an age or a fresh request is what a reminder follows from.
   */
  #remindedOf(index: number): Note | undefined {
    const since = (note: Note) => (this.#same ? this.#cameAt(note, index) : note.turn);
    const last = this.#notes.reduce<Note | undefined>((a, b) => (a && since(a) > since(b) ? a : b), undefined);
    return last && since(last) >= 0 ? last : undefined;
  }

  /** The last micro-turn in which an age that it names had nearly come; below 0 where none had. */
  #cameAt({ named, ...request }: Note, index: number): number {
    const turns = named.map((age) => this.#turnOf(request, age - EARLY_S));
    return Math.max(-1, ...turns.filter((turn) => turn <= index));
  }

  #drop(note: Note | undefined): void {
    this.#notes = this.#notes.filter((other) => other !== note);
  }

  /** @param turn the micro-turn that is decided next */
  #tell(turn: number): Age[] {
    const due: { readonly turn: number; readonly age: Age }[] = [];
    this.#notes = this.#notes.flatMap((note): Note[] => {
      let { nextS } = note;
      for (; nextS <= LAST_AGE_S && this.#turnOf(note, nextS) <= turn; nextS = ageAfter({ ...note, nextS })) {
        due.push({ turn: this.#turnOf(note, nextS), age: ageOf(note, nextS) });
      }
      // The last age is told, and the note is kept for as long as it may be answered: until there would be another.
      if (this.#turnOf(note, nextS) <= turn) return [];
      return [nextS === note.nextS ? note : { ...note, nextS, turn }];
    });
    return due.sort((a, b) => a.turn - b.turn).map(({ age }) => age);
  }

  /** The micro-turn in which a request is so old. */
  #turnOf({ endMs }: Request, seconds: number): number {
    return turnAt(endMs + 1000 * seconds, this.#microTurnMs);
  }
}

/**
 * An age as it is told, in digits and one form of the unit, and what else people say for it: how that is written is the vocabulary's. "In
 * minutes" is what is left of "in a minute" where the small word was not heard.
 */
export function ageForms(seconds: number): readonly [told: string, ...others: string[]] {
  if (seconds === MINUTE_S) return ['1 minutes', 'a minute', '60 seconds', 'in minutes'];
  return [seconds < MINUTE_S || seconds % MINUTE_S > 0 ? `${seconds} seconds` : `${seconds / MINUTE_S} minutes`];
}

/** Every second to a minute, and every minute to the last. */
const namedAges = [
  ...Array.from({ length: MINUTE_S - 1 }, (_, index) => index + 1),
  ...Array.from({ length: LAST_AGE_S / MINUTE_S }, (_, index) => MINUTE_S * (index + 1)),
];

/**
 * The one that is told after `nextS`: below a minute every ten seconds, and those that it names. "In twenty two seconds" is a matter of
 * 22: to count the last two is one more thing to go wrong.
 */
function ageAfter({ named, nextS }: Pick<Note, 'named' | 'nextS'>): number {
  const isTold = (age: number) => age % 10 === 0 || named.includes(age);
  return namedAges.find((age) => age > nextS && isTold(age)) ?? LAST_AGE_S + MINUTE_S;
}

/** Between spaces, so that no word is found within another. */
function readAs(text: string, same: ReadonlyMap<string, string>): string {
  return ` ${namesOf(text, same).join(' ')} `;
}

/** How long before `request` a note was; nothing where that is no time. */
function between(note: Note, request: Request): Age | undefined {
  const seconds = Math.round((request.endMs - note.endMs) / 1000);
  if (seconds < 1) return undefined;
  return ageOf(note, seconds <= MAX_SECONDS ? seconds : seconds - (seconds % MINUTE_S));
}

function ageOf({ words }: Request, seconds: number): Age {
  return { type: 'age', seconds, text: words.join(' ') };
}

function later(spoken: Utterance | undefined, typed: Utterance | undefined): Utterance | undefined {
  return spoken && typed ? (typed.endMs >= spoken.endMs ? typed : spoken) : (spoken ?? typed);
}
