import { MicroturnError } from '@microturn/protocol';
import { SherpaTranscriber } from '../sherpa/index.js';
import { HttpTranscriber, RealtimeTranscriber, type Transcriber } from '../transcribe/index.js';
import type { VoiceSpec } from '../voice/index.js';
import type { TranscriberConfig, VoiceConfig } from './recipe-config.js';

/** Where keys are. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @returns undefined where the words are the bundle's own
 * @throws {MicroturnError} `edge/config` where its key is not in the environment, or its model not where it should be
 */
export function openTranscriber(recipe: string, config: TranscriberConfig, env: Environment): Transcriber | undefined {
  switch (config.provider) {
    case 'bundle':
      return undefined;
    case 'openai-compatible':
      return new HttpTranscriber({ ...config, apiKey: keyOf(config, `recipes.${recipe}.transcriber`, env) });
    case 'realtime':
      return new RealtimeTranscriber({ ...config, apiKey: keyOf(config, `recipes.${recipe}.transcriber`, env) });
    case 'sherpa-onnx':
      return new SherpaTranscriber(config);
    default:
      return config satisfies never;
  }
}

/** @throws {MicroturnError} `edge/config` where its key is not in the environment */
export function toVoiceSpec(recipe: string, config: VoiceConfig, env: Environment): VoiceSpec {
  if (config.provider !== 'openai-compatible') return config;
  const { apiKeyEnv: _, ...spec } = config;
  return { ...spec, apiKey: keyOf(config, `recipes.${recipe}.voice`, env) };
}

function keyOf(
  { apiKeyEnv }: { readonly apiKeyEnv?: string | undefined },
  path: string,
  env: Environment,
): string | undefined {
  if (apiKeyEnv === undefined) return undefined;
  // A key that was read from a file often ends its line, which no header takes.
  const key = env[apiKeyEnv]?.trim();
  if (!key) throw new MicroturnError('edge/config', `${path}: ${apiKeyEnv} is not set`);
  return key;
}
