import type { LanguageModelV3ProviderTool, SharedV3ProviderOptions } from '@ai-sdk/provider';
import type { ModelSpec } from './model-spec.js';

/** How a provider is let look things up on the web by itself: a tool that it runs, or a field of the request. Plain data. */
export interface ProviderSearch {
  readonly tool?: LanguageModelV3ProviderTool;
  readonly options?: SharedV3ProviderOptions;
}

/** Of one request: each costs, and takes its time. */
const SEARCHES = 3;

/** Undefined where the configuration does not want it. */
export function providerSearchOf({ name, config }: ModelSpec): ProviderSearch | undefined {
  if (!config.webSearch) return undefined;
  switch (config.provider) {
    case 'anthropic':
      return {
        tool: {
          type: 'provider',
          id: 'anthropic.web_search_20250305',
          name: 'web_search',
          args: { maxUses: SEARCHES },
        },
      };
    case 'openai-compatible':
      // As OpenAI's search models take it. The key is what the provider makes of its name.
      return { options: { [name.split('.', 1)[0]!]: { web_search_options: {} } } };
    default:
      return config satisfies never;
  }
}
