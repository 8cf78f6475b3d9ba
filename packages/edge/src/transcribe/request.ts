import { parseRetryAfter } from '../llm/retry-after.js';
import { encodeWav } from './wav.js';

export interface TranscriptionService {
  /** With its `/v1`, as OpenAI's clients take it. */
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey?: string | undefined;
  /** ISO 639-1; the model finds out where none is given. */
  readonly language?: string | undefined;
  readonly fetch?: typeof fetch | undefined;
}

const LONGEST_ANSWER_BYTES = 1 << 20;

/** The server answered, and not with words. */
export class RefusedTranscription extends Error {
  override readonly name = 'RefusedTranscription';
  /** How long it wants to be left alone, where it said so. */
  readonly retryAfterMs: number | undefined;
  constructor(message: string, retryAfterMs: number | undefined) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * One request to an OpenAI-compatible `/audio/transcriptions`.
 * @throws {RefusedTranscription} where the answer is a failure
 * @throws {Error} where it is not answered, or not with text, or `signal` gave it up
 */
export async function requestTranscription(
  { pcm, rateHz }: { readonly pcm: Int16Array; readonly rateHz: number },
  { baseUrl, model, apiKey, language, fetch: request = fetch }: TranscriptionService,
  signal: AbortSignal,
): Promise<string> {
  const form = new FormData();
  form.set('model', model);
  form.set('response_format', 'json');
  if (language !== undefined) form.set('language', language);
  form.set('file', new Blob([encodeWav(pcm, rateHz)], { type: 'audio/wav' }), 'speech.wav');
  const response = await request(`${baseUrl.replace(/\/$/, '')}/audio/transcriptions`, {
    method: 'POST',
    body: form,
    signal,
    headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
  });
  if (!response.ok) {
    await response.body?.cancel();
    const retryAfterMs = parseRetryAfter(Object.fromEntries(response.headers), Date.now());
    throw new RefusedTranscription(`${model} answered ${response.status}`, retryAfterMs);
  }
  const answer = await response.text();
  if (answer.length > LONGEST_ANSWER_BYTES) throw new Error('the answer is too long');
  const { text } = JSON.parse(answer) as { text?: unknown };
  if (typeof text !== 'string') throw new Error('the answer has no text');
  return text;
}
