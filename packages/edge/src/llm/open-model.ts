import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { LanguageModelV3 } from '@ai-sdk/provider';
import { boundedFetch } from './bounded-fetch.js';
import type { ModelSpec } from './model-spec.js';

/** The provider's side of a model. */
export function openModel({ name, config, apiKey }: ModelSpec, fetchAnswer: typeof fetch): LanguageModelV3 {
  const common = { headers: config.headers, fetch: boundedFetch(fetchAnswer), ...(apiKey !== undefined && { apiKey }) };
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
