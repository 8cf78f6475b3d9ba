/** Questions that begin so get an answer that goes on for five minutes at this pace. */
export const STREAMED_QUESTION = 'Question';
export const TOKENS_PER_SECOND = 20;
/** Those that begin so get more than is said of one, at once; any other a short answer, at once. */
export const WHOLE_QUESTION = 'Result';

/** There is one thing to ask the process of the scripted language model. */
export type ScriptedLlmRequest = { readonly do: 'report' };

export interface ScriptedLlmReport {
  /** Base URL of its OpenAI wire format. */
  readonly url: string;
  /** Answers that have begun and not ended. */
  readonly streaming: number;
  /** Tokens that were sent so far. */
  readonly tokens: number;
  /** What was not in order about requests. */
  readonly problems: readonly string[];
}
