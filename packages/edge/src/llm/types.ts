import type { LanguageModelV3Message } from '@ai-sdk/provider';
import type { Budget } from './budget.js';
import type { ModelInput } from './model-config.js';

/** Text and nothing else. */
export interface TextMessage {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}
/** Or what the providers of the AI SDK take besides. */
export type ModelMessage = TextMessage | LanguageModelV3Message;

/** A function that the model may ask for; whoever made the request runs it. */
export interface ChatTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments, an object. */
  readonly parameters: object;
}

export interface ChatRequest {
  /** What it is for: rules may route by it. */
  readonly purpose: string;
  readonly system?: string | undefined;
  readonly messages: readonly ModelMessage[];
  readonly tools?: readonly ChatTool[] | undefined;
  /** Told after `system` where its tools are offered: a model that takes none is not told of them. */
  readonly toolRules?: string | undefined;
  /** It may be searched for on the web, by a provider whose model is configured for that. */
  readonly webSearch?: boolean | undefined;
  /** What the messages hold besides text: only models that take it are asked. */
  readonly needs?: readonly ModelInput[] | undefined;
  /** Names from the configuration, in order of preference; every one, in its order, where none are given. */
  readonly models?: readonly string[] | undefined;
  readonly maxOutputTokens?: number | undefined;
  readonly budget?: Budget | undefined;
  readonly signal: AbortSignal;
}

export interface ChatUsage {
  readonly tokensIn: number;
  readonly tokensOut: number;
  /** By the price in the configuration; absent where there is none. */
  readonly cost?: number;
  /** The provider did not say, so it is a fourth of the characters, and 1500 for each picture that it was sent. */
  readonly estimated: boolean;
}

export interface ChatToolCall {
  readonly type: 'tool-call';
  readonly callId: string;
  readonly name: string;
  readonly arguments: unknown;
  /** The arguments could not be read, and are what the model wrote; or there is no such tool: to be told to the model. */
  readonly problem?: string;
}

/** What a model streams: text and calls of tools as they come, then one `done`. */
export type ChatPart =
  | { readonly type: 'text'; readonly text: string }
  | ChatToolCall
  | {
      readonly type: 'done';
      /** `length`: it was cut at its bound. */
      readonly reason: 'stop' | 'length' | 'tool-calls' | 'filtered';
      /** Name from the configuration. */
      readonly model: string;
      readonly usage: ChatUsage;
      /** From the request to the first token, of the attempt that succeeded. */
      readonly firstTokenMs: number;
    };

/** How one model fares: what rules may route by. */
export interface ModelState {
  readonly name: string;
  readonly takes: readonly ModelInput[];
  /** Whether it is offered tools: its configuration says otherwise, or it has refused them. */
  readonly tools: boolean;
  readonly price: { readonly input: number; readonly output: number } | undefined;
  /** Moving average; absent before the first answer. */
  readonly firstTokenMs: number | undefined;
  /** Failures in a row. */
  readonly failures: number;
  /** For so long it is not asked: it failed, and may have said when to come back. 0 where it may be asked now. */
  readonly coolingMs: number;
}

/**
 * Which models to ask, by name and in order of trying. Candidates are those that the request allows and that take what
 * it holds, in the order of the request. One that is cooling down is passed over as long as another may be asked.
 */
export type Route = (request: ChatRequest, candidates: readonly ModelState[]) => readonly string[];
