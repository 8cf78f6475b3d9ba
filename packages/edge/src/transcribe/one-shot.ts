import { MicroturnError } from '@microturn/protocol';
import { within } from '../clock.js';
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
    const text = await within(TIMEOUT_MS, signal, (limited) => requestTranscription(clip, service, limited));
    return text.trim();
  } catch (cause) {
    signal.throwIfAborted();
    throw new MicroturnError('task/unheard', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
