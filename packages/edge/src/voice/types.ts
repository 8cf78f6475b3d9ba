import type { ResponseWord } from '@microturn/protocol';

/** One clause of speech. Times of `words` count from the start of `pcm`. */
export interface SpeechClause {
  /** [samples] mono in [-1, 1] at `rateHz`, silence trimmed at both ends. */
  readonly pcm: Float32Array;
  /** One of 8000, 12000, 16000, 24000, 48000: what Opus encodes without resampling. */
  readonly rateHz: number;
  readonly text: string;
  readonly words: readonly ResponseWord[];
}

/** Turns agent words into sound, for bundles without an audio head. */
export interface Voice {
  readonly name: string;
  /**
   * Speaks `text` clause by clause, each as soon as it is ready.
   * @throws {MicroturnError} `voice/failed` where the text cannot be spoken
   */
  speak(text: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<SpeechClause>;
  close(): Promise<void>;
}
