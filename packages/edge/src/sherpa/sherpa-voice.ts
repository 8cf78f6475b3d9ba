import { basename } from 'node:path';
import { MicroturnError } from '@microturn/protocol';
import { StreamedVoice } from '../voice/streamed-voice.js';
import type { Voice } from '../voice/types.js';
import type { SherpaReport } from './messages.js';
import { findVoice } from './model-folder.js';
import { SherpaHost, type SherpaHostOptions } from './sherpa-host.js';

export interface SherpaVoiceOptions extends SherpaHostOptions {
  /** The folder of a model, as sherpa-onnx publishes them. */
  readonly model: string;
  /** Of a model with several. */
  readonly speaker?: number | undefined;
  /** 1 is as the model speaks. */
  readonly speed?: number | undefined;
  readonly threads?: number | undefined;
  readonly firstAudioMs?: number | undefined;
}

/** A session gives words up that have not begun to sound after 2 s: another voice has to have the time to say them. */
const FIRST_AUDIO_MS = 1500;
const STALL_MS = 3000;
/** Sentences that wait to be made, of all callers. Policy `reject`: another voice says them. */
const WAITING = 64;

/**
 * A voice on this machine, by a model that the user gives. It says one sentence after the other, whoever they are for.
 * @throws {MicroturnError} `edge/config` where the package is not installed, or the folder holds no voice that it takes
 */
export async function sherpaVoice(options: SherpaVoiceOptions): Promise<Voice> {
  const { model, speaker = 0, speed = 1, threads = 1, firstAudioMs = FIRST_AUDIO_MS } = options;
  const sentences = new Map<number, SentenceSound>();
  let count = 0;
  const listener = {
    onReport(report: SherpaReport) {
      if (report.type === 'sound') sentences.get(report.id)?.push(report.pcm);
      else if (report.type === 'end') sentences.get(report.id)?.end(report.problem);
    },
    onEnded(error: MicroturnError) {
      for (const sound of sentences.values()) sound.end(error.message);
    },
  };
  const job = { does: 'speak', model: findVoice(model, threads), speaker } as const;
  const host = new SherpaHost(job, 'voice/failed', listener, options);
  try {
    await host.ready;
  } catch (cause) {
    host.close();
    throw new MicroturnError('edge/config', `${model}: ${(cause as Error).message}`, { cause });
  }
  const voice = new StreamedVoice({
    name: `sherpa-onnx/${basename(model)}`,
    firstAudioMs,
    stallMs: STALL_MS,
    async open({ text }, signal, rate) {
      signal.throwIfAborted();
      if (sentences.size >= WAITING) throw new MicroturnError('voice/failed', 'too many sentences wait for this voice');
      const id = ++count;
      const sound = new SentenceSound(signal, () => {
        sentences.delete(id);
        host.post({ type: 'stop', id });
      });
      sentences.set(id, sound);
      host.post({ type: 'say', id, text, speed: speed * rate });
      try {
        // A process that is being started again may take longer than anybody waits.
        const rateHz = await Promise.race([host.ready, aborted(signal)]);
        return { format: { wav: false, rateHz }, bytes: sound.bytes() };
      } catch (cause) {
        sound.close();
        throw cause;
      }
    },
  });
  return {
    name: voice.name,
    concurrent: true,
    speak: (text, speaking) => voice.speak(text, speaking),
    async close() {
      await voice.close();
      host.close();
    },
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

/** The sound of one sentence on its way: as long as the model makes it, 280 characters at most. */
class SentenceSound {
  readonly #signal: AbortSignal;
  readonly #onClosed: () => void;
  readonly #pieces: Int16Array[] = [];
  #ended = false;
  #closed = false;
  #problem: string | undefined;
  #wake: () => void = () => {};

  constructor(signal: AbortSignal, onClosed: () => void) {
    this.#signal = signal;
    this.#onClosed = onClosed;
    // Whoever holds a piece of it may never ask for the next.
    signal.addEventListener('abort', () => this.close(), { once: true });
  }
  push(pcm: Int16Array): void {
    this.#pieces.push(pcm);
    this.#wake();
  }
  end(problem: string | undefined): void {
    this.#ended = true;
    this.#problem = problem;
    this.#wake();
  }
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClosed();
    this.#wake();
  }

  async *bytes(): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (;;) {
        this.#signal.throwIfAborted();
        const pcm = this.#pieces.shift();
        if (pcm) yield new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
        else if (this.#problem !== undefined) throw new MicroturnError('voice/failed', this.#problem);
        else if (this.#ended) return;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.close();
    }
  }
}
