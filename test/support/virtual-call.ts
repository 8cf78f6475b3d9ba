import type { LanguageModels } from '../../packages/edge/src/llm/index.js';
import { TRANSCRIBE_HZ } from '../../packages/edge/src/transcribe/index.js';
import type { Voice } from '../../packages/edge/src/voice/index.js';
import { RehearsingVoice } from '../../packages/edge/src/voice/rehearsing-voice.js';
import type { PerfectEars } from './perfect-ears.js';
import type { CallClock } from './turn-harnesses.js';

export interface ServiceSpeeds {
  readonly transcribeMs: number;
  readonly firstTokenMs: number;
  readonly tokensPerSecond: number;
  readonly firstAudioMs: number;
  /** At most one request for a growing clip in this time. */
  readonly everyMs?: number;
  /** Of a sentence that is not over, the LLM knows how it ends where so few words are missing. */
  readonly foreseenWords?: number;
}

/** Session time that jumps to what is due next, once nothing goes on any more. */
export class VirtualClock implements CallClock {
  readonly lateMs: readonly number[] = [];
  readonly #due: { readonly atMs: number; readonly run: () => void }[] = [];
  #nowMs = 0;
  #working = 0;
  #stopped = false;

  now(): number {
    return this.#nowMs;
  }
  stop(): void {
    this.#stopped = true;
  }
  each(timesMs: readonly number[], step: (index: number) => void): void {
    for (const [index, atMs] of timesMs.entries()) this.#at(atMs, () => !this.#stopped && step(index));
  }
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#at(this.#nowMs + ms, resolve));
  }
  /** Time stands still for what is not a matter of time. */
  async working<T>(work: () => Promise<T>): Promise<T> {
    this.#working++;
    try {
      return await work();
    } finally {
      this.#working--;
    }
  }
  /** Runs until nothing is due, or `isOver`. */
  async run(isOver: () => boolean): Promise<void> {
    for (;;) {
      do await new Promise(setImmediate);
      while (this.#working > 0);
      const next = isOver() ? undefined : this.#due.shift();
      if (!next) return;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
  }

  #at(atMs: number, run: () => void): void {
    const later = this.#due.findIndex((other) => other.atMs > atMs);
    this.#due.splice(later < 0 ? this.#due.length : later, 0, { atMs, run });
  }
}

/** What `/audio/transcriptions` would answer, and when. */
export function virtualTranscription(
  clock: VirtualClock,
  ears: Pick<PerfectEars, 'transcribe'>,
  { speeds: { transcribeMs }, onSound }: { speeds: ServiceSpeeds; onSound: (seconds: number) => void },
) {
  return async (_url: unknown, { body, signal }: RequestInit = {}): Promise<Response> => {
    const text = await clock.working(async () => {
      const file = (body as FormData).get('file') as Blob;
      // 16-bit samples behind the header of a WAV.
      onSound((file.size - 44) / 2 / TRANSCRIBE_HZ);
      return ears.transcribe(new Uint8Array(await file.arrayBuffer()));
    });
    await clock.sleep(transcribeMs);
    signal?.throwIfAborted();
    return { ok: true, text: async () => JSON.stringify({ text }) } as Response;
  };
}

/**
 * An LLM that writes the same answer at a set speed, after the words that are missing of what it is `asked`, where it knows them;
 * it counts tokens as the test server does.
 */
export function virtualChat(
  clock: VirtualClock,
  { answer, asked, speeds }: { readonly answer: string; readonly asked: string; readonly speeds: ServiceSpeeds },
): Pick<LanguageModels, 'stream' | 'firstTokenMs'> {
  const { firstTokenMs, tokensPerSecond, foreseenWords = 0 } = speeds;
  return {
    // As an edge that is up has measured it.
    firstTokenMs,
    async *stream({ system = '', messages, signal }) {
      const all = [{ role: 'system', content: system }, ...messages];
      const tokensIn = Math.ceil(JSON.stringify(all).length / 4);
      let tokensOut = 0;
      await clock.sleep(firstTokenMs);
      const missing = missingWords(messages.at(-1)?.content, asked);
      const foreseen = missing.length > 0 && missing.length <= foreseenWords;
      const text = foreseen ? `[ends: ${missing.join(' ')}] ${answer}` : answer;
      for (const token of text.match(/\s*\S+/g) ?? []) {
        await clock.sleep(1000 / tokensPerSecond);
        signal.throwIfAborted();
        tokensOut++;
        yield { type: 'text', text: token };
      }
      const usage = { tokensIn, tokensOut, estimated: false };
      yield { type: 'done', reason: 'stop', model: 'llm', usage, firstTokenMs };
    },
  };
}

/** Of what is asked, what a partial question leaves out; nothing of one that is whole. */
function missingWords(question: unknown, asked: string): string[] {
  const partial = typeof question === 'string' && question.endsWith(' …') ? question.slice(0, -2) : undefined;
  return partial !== undefined && asked.startsWith(`${partial} `) ? asked.slice(partial.length + 1).split(' ') : [];
}

/** A voice that is late by a set time, and then has sound. */
export function virtualVoice(clock: VirtualClock, { firstAudioMs }: ServiceSpeeds): Voice {
  const voice: Voice = {
    name: 'virtual',
    async *speak(text, { signal } = {}) {
      await clock.sleep(firstAudioMs);
      if (!signal?.aborted) yield { pcm: new Float32Array(160), rateHz: 16_000, text, words: [], pauseMs: 0 };
    },
    close: async () => undefined,
  };
  return new RehearsingVoice(voice, () => clock.now());
}
