import type { ResponseWord } from '@microturn/protocol';

/** One clause of speech. Times of `words` count from the start of `pcm`. */
export interface SpeechClause {
  /** [samples] mono in [-1, 1] at `rateHz`, silence trimmed at both ends. */
  readonly pcm: Float32Array;
  /** One of 8000, 12000, 16000, 24000, 48000: what Opus encodes without resampling. */
  readonly rateHz: number;
  readonly text: string;
  /** Their texts, joined by spaces, are `text`. */
  readonly words: readonly ResponseWord[];
  /** How long a speaker would pause before going on; not part of `pcm`. */
  readonly pauseMs: number;
}

/** Turns agent words into sound, for bundles without an audio head. */
export interface Voice {
  readonly name: string;
  /**
   * Speaks `text` clause by clause, each as soon as it is ready. `pcm` is the caller's to keep or to transfer.
   * Ends early, without an error, once `signal` is aborted.
   * @throws {MicroturnError} `voice/failed` where the text cannot be spoken
   */
  speak(text: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<SpeechClause>;
  close(): Promise<void>;
}
