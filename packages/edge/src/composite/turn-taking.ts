import type { DropReason, Floor, SessionEvent, SessionEventBody } from '@microturn/protocol';
import type { Act, DecodedWord, Decision } from '../engine/types.js';
import { fits, isPrefix, plainWords, readDraft, type Draft } from './draft.js';
import { emptyHistory, followHistory, turnsOf, userSaid, type HeardHistory } from './heard-history.js';
import { speakableTo } from './speakable.js';
import type { Composed, CompositeEffect, Speech, TurnTakingOptions } from './types.js';

/** What the user is saying, from the first micro-turn of it until it is answered or turns out to be nothing. */
interface Utterance {
  readonly id: number;
  readonly floor: Floor;
  /** End of the last micro-turn in which they spoke. */
  readonly spokenToMs: number;
  /** End of the micro-turn that holds the end of their speech: words up to here are all of them. */
  readonly wordsDueMs: number;
  /** Micro-turns in a row in which they did not hold the floor, or held it in silence. */
  readonly yieldedTurns: number;
  readonly holdingTurns: number;
  readonly yieldedAtMs: number | undefined;
  readonly words: readonly string[];
  /** Of `words`, those that a transcriber will not take back. */
  readonly stable: number;
  readonly coveredMs: number;
  readonly coveredAtMs: number;
  /** Words that were passed on to the transcript. */
  readonly told: number;
  readonly drafts: number;
  /** "Mm-hm" was said in this pause, or something was thrown in: once is enough. */
  readonly interjected: boolean;
}

/** A draft that was committed, and is being said. */
interface Answer {
  readonly draft: Draft;
  readonly drafted: boolean;
  /** Characters of its text that were given to be said. */
  readonly said: number;
  readonly saidAll: boolean;
  readonly responseId: string | undefined;
  readonly spokenToMs: number;
  readonly yieldedAtMs: number;
  readonly wordsAtMs: number;
  readonly saidAtMs: number | undefined;
}

export interface TurnTaking {
  readonly options: TurnTakingOptions;
  readonly utterance: Utterance | undefined;
  /** Sound up to here belonged to an earlier utterance. */
  readonly heardToMs: number;
  /** Oldest first. Each answers words that may still turn out to be all. */
  readonly drafts: readonly Draft[];
  /** Until it was heard, or cut. */
  readonly answer: Answer | undefined;
  /** What is being said is cut with the next decision, and nothing is said before. */
  readonly stopDue: boolean;
  readonly history: HeardHistory;
  readonly typed: ReadonlyMap<string, string>;
  /** When drafts may be asked again: each moves it on. */
  readonly draftDueMs: number;
  readonly budget: { readonly sinceMs: number; readonly tokens: number };
  readonly count: number;
}

export type TurnTakingInput =
  | { type: 'decision'; atMs: number; decision: Decision }
  /** What is known of the words of an utterance: all of them, each time. */
  | {
      type: 'words';
      atMs: number;
      utterance: number;
      words: readonly string[];
      stable: number;
      coveredMs: number;
    }
  | { type: 'draft.text'; atMs: number; draftId: string; text: string }
  | { type: 'draft.done'; atMs: number; draftId: string }
  | { type: 'draft.failed'; atMs: number; draftId: string }
  /** What a draft has cost, whatever became of it. */
  | { type: 'spent'; atMs: number; tokens: number }
  /** A message that the user sent by hand, or, without `sent`, what stands in a field of theirs now. */
  | { type: 'typed'; atMs: number; field: string; text: string; sent: boolean }
  | { type: 'event'; event: SessionEvent }
  /** The first packet of a response left. */
  | { type: 'speech-started'; responseId: string; atMs: number };

export interface TurnTakingStep {
  readonly state: TurnTaking;
  readonly effects: readonly CompositeEffect[];
  /** Of a decision: what to pass on. Of anything else: what is to be said before the next one. */
  readonly composed: Composed;
}

/** Sound before the first micro-turn that the floor calls speech: a soft beginning may be in the one before. */
const LEAD_MS = 400;
/** Words that are later than this are done without: a silent agent is worse than one that missed a word. */
const WORDS_LATE_MS = 2500;
/** A floor that says nothing of a user who spoke has given it up as well, without saying so. */
const SILENT_TURNS = 3;
const KEPT_DRAFTS = 3;
/** Fewer words are not worth a draft while they are still being said. */
const FEW_WORDS = 3;
const BURST = 2;
const MINUTE_MS = 60_000;
const KEPT_FIELDS = 8;

export function startTurnTaking(options: TurnTakingOptions): TurnTaking {
  return {
    options,
    utterance: undefined,
    heardToMs: 0,
    drafts: [],
    answer: undefined,
    stopDue: false,
    history: emptyHistory,
    typed: new Map(),
    draftDueMs: 0,
    budget: { sinceMs: 0, tokens: 0 },
    count: 0,
  };
}

/** The one reducer of the composite: pure, so that drafting and committing can be tested without an LLM or a clock. */
export function stepTurnTaking(state: TurnTaking, input: TurnTakingInput): TurnTakingStep {
  const step = new StepBuilder(state);
  switch (input.type) {
    case 'decision':
      decide(step, input.decision, input.atMs);
      break;
    case 'words':
      noteWords(step, input);
      break;
    case 'draft.text':
      step.changeDraft(input.draftId, (draft) => ({
        ...draft,
        text: draft.text + input.text,
        firstAtMs: draft.firstAtMs ?? input.atMs,
      }));
      sayMore(step, input.atMs);
      break;
    case 'draft.done':
      step.changeDraft(input.draftId, (draft) => ({ ...draft, done: true }));
      sayMore(step, input.atMs);
      break;
    case 'draft.failed':
      fail(step, input.draftId, input.atMs);
      break;
    case 'spent':
      step.spend(input.atMs, input.tokens);
      break;
    case 'typed':
      noteTyped(step, input);
      break;
    case 'event':
      follow(step, input.event);
      break;
    case 'speech-started':
      measure(step, input);
      break;
    default:
      return input satisfies never;
  }
  return step.result();
}

const SPEAKS: ReadonlySet<Floor> = new Set(['speaking', 'correcting', 'barge-in']);

function decide(step: StepBuilder, decision: Decision, atMs: number): void {
  const { microTurnMs } = step.state.options;
  const fromMs = decision.index * microTurnMs;
  const toMs = fromMs + microTurnMs;
  // The brain is the LLM: of what the bundle would do by itself, only what concerns the floor is passed on.
  step.acts = decision.acts.filter((act) => act !== 'remind');
  if (step.state.stopDue) {
    step.acts = [...new Set<Act>(['stop', ...step.acts])];
    step.set({ stopDue: false });
  } else if (decision.acts.includes('stop')) step.withdraw();
  if (SPEAKS.has(decision.floor)) speaks(step, decision.floor, fromMs, toMs);
  else if (step.state.utterance) pauses(step, step.state.utterance, decision.floor, toMs, atMs);
  if (step.state.utterance) step.run({ do: 'hear', utterance: step.state.utterance.id, toMs });
  if (step.state.utterance?.wordsDueMs === toMs) {
    step.run({ do: 'settle', utterance: step.state.utterance.id, toMs });
  }
  tellWords(step, atMs);
  interject(step, decision, atMs);
  settle(step, atMs);
  draft(step, atMs);
  sayMore(step, atMs);
}

function speaks(step: StepBuilder, floor: Floor, fromMs: number, toMs: number): void {
  // They go on before anything of the answer was said: it was an answer to half of what they want.
  if (step.state.answer && step.state.answer.said === 0) step.withdraw();
  const { utterance } = step.state;
  if (!utterance) {
    const id = step.next();
    step.set({
      utterance: {
        id,
        floor,
        spokenToMs: toMs,
        wordsDueMs: Infinity,
        yieldedTurns: 0,
        holdingTurns: 0,
        yieldedAtMs: undefined,
        words: [],
        stable: 0,
        coveredMs: 0,
        coveredAtMs: 0,
        told: 0,
        drafts: 0,
        interjected: false,
      },
    });
    step.run({ do: 'listen', utterance: id, fromMs: Math.max(step.state.heardToMs, fromMs - LEAD_MS) });
    return;
  }
  step.set({
    utterance: {
      ...utterance,
      floor,
      spokenToMs: toMs,
      wordsDueMs: Infinity,
      yieldedTurns: 0,
      holdingTurns: 0,
      yieldedAtMs: undefined,
    },
  });
}

function pauses(step: StepBuilder, before: Utterance, floor: Floor, toMs: number, atMs: number): void {
  if (floor === 'elsewhere') {
    step.forget(before);
    return;
  }
  const gave = floor === 'yielded' || floor === 'silent';
  const utterance: Utterance = {
    ...before,
    floor,
    wordsDueMs: Math.min(before.wordsDueMs, toMs),
    yieldedTurns: gave ? before.yieldedTurns + 1 : 0,
    holdingTurns: floor === 'holding' ? before.holdingTurns + 1 : 0,
  };
  step.set({
    utterance: { ...utterance, yieldedAtMs: before.yieldedAtMs ?? (isTurn(step, utterance) ? atMs : undefined) },
  });
}

/** Whether it is the agent's turn, as far as the app lets the bundle decide. */
function isTurn({ state }: StepBuilder, { floor, yieldedTurns, holdingTurns }: Utterance): boolean {
  switch (state.options.eagerness) {
    case 'patient':
      return yieldedTurns >= (floor === 'yielded' ? 2 : 2 * SILENT_TURNS);
    case 'normal':
      return floor === 'yielded' || yieldedTurns >= SILENT_TURNS;
    case 'eager':
      return floor === 'yielded' || yieldedTurns >= SILENT_TURNS || holdingTurns >= 2;
    default:
      return state.options.eagerness satisfies never;
  }
}

function noteWords(step: StepBuilder, input: TurnTakingInput & { type: 'words' }): void {
  const { utterance } = step.state;
  if (utterance?.id !== input.utterance || input.coveredMs < utterance.coveredMs) return;
  const { words, stable, coveredMs, atMs } = input;
  step.set({
    utterance: { ...utterance, words, stable, coveredMs, coveredAtMs: atMs },
  });
  const plain = plainWords(words);
  for (const one of step.state.drafts) if (!isPrefix(one.on, plain)) step.drop(one, 'revised');
  settle(step, atMs);
  draft(step, atMs);
  sayMore(step, atMs);
}

/** Passes words on that will not change any more, as a transcript. */
function tellWords(step: StepBuilder, atMs: number): void {
  const { utterance } = step.state;
  if (!utterance) return;
  tell(step, utterance, Math.min(utterance.stable, utterance.words.length), atMs);
}

function tell(step: StepBuilder, utterance: Utterance, upTo: number, atMs: number): void {
  if (upTo <= utterance.told) return;
  const endMs = Math.min(utterance.coveredMs, atMs);
  // When a word ended is known to the clip it was first read in, and no closer: transcribers give no times.
  step.words.push(...utterance.words.slice(utterance.told, upTo).map((text) => ({ text, endMs, confidence: 1 })));
  step.set({ utterance: { ...utterance, told: upTo } });
}

/** The user has yielded and their words are there: the draft that fits is the answer, or a new one is asked for. */
function settle(step: StepBuilder, atMs: number): void {
  const { utterance } = step.state;
  const yieldedAtMs = utterance?.yieldedAtMs;
  if (!utterance || yieldedAtMs === undefined) return;
  const late = atMs - yieldedAtMs > WORDS_LATE_MS;
  if (utterance.coveredMs < utterance.wordsDueMs && !late) return;
  tell(step, utterance, utterance.words.length, atMs);
  const { words, spokenToMs, coveredAtMs } = step.state.utterance!;
  const plain = plainWords(words);
  const fitting = step.state.drafts.findLast((one) => fits(one.on, plain));
  for (const one of step.state.drafts) if (one !== fitting) step.drop(one, fitting ? 'superseded' : 'revised');
  step.close(utterance);
  step.set({ drafts: [] });
  // A cough, or the end of a word that was answered already.
  if (plain.length === 0) return;
  const answering = step.state.answer !== undefined;
  const chosen = fitting ?? (answering ? undefined : step.ask(words, atMs, false));
  step.set({ history: userSaid(step.state.history, words.join(' ')) });
  if (!chosen) return;
  if (answering) {
    // They spoke under an answer that the bundle did not stop: it goes on, and what they said is remembered.
    step.drop(chosen, 'superseded');
    return;
  }
  const drafted = fitting !== undefined;
  step.set({ answer: newAnswer(chosen, { drafted, spokenToMs, yieldedAtMs, wordsAtMs: coveredAtMs }) });
  if (fitting) step.committed(chosen, atMs);
}

/** While the user holds the floor: "mm-hm" into a pause, or what cannot wait. */
function interject(step: StepBuilder, { floor, acts }: Decision, atMs: number): void {
  const { utterance, answer, options } = step.state;
  if (!utterance || utterance.interjected || answer || utterance.yieldedAtMs !== undefined) return;
  const pause = floor === 'holding' || acts.includes('commit');
  const letsIn = pause || (floor === 'speaking' && options.eagerness === 'eager');
  const one = step.state.drafts.at(-1);
  const read = one && readDraft(one);
  if (!read || read.kind === 'reply' || read.kind === 'silence') return;
  if (read.kind === 'backchannel' ? !pause || !one.done : !letsIn) return;
  step.set({ utterance: { ...utterance, interjected: true } });
  if (read.kind === 'backchannel') {
    step.committed(one, atMs);
    step.set({ drafts: step.state.drafts.filter((other) => other !== one) });
    step.acts = [...step.acts, 'backchannel'];
    step.speech = { say: read.text, kind: 'backchannel', more: false };
    return;
  }
  // What was said so far is answered; what they say now, under it or after it, is another utterance.
  step.set({ history: userSaid(step.state.history, utterance.words.join(' ')) });
  for (const other of step.state.drafts) if (other !== one) step.drop(other, 'superseded');
  tell(step, step.state.utterance!, utterance.words.length, atMs);
  step.close(utterance);
  step.set({
    drafts: [],
    answer: newAnswer(one, {
      drafted: true,
      spokenToMs: utterance.spokenToMs,
      yieldedAtMs: atMs,
      wordsAtMs: utterance.coveredAtMs,
    }),
  });
  step.committed(one, atMs);
}

/** Asks for a draft where the words are new, and rate and money allow it. */
function draft(step: StepBuilder, atMs: number): void {
  const { utterance, options, drafts, draftDueMs } = step.state;
  const { enabled, everyMs, perUtterance, tokensPerMinute } = options.drafting;
  if (!enabled || !utterance || utterance.yieldedAtMs !== undefined || step.state.answer) return;
  if (utterance.drafts >= perUtterance || draftDueMs - atMs > (BURST - 1) * everyMs) return;
  if (step.spentAt(atMs) >= tokensPerMinute) return;
  const plain = plainWords(utterance.words);
  const newest = drafts.at(-1);
  if (plain.length < (SPEAKS.has(utterance.floor) ? FEW_WORDS : 1)) return;
  if (newest && fits(newest.on, plain)) return;
  while (step.state.drafts.length >= KEPT_DRAFTS) step.drop(step.state.drafts[0]!, 'superseded');
  // One that is being written to fewer words is the best there is until this one is.
  for (const one of step.state.drafts.slice(0, -1)) if (!one.done) step.drop(one, 'superseded');
  const asked = step.ask(utterance.words, atMs, true);
  step.set({
    drafts: [...step.state.drafts, asked],
    utterance: { ...step.state.utterance!, drafts: utterance.drafts + 1 },
    draftDueMs: Math.max(draftDueMs, atMs) + everyMs,
  });
}

/** What can be said of the answer now. */
function sayMore(step: StepBuilder, atMs: number): void {
  const { answer, stopDue } = step.state;
  if (!answer || answer.saidAll || stopDue || step.speech) return;
  const read = readDraft(answer.draft);
  if (read?.kind === 'silence') {
    step.set({ answer: undefined });
    return;
  }
  const said = read ? speakableTo(read.text, answer.said, answer.draft.done) : 0;
  const say = read ? read.text.slice(answer.said, said).trim() : '';
  step.speech = { say, kind: read?.kind ?? 'reply', more: !answer.draft.done };
  step.set({
    answer: {
      ...answer,
      said,
      saidAll: answer.draft.done,
      saidAtMs: answer.saidAtMs ?? (say === '' ? undefined : atMs),
    },
  });
}

function fail(step: StepBuilder, draftId: string, atMs: number): void {
  const one = step.state.drafts.find(({ id }) => id === draftId);
  if (one) {
    step.dropped(one, 'failed');
    step.set({ drafts: step.state.drafts.filter((other) => other !== one) });
  }
  const { answer } = step.state;
  if (answer?.draft.id !== draftId) return;
  // What there is of it is said, and no more; of nothing, nothing is.
  step.set({ answer: readDraft(answer.draft) ? { ...answer, draft: { ...answer.draft, done: true } } : undefined });
  sayMore(step, atMs);
}

function noteTyped(step: StepBuilder, { field, text, sent, atMs }: TurnTakingInput & { type: 'typed' }): void {
  const typed = new Map(step.state.typed);
  typed.delete(field);
  if (!sent) {
    if (text !== '') typed.set(field, text);
    for (const oldest of typed.keys()) {
      if (typed.size <= KEPT_FIELDS) break;
      typed.delete(oldest);
    }
    step.set({ typed });
    return;
  }
  step.set({ typed });
  // A message is an utterance that is complete, and takes the floor from an answer to an older one.
  if (step.state.answer) step.set({ stopDue: step.state.answer.said > 0 });
  step.withdraw();
  const asked = step.ask([text], atMs, false);
  step.set({
    history: userSaid(step.state.history, text),
    answer: newAnswer(asked, { drafted: false, spokenToMs: atMs, yieldedAtMs: atMs, wordsAtMs: atMs }),
  });
}

function follow(step: StepBuilder, event: SessionEvent): void {
  step.set({ history: followHistory(step.state.history, event) });
  const { answer } = step.state;
  if (!answer) return;
  if (event.type === 'response.started' && answer.said > 0 && answer.responseId === undefined) {
    if (event.kind === 'reply' || event.kind === 'interjection') {
      step.set({ answer: { ...answer, responseId: event.responseId } });
    }
  } else if (
    (event.type === 'response.completed' || event.type === 'response.interrupted') &&
    event.responseId === answer.responseId
  ) {
    step.withdraw();
  }
}

/** Where the time went between the end of the user's speech and the first packet of the answer. */
function measure(step: StepBuilder, { responseId, atMs }: TurnTakingInput & { type: 'speech-started' }): void {
  const { answer } = step.state;
  if (answer?.responseId !== responseId || answer.saidAtMs === undefined) return;
  const { spokenToMs, yieldedAtMs, wordsAtMs, saidAtMs, drafted } = answer;
  const readyAtMs = Math.max(yieldedAtMs, wordsAtMs);
  step.emit({
    type: 'response.latency',
    responseId,
    drafted,
    floorMs: Math.max(0, yieldedAtMs - spokenToMs),
    wordsMs: readyAtMs - yieldedAtMs,
    llmMs: Math.max(0, saidAtMs - readyAtMs),
    voiceMs: Math.max(0, atMs - saidAtMs),
  });
}

function newAnswer(draft: Draft, times: Pick<Answer, 'drafted' | 'spokenToMs' | 'yieldedAtMs' | 'wordsAtMs'>): Answer {
  return { draft, ...times, said: 0, saidAll: false, responseId: undefined, saidAtMs: undefined };
}

/** Collects the changes of one step; lives no longer than it. */
class StepBuilder {
  state: TurnTaking;
  acts: readonly Act[] = [];
  speech: Speech | undefined;
  readonly words: DecodedWord[] = [];
  readonly #effects: CompositeEffect[] = [];
  constructor(state: TurnTaking) {
    this.state = state;
  }
  result(): TurnTakingStep {
    const { state, words, acts, speech } = this;
    return { state, effects: this.#effects, composed: { words, acts, speech } };
  }
  set(change: Partial<TurnTaking>): void {
    this.state = { ...this.state, ...change };
  }
  run(effect: CompositeEffect): void {
    this.#effects.push(effect);
  }
  emit(event: SessionEventBody): void {
    this.run({ do: 'emit', event });
  }
  /** A number that was not given before. */
  next(): number {
    this.set({ count: this.state.count + 1 });
    return this.state.count;
  }

  ask(words: readonly string[], atMs: number, partial: boolean): Draft {
    const { history, typed } = this.state;
    const text = words.join(' ');
    const draftId = `draft-${this.next()}`;
    const fields = [...typed].map(([field, value]) => ({ field, text: value }));
    this.run({ do: 'ask', ask: { draftId, turns: turnsOf(history), words: text, partial, typed: fields } });
    if (partial) this.emit({ type: 'draft.started', draftId, words: text });
    return { id: draftId, on: plainWords(words), text: '', done: false, askedAtMs: atMs, firstAtMs: undefined };
  }
  changeDraft(id: string, change: (draft: Draft) => Draft): void {
    const { drafts, answer } = this.state;
    this.set({ drafts: drafts.map((one) => (one.id === id ? change(one) : one)) });
    if (answer?.draft.id === id) this.set({ answer: { ...answer, draft: change(answer.draft) } });
  }
  committed(draft: Draft, atMs: number): void {
    const kind = readDraft(draft)?.kind ?? 'reply';
    const aheadMs = draft.firstAtMs === undefined ? 0 : atMs - draft.firstAtMs;
    this.emit({ type: 'draft.committed', draftId: draft.id, kind, aheadMs });
  }
  dropped({ id, text }: Draft, reason: DropReason): void {
    this.emit({ type: 'draft.dropped', draftId: id, reason, chars: text.length });
  }
  drop(draft: Draft, reason: DropReason): void {
    if (!draft.done) this.run({ do: 'cancel', draftId: draft.id });
    this.dropped(draft, reason);
    this.set({ drafts: this.state.drafts.filter((one) => one.id !== draft.id) });
  }
  /** Nothing more of the answer is said. */
  withdraw(): void {
    const { answer } = this.state;
    if (!answer) return;
    if (!answer.draft.done) this.run({ do: 'cancel', draftId: answer.draft.id });
    this.set({ answer: undefined });
  }
  /** Its words are known, or not wanted. */
  close({ id, coveredMs }: Utterance): void {
    this.run({ do: 'unlisten', utterance: id });
    this.set({ utterance: undefined, heardToMs: coveredMs });
  }
  /** What they say is not for the agent. */
  forget(utterance: Utterance): void {
    for (const one of this.state.drafts) this.drop(one, 'elsewhere');
    this.close(utterance);
  }
  spentAt(atMs: number): number {
    const { sinceMs, tokens } = this.state.budget;
    return atMs - sinceMs < MINUTE_MS ? tokens : 0;
  }
  spend(atMs: number, tokens: number): void {
    const { sinceMs, tokens: before } = this.state.budget;
    const fresh = atMs - sinceMs >= MINUTE_MS;
    this.set({ budget: fresh ? { sinceMs: atMs, tokens } : { sinceMs, tokens: before + tokens } });
  }
}
