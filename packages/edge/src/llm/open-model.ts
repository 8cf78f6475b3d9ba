import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { LanguageModelV3 } from '@ai-sdk/provider';
import { boundedFetch } from './bounded-fetch.js';
import type { LanguageModelConfig } from './model-config.js';
import type { ModelSpec } from './model-spec.js';

/** The provider's side of a model. */
export function openModel({ name, config, apiKey }: ModelSpec, fetchAnswer: typeof fetch): LanguageModelV3 {
  const common = { headers: config.headers, fetch: boundedFetch(fetchAnswer), ...(apiKey !== undefined && { apiKey }) };
  switch (config.provider) {
    case 'openai-compatible': {
      const { baseUrl: baseURL, model } = config;
      const rename = tokenLimitOf(config) === 'max_completion_tokens' && { transformRequestBody: renameLimit };
      return createOpenAICompatible({ name, baseURL, includeUsage: true, ...rename, ...common })(model);
    }
    case 'anthropic': {
      const { baseUrl, model } = config;
      return createAnthropic({ ...(baseUrl && { baseURL: baseUrl }), ...common })(model);
    }
    default:
      return config satisfies never;
  }
}

/** OpenAI's newer models refuse `max_tokens`, and only they have another name for it; other servers may not know that. */
function tokenLimitOf({
  baseUrl,
  tokenLimit,
}: Extract<LanguageModelConfig, { provider: 'openai-compatible' }>): 'max_tokens' | 'max_completion_tokens' {
  if (tokenLimit !== undefined) return tokenLimit;
  const { hostname } = new URL(baseUrl);
  return /(^|\.)api\.openai\.com$|\.openai\.azure\.com$/.test(hostname) ? 'max_completion_tokens' : 'max_tokens';
}

/** The library has the one name only. */
function renameLimit({ max_tokens: limit, ...body }: Record<string, unknown>): Record<string, unknown> {
  return { ...body, max_completion_tokens: limit };
}
