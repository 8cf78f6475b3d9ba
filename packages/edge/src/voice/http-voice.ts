import { MicroturnError } from '@microturn/protocol';
import { NothingToSay } from './nothing-to-say.js';
import { StreamedVoice, type SoundSource } from './streamed-voice.js';

export interface HttpVoiceOptions {
  /** With its `/v1`, as OpenAI's clients take it. */
  readonly baseUrl: string;
  readonly apiKey?: string | undefined;
  readonly model: string;
  readonly voice: string;
  /** `pcm` has no header: it is 24 kHz at OpenAI, and whatever `rateHz` says elsewhere. */
  readonly format?: 'pcm' | 'wav' | undefined;
  readonly rateHz?: number | undefined;
  readonly firstAudioMs?: number | undefined;
  readonly stallMs?: number | undefined;
}

const OPENAI_HZ = 24_000;
/** A session gives words up that have not begun to sound after 2 s: another voice has to have the time to say them. */
const FIRST_AUDIO_MS = 1500;
const STALL_MS = 1500;
/** Statuses by which a text is refused: the next one may be said. */
const OF_THIS_TEXT: ReadonlySet<number> = new Set([400, 413, 422]);
/** What is certainly no samples: played as such, it is noise at full scale. */
const NOT_PCM =
  /^(text\/|application\/([\w.-]+\+)?(json|xml)\b|(audio|video|application)\/(x-)?(mpeg|mp3|ogg|aac|flac|opus|webm|mp4|m4a)\b)/;

/** OpenAI-compatible `/audio/speech`, streamed. It gives no times of words: they are placed by their length. */
export function httpVoice(options: HttpVoiceOptions): StreamedVoice {
  const { firstAudioMs = FIRST_AUDIO_MS, stallMs = STALL_MS } = options;
  const name = `${options.model}/${options.voice}`;
  return new StreamedVoice({
    name,
    firstAudioMs,
    stallMs,
    open: ({ text }, signal, rate) => request(options, text, signal, rate),
  });
}

async function request(
  options: HttpVoiceOptions,
  input: string,
  signal: AbortSignal,
  rate: number,
): Promise<SoundSource> {
  const { baseUrl, apiKey, model, voice, format = 'pcm', rateHz = OPENAI_HZ } = options;
  const response = await fetch(`${baseUrl.replace(/\/$/, '')}/audio/speech`, {
    method: 'POST',
    signal,
    headers: {
      'content-type': 'application/json',
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
    },
    body: JSON.stringify({ model, input, voice, response_format: format, ...(rate !== 1 && { speed: rate }) }),
  });
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    const why = `${model} answered ${response.status}`;
    throw OF_THIS_TEXT.has(response.status) ? new NothingToSay(why) : new MicroturnError('voice/failed', why);
  }
  const type = response.headers.get('content-type')?.toLowerCase() ?? '';
  if (format === 'pcm' && NOT_PCM.test(type)) {
    await response.body.cancel();
    throw new MicroturnError('voice/failed', `${model} answered with ${type}, and not with PCM`);
  }
  return { format: format === 'wav' ? { wav: true } : { wav: false, rateHz }, bytes: response.body };
}
