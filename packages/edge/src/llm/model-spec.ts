import { MicroturnError } from '@microturn/protocol';
import type { LanguageModelConfig } from './model-config.js';

/** All that it takes to reach a model: plain data, which may cross to another thread. */
export interface ModelSpec {
  readonly name: string;
  readonly config: LanguageModelConfig;
  readonly apiKey: string | undefined;
}

/** @throws {MicroturnError} `edge/config` where the key that the configuration names is not in the environment */
export function toModelSpec(
  name: string,
  config: LanguageModelConfig,
  env: Readonly<Record<string, string | undefined>>,
): ModelSpec {
  const { apiKeyEnv } = config;
  const apiKey = apiKeyEnv === undefined ? undefined : env[apiKeyEnv]?.trim();
  if (apiKeyEnv !== undefined && !apiKey) {
    throw new MicroturnError('edge/config', `llm.models.${name}: ${apiKeyEnv} is not set`);
  }
  return { name, config, apiKey };
}
