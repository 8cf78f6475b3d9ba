import { type Clause, splitClauses } from './clauses.js';
import type { SpeakOptions, SpeechClause, Voice } from './types.js';

export interface ToneVoiceOptions {
  /** Length of every word. */
  readonly wordMs?: number;
  /** Silence between two words of a clause. */
  readonly gapMs?: number;
  readonly rateHz?: 8_000 | 12_000 | 16_000 | 24_000 | 48_000;
}

/** The fake voice: every word is a tone of known length and a pitch of its own, every time the same. Says what Flite would. */
export class ToneVoice implements Voice {
  readonly name = 'tones';
  readonly #wordMs: number;
  readonly #gapMs: number;
  readonly #rateHz: number;
  #closed = false;

  constructor({ wordMs = 250, gapMs = 50, rateHz = 16_000 }: ToneVoiceOptions = {}) {
    if (!(Number.isInteger(wordMs) && wordMs > 0))
      throw new RangeError(`wordMs: expected whole ms above 0, got ${wordMs}`);
    if (!(Number.isInteger(gapMs) && gapMs >= 0)) throw new RangeError(`gapMs: expected whole ms from 0, got ${gapMs}`);
    this.#wordMs = wordMs;
    this.#gapMs = gapMs;
    this.#rateHz = rateHz;
  }

  async *speak(text: string, { signal, rate = 1 }: SpeakOptions = {}): AsyncGenerator<SpeechClause, void, void> {
    for (const clause of splitClauses(text)) {
      if (this.#closed) throw new TypeError('the voice is closed');
      if (signal?.aborted) return;
      yield this.#say(clause, rate);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #say(clause: Clause, rate: number): SpeechClause {
    const wordMs = Math.round(this.#wordMs / rate);
    const stepMs = wordMs + this.#gapMs;
    const perMs = this.#rateHz / 1_000;
    const pcm = new Float32Array((clause.words.length * stepMs - this.#gapMs) * perMs);
    const words = clause.words.map(({ text, spoken }, i) => {
      const startMs = i * stepMs;
      this.#tone(pcm.subarray(startMs * perMs, (startMs + wordMs) * perMs), pitchHz(spoken));
      return { text, startMs, endMs: startMs + wordMs };
    });
    return { pcm, rateHz: this.#rateHz, text: clause.text, words, pauseMs: clause.pauseMs };
  }

  #tone(pcm: Float32Array, hz: number): void {
    for (let i = 0; i < pcm.length; i++) {
      const envelope = Math.sin((Math.PI * (i + 0.5)) / pcm.length);
      pcm[i] = 0.3 * Math.sqrt(envelope) * Math.sin((2 * Math.PI * hz * i) / this.#rateHz);
    }
  }
}

/** 200 to 1000 Hz, by the letters. */
function pitchHz(word: string): number {
  let hash = 7;
  for (const char of word.toLowerCase()) hash = (hash * 31 + char.codePointAt(0)!) % 801;
  return 200 + hash;
}
