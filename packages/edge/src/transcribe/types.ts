import type { MicroturnError } from '@microturn/protocol';

/** What transcribers are given: 16-bit linear, mono. */
export const TRANSCRIBE_HZ = 16_000;

/** What is known of an utterance's words. */
export interface Transcript {
  /** All words so far, as written. */
  readonly words: readonly string[];
  /** The first of them, that will not be taken back. */
  readonly stable: number;
  /** Of them, those of the sound up to `coveredMs`; all where it is not said. */
  readonly covered?: number;
  /** Session ms up to which the sound was taken into account. */
  readonly coveredMs: number;
}

export interface TranscriptListener {
  /** So much was asked for, and so many seconds of sound were sent with it, again where they were sent before. */
  onSent?(sent: { readonly requests: number; readonly seconds: number }): void;
  onTranscript(transcript: Transcript): void;
  /** This utterance's words are not understood; nothing follows. */
  onFailed(error: MicroturnError): void;
}

/** One utterance on its way to words. */
export interface Transcription {
  /** The sound that follows what came before. @param toMs session ms at its end */
  push(pcm: Int16Array, toMs: number): void;
  /** Somebody waits for the words of all that was pushed, which may end in the middle of one: more may follow. */
  settle(): void;
  /** No word is wanted any more. Closing twice is harmless. */
  close(): void;
}

/** Sound to words. It feeds the transcript and what the LLM reads, never the floor. */
export interface Transcriber {
  readonly name: string;
  /** After somebody waited, what follows is heard together with what came before: a word that was cut there is heard whole. */
  readonly rehears: boolean;
  /** @param fromMs session ms of the first sample that will be pushed */
  start(fromMs: number, listener: TranscriptListener): Transcription;
  close(): void;
}
