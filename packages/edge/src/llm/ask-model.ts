import type { LanguageModelV3 } from '@ai-sdk/provider';
import { attempt, type AttemptPart, type AttemptTools, type ModelAsk } from './attempt.js';
import type { ModelSpec } from './model-spec.js';
import { openModel } from './open-model.js';

/**
 * Asks one model once, wherever that is done. The last part is `end`; an iterator that is left before it ends the request.
 * @throws {MicroturnError} `llm/*` with what is wrong; whatever `signal` gives where it is aborted
 */
export type AskModel = (spec: ModelSpec, ask: ModelAsk, signal: AbortSignal) => AsyncIterable<AttemptPart>;

export interface AskHereParts extends AttemptTools {
  readonly fetch?: typeof fetch | undefined;
}

/** On the thread that calls it: for one question, and for the thread that asks for the others. */
export function askHere({ fetch: fetchAnswer = fetch, ...tools }: AskHereParts): AskModel {
  const models = new Map<string, LanguageModelV3>();
  return (spec, ask, signal) => {
    const key = JSON.stringify(spec);
    const model = models.get(key) ?? openModel(spec, fetchAnswer);
    models.set(key, model);
    return attempt(model, ask, signal, tools);
  };
}
