import type { Floor, SessionEvent } from '@microturn/protocol';
import type { Decision } from '../engine/types.js';
import type { CallResult, ChatToolCall } from '../llm/index.js';
import type { Picture } from '../picture.js';
import type { Draft } from './draft.js';
import { emptyHistory, type HeardHistory } from './heard-history.js';
import type { Composed, CompositeEffect, TurnTakingOptions } from './types.js';

/** What the user is saying, from the first micro-turn of it until it is answered or turns out to be nothing. */
export interface Utterance {
  readonly id: number;
  /** Where its sound begins. */
  readonly fromMs: number;
  readonly floor: Floor;
  /** They pause, or the floor is not sure that they speak on: this may be the end, and a draft is worth its tokens. */
  readonly hesitates: boolean;
  /** End of the last micro-turn in which they spoke, and how long all of those are. */
  readonly spokenToMs: number;
  readonly spokenMs: number;
  /** End of the micro-turn that holds the end of their speech: words up to here are all of them. */
  readonly wordsDueMs: number;
  /** The end of the micro-turn in which they hesitated: with the words up to here a draft answers all that was said. */
  readonly hesitatedMs: number;
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
  /** Its transcriber was given up, and the bundle's own words are on their way. */
  readonly own: boolean;
  readonly drafts: number;
  /** "Mm-hm" was said in this pause: once is enough, and nothing is thrown in behind it. */
  readonly murmured: boolean;
}

/** A draft that was committed, and is being said. */
export interface Answer {
  readonly draft: Draft;
  readonly drafted: boolean;
  /** Characters of its text that were a response which is over: what follows them, behind a tool, is another. */
  readonly heardTo: number;
  /** Characters of its text that were given to be said. */
  readonly said: number;
  readonly saidAll: boolean;
  /** Words were given to be said, from `opensFrom` on, and the response that they begin is not known yet. */
  readonly opens: boolean;
  readonly opensFrom: number;
  readonly responseId: string | undefined;
  readonly spokenToMs: number;
  readonly yieldedAtMs: number;
  readonly wordsAtMs: number;
  readonly saidAtMs: number | undefined;
  /** It waits for tools, and for the user to end: nothing of it is being said, and it goes on with what both give. */
  readonly calling: boolean;
  /** It has called a tool: what it says is what came of that, from this character on. */
  readonly called: boolean;
  readonly calledAt: number;
  /** The first packet of what is being said of it left. */
  readonly soundedAtMs: number | undefined;
  /** A packet of it has left before: what it waits for now is no part of its latency. */
  readonly measured: boolean;
  /** It was held back and is not written any further: if it is wanted after all, it is asked for again. */
  readonly cancelled: boolean;
}

/** What is being said of an answer; no id where it is part of what was being said before, and is told apart by nobody. */
export interface Taken {
  readonly responseId: string | undefined;
}

/** Where the answer of the LLM stands, since when it has stood there, and whether the user was told. */
export interface Waiting {
  readonly draftId: string;
  readonly chars: number;
  readonly sinceMs: number;
  readonly told: boolean;
}

export interface TurnTaking {
  readonly options: TurnTakingOptions;
  readonly utterance: Utterance | undefined;
  /** Sound up to here belonged to an earlier utterance. */
  readonly heardToMs: number;
  /** Up to here they spoke when something was thrown in: if they speak on, no sound since the last words is passed over. */
  readonly brokenIntoMs: number | undefined;
  /** Oldest first. Each answers words that may still turn out to be all. */
  readonly drafts: readonly Draft[];
  /** When the floor bundle was told last that one of them could be said. */
  readonly offeredAtMs: number | undefined;
  /** Until it was heard, or cut. */
  readonly answer: Answer | undefined;
  /** The answer, where the user went on before it can have been heard: until they have said something else, or nothing. */
  readonly held: Answer | undefined;
  /** For more of the answer, while the LLM owes it. */
  readonly waiting: Waiting | undefined;
  /** What is being said of an older answer is cut with the next decision, and nothing is said before. */
  readonly takeBackDue: Taken | undefined;
  readonly history: HeardHistory;
  readonly typed: ReadonlyMap<string, string>;
  /** By name, the one shown last at the end. */
  readonly shown: ReadonlyMap<string, readonly Picture[]>;
  /** When one who speaks on may be drafted for again: each draft moves it on. */
  readonly draftDueMs: number;
  /** What the LLM takes to its first token, where that is known. */
  readonly firstTokenMs: number | undefined;
  readonly budget: { readonly sinceMs: number; readonly tokens: number; readonly cost: number };
  readonly count: number;
}

export type TurnTakingInput =
  | { type: 'decision'; atMs: number; decision: Decision; firstTokenMs?: number | undefined }
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
  /** The answer calls tools, or goes on after they have answered. */
  | { type: 'draft.calls'; atMs: number; draftId: string; calling: boolean }
  | { type: 'tools.answered'; calls: readonly ChatToolCall[]; results: readonly CallResult[] }
  /** What a draft has cost, whatever became of it. */
  | { type: 'spent'; atMs: number; tokens: number; cost: number }
  /** A message that the user sent by hand, or, without `sent`, what stands in a field of theirs now. */
  | { type: 'typed'; atMs: number; field: string; text: string; sent: boolean }
  /** Pictures that are seen with what is asked from now on, until others of that name are, or none. */
  | { type: 'shown'; name: string; pictures: readonly Picture[] }
  | { type: 'event'; event: SessionEvent }
  /** What was given to be said has begun a response by now, or is part of one. */
  | { type: 'said' }
  /** What happened in this session before, in a process that is gone. */
  | { type: 'restore'; events: readonly SessionEvent[] }
  /** The first packet of a response left. */
  | { type: 'speech-started'; responseId: string; atMs: number };

export interface TurnTakingStep {
  readonly state: TurnTaking;
  readonly effects: readonly CompositeEffect[];
  /** Of a decision: what to pass on. Of anything else: what is to be said before the next one. */
  readonly composed: Composed;
}

export function startTurnTaking(options: TurnTakingOptions): TurnTaking {
  return {
    options,
    utterance: undefined,
    heardToMs: 0,
    brokenIntoMs: undefined,
    drafts: [],
    offeredAtMs: undefined,
    answer: undefined,
    held: undefined,
    waiting: undefined,
    takeBackDue: undefined,
    history: emptyHistory,
    typed: new Map(),
    shown: new Map(),
    draftDueMs: 0,
    firstTokenMs: undefined,
    budget: { sinceMs: 0, tokens: 0, cost: 0 },
    count: 0,
  };
}
