import type { SessionEventBody } from '@microturn/protocol';
import type { Act, DecodedWord, Mark } from '../engine/types.js';
import type { Budget } from '../llm/budget.js';
import type { ChatPart, ChatRequest } from '../llm/index.js';
import type { Picture } from '../picture.js';
import type { DraftKind } from './draft.js';
import type { Turn } from './heard-history.js';

/** How soon the app lets the agent speak. The bundle's floor decides; this is how much of it is waited for. */
export const eagernesses = ['patient', 'normal', 'eager'] as const;
export type Eagerness = (typeof eagernesses)[number];

export interface DraftingOptions {
  /** Off, the LLM is asked once, when the user has yielded. `auto`: it is drafted for where it is slow enough to gain by it. */
  readonly enabled: boolean | 'auto';
  /** While the user speaks on, at most one draft in this time, ms. Where they hesitate, one is asked for at once. */
  readonly everyMs: number;
  /** At most so many for one utterance. */
  readonly perUtterance: number;
  /** Prompt and completion tokens that drafts of one session may take in a minute; the answers themselves are not held up. */
  readonly tokensPerMinute: number;
  /** And what they may cost in one, in the currency of the LLM's price; without a price nothing costs anything. */
  readonly costPerMinute?: number | undefined;
}

export interface PatienceOptions {
  /** With nothing of an answer there yet, the user is told once that it is coming, after so long. */
  readonly wordMs: number;
  readonly word: string;
  /** So long without a first word, or without another in the middle, and the answer is given up: `llm/timeout`. */
  readonly firstMs: number;
  readonly stallMs: number;
  /** Said for an answer that was given up, or failed, before its first word. */
  readonly sorry: string;
}

export interface TurnTakingOptions {
  readonly microTurnMs: number;
  readonly eagerness: Eagerness;
  /** A pause that the bundle takes for one, and that is longer, is an end: 3 s unless `patient`, which leaves it to the bundle. */
  readonly longestPauseMs?: number | undefined;
  readonly drafting: DraftingOptions;
  /** Words may be wanted in the middle of speech, for a draft: their transcriber hears the sound again, and cuts no word in two. */
  readonly rehears: boolean;
  /** Without it, an answer is waited for as long as the LLM’s own limits let it. */
  readonly patience?: PatienceOptions | undefined;
}

/** What the composite adds to the decision of the floor bundle. */
export interface Speech {
  /** What to say from now on; empty where there is nothing new. */
  readonly say: string;
  readonly kind: Exclude<DraftKind, 'silence'>;
  /** The answer goes on: silence now is not its end. */
  readonly more: boolean;
}

/** A decision as it is passed on: the floor is the bundle's, words and speech are not. */
export interface Composed {
  readonly words: readonly DecodedWord[];
  readonly acts: readonly Act[];
  readonly takesBack: string | undefined;
  readonly speech: Speech | undefined;
}

/** What an LLM is asked to answer. */
export interface Ask {
  readonly draftId: string;
  /** Oldest first; what the user is saying now is not among them. */
  readonly turns: readonly Turn[];
  readonly words: string;
  /** The user may go on. */
  readonly partial: boolean;
  /** What stands in the fields of the page, by name. */
  readonly typed: readonly { readonly field: string; readonly text: string }[];
  /** What the user shows. */
  readonly pictures: readonly Picture[];
}

/** What the composite asks of a language model; `LanguageModels` is one. */
export interface ChatSource {
  /** From a request to its first token, as measured lately; absent before the first answer. */
  readonly firstTokenMs?: number | undefined;
  stream(
    request: Pick<ChatRequest, 'purpose' | 'messages' | 'tools' | 'toolRules' | 'models' | 'signal'> & {
      readonly system: string;
      readonly maxOutputTokens: number;
      /** Is charged with what the request has cost, when it ends: also where it broke off or was given up. */
      readonly budget: Budget;
    },
  ): AsyncIterable<Exclude<ChatPart, { type: 'done' }> | Pick<Extract<ChatPart, { type: 'done' }>, 'type' | 'reason'>>;
}

/** The sound of the caller between two session times: 16 kHz, as far as it is kept. */
export type ClipSource = (
  fromMs: number,
  toMs: number,
) => Promise<{ readonly pcm: Int16Array; readonly rateHz: number; readonly toMs: number }>;

export type CompositeEffect =
  /** An utterance begins: its sound is wanted from here. */
  | { do: 'listen'; utterance: number; fromMs: number }
  /** Sound up to here can be had. */
  | { do: 'hear'; utterance: number; toMs: number }
  /** The words up to here are wanted soon. */
  | { do: 'settle'; utterance: number; toMs: number }
  /** They do not come: that is a failure of the transcriber, and the bundle's own are taken. */
  | { do: 'hear-own'; utterance: number; detail: string }
  | { do: 'unlisten'; utterance: number }
  /** An utterance is over, and these are all of its words. */
  | { do: 'heard'; words: readonly string[]; fromMs: number }
  | { do: 'ask'; ask: Ask }
  | { do: 'cancel'; draftId: string }
  /** The answer waits for a tool: what was said meanwhile is told with its result. */
  | { do: 'add'; draftId: string; words: string }
  /** This may be said soon: the voice may make it now. */
  | { do: 'rehearse'; text: string }
  /** The floor bundle is told of a draft. */
  | { do: 'mark'; mark: Mark }
  | { do: 'emit'; event: SessionEventBody };
