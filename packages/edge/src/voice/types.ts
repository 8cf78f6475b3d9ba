import type { MicroturnError, ResponseWord } from '@microturn/protocol';

/** One clause of speech or, of a voice that streams, a stretch of one. Times of `words` count from the start of `pcm`. */
export interface SpeechClause {
  /** [samples] mono in [-1, 1] at `rateHz`, silence trimmed at both ends of the clause. */
  readonly pcm: Float32Array;
  /** One of 8000, 12000, 16000, 24000, 48000: what Opus encodes without resampling. */
  readonly rateHz: number;
  /** Empty where no word ends in this stretch. */
  readonly text: string;
  /** Their texts, joined by spaces, are `text`. One may have begun before the stretch: at less than 0. */
  readonly words: readonly ResponseWord[];
  /** How long a speaker would pause before going on; not part of `pcm`. */
  readonly pauseMs: number;
}

export interface SpeakOptions {
  readonly signal?: AbortSignal;
  /** Pace, against the voice's own: 2 takes half the time. */
  readonly rate?: number;
  /** Whose response it is: what was rehearsed for others stays theirs. */
  readonly caller?: string | undefined;
  /** Something went wrong and was made up for: another voice goes on. */
  readonly onProblem?: (error: MicroturnError) => void;
}

/** Turns agent words into sound, for bundles without an audio head. */
export interface Voice {
  readonly name: string;
  /** It waits for others and not for this thread: texts for different listeners may be spoken at the same time. */
  readonly concurrent?: boolean;
  /**
   * Speaks `text` clause by clause, each as soon as it is ready. `pcm` is the caller's to keep or to transfer.
   * Once `signal` is aborted it gives nothing more and ends, without an error; so does what works for it, also where nobody asks
   * for more.
   * @throws {MicroturnError} `voice/failed` where the text cannot be spoken
   */
  speak(text: string, options?: SpeakOptions): AsyncIterable<SpeechClause>;
  /** This may be said soon for `caller`: a voice that has the time may make it now. Nothing is thrown, and nothing need come of it. */
  rehearse?(text: string, caller?: string): void;
  close(): Promise<void>;
}
