import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { MicroturnError } from '@microturn/protocol';
import { StreamedVoice, type SoundSource } from './streamed-voice.js';

export interface EspeakVoiceOptions {
  /** As `espeak-ng --voices` lists it: `de`, `en-us+f3`. */
  readonly voice?: string | undefined;
  readonly wordsPerMinute?: number | undefined;
  readonly program?: string | undefined;
}

const VOICE_NAME = /^[A-Za-z0-9+_-]{1,64}$/;
const FIRST_AUDIO_MS = 3000;
const STALL_MS = 3000;

/**
 * espeak-ng, where it is installed: a program of its own for each sentence, about a hundred languages.
 * @throws {MicroturnError} `edge/config` where the voice's name is none
 */
export function espeakVoice({ voice = 'en-us', wordsPerMinute = 165, program = 'espeak-ng' }: EspeakVoiceOptions) {
  if (!VOICE_NAME.test(voice)) throw new MicroturnError('edge/config', `voice: espeak-ng has no voice ${voice}`);
  return new StreamedVoice({
    name: `espeak-ng/${voice}`,
    firstAudioMs: FIRST_AUDIO_MS,
    stallMs: STALL_MS,
    open: ({ text }, signal, rate) => {
      const pace = String(Math.round(wordsPerMinute * rate));
      return run(program, ['-v', voice, '-s', pace, '--stdin', '--stdout'], text, signal);
    },
  });
}

async function run(program: string, args: string[], text: string, signal: AbortSignal): Promise<SoundSource> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'], signal, killSignal: 'SIGKILL' });
  // What it does when it is killed is told by its output, which ends.
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  // Its pipe would stay open where nobody reads what is left in it.
  signal.addEventListener('abort', () => child.stdout.destroy(), { once: true });
  try {
    await once(child, 'spawn', { signal });
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const detail = missing ? `${program} is not installed (Debian: apt-get install espeak-ng)` : String(cause);
    throw new MicroturnError('voice/failed', detail, { cause });
  }
  child.stdin.end(text);
  return { format: { wav: true }, bytes: child.stdout as AsyncIterable<Uint8Array> };
}
