import { espeakVoice, type EspeakVoiceOptions } from './espeak-voice.js';
import { FallbackVoice } from './fallback-voice.js';
import { FliteVoice, type FliteVoiceName } from './flite.js';
import { httpVoice, type HttpVoiceOptions } from './http-voice.js';
import { sherpaVoice, type SherpaHostOptions, type SherpaVoiceOptions } from '../sherpa/index.js';
import { RehearsingVoice } from './rehearsing-voice.js';
import { ToneVoice } from './tone-voice.js';
import type { Voice } from './types.js';

/** Which voice, and what it needs to know: plain data, for it crosses a thread. */
export type VoiceSpec =
  | { readonly provider: 'flite'; readonly name?: FliteVoiceName | undefined }
  | { readonly provider: 'tones' }
  | ({ readonly provider: 'espeak-ng' } & EspeakVoiceOptions)
  | ({ readonly provider: 'sherpa-onnx' } & Omit<SherpaVoiceOptions, keyof SherpaHostOptions>)
  | ({ readonly provider: 'openai-compatible' } & HttpVoiceOptions);

/**
 * Opens a voice; one that may fail has Flite behind it.
 * @throws {MicroturnError} `edge/config` where it cannot be
 */
export async function openVoice(spec: VoiceSpec): Promise<Voice> {
  switch (spec.provider) {
    case 'flite':
      return FliteVoice.open(spec.name === undefined ? {} : { voice: spec.name });
    case 'tones':
      return new ToneVoice();
    case 'espeak-ng':
      return inFrontOfFlite(espeakVoice(spec));
    case 'sherpa-onnx':
      return inFrontOfFlite(await sherpaVoice(spec));
    case 'openai-compatible':
      return inFrontOfFlite(httpVoice(spec));
    default:
      return spec satisfies never;
  }
}

async function inFrontOfFlite(voice: Voice): Promise<Voice> {
  return new FallbackVoice(new RehearsingVoice(voice), await FliteVoice.open());
}
