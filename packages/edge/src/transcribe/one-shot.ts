import { MicroturnError } from '@microturn/protocol';
import { requestTranscription, type TranscriptionService } from './request.js';

export type OneShotOptions = TranscriptionService;

const TIMEOUT_MS = 15_000;

/**
 * Words of a recording that is over, by an OpenAI-compatible `/audio/transcriptions`.
 * @throws {MicroturnError} `task/unheard` where the server does not answer, or not with text
 */
export async function transcribeOnce(
  clip: { readonly pcm: Int16Array; readonly rateHz: number },
  service: OneShotOptions,
  signal: AbortSignal,
): Promise<string> {
  try {
    const text = await requestTranscription(clip, service, AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]));
    return text.trim();
  } catch (cause) {
    signal.throwIfAborted();
    throw new MicroturnError('task/unheard', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
