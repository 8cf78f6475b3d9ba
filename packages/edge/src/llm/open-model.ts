import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { MicroturnError } from '@microturn/protocol';
import type { LanguageModel } from 'ai';
import { boundedFetch } from './bounded-fetch.js';
import type { LanguageModelConfig } from './model-config.js';

export interface OpenModelParts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fetch: typeof fetch;
}

/** @throws {MicroturnError} `edge/config` where the key that the configuration names is not in the environment */
export function openModel(name: string, config: LanguageModelConfig, { env, fetch }: OpenModelParts): LanguageModel {
  const apiKey = config.apiKeyEnv === undefined ? undefined : env[config.apiKeyEnv];
  if (config.apiKeyEnv !== undefined && !apiKey) {
    throw new MicroturnError('edge/config', `llm.models.${name}: ${config.apiKeyEnv} is not set`);
  }
  const common = { headers: config.headers, fetch: boundedFetch(fetch), ...(apiKey && { apiKey }) };
  switch (config.provider) {
    case 'openai-compatible':
      return createOpenAICompatible({ name, baseURL: config.baseUrl, includeUsage: true, ...common })(config.model);
    case 'anthropic': {
      const { baseUrl, model } = config;
      return createAnthropic({ ...(baseUrl && { baseURL: baseUrl }), ...common })(model);
    }
    default:
      return config satisfies never;
  }
}
