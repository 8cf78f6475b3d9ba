import { MicroturnError } from '@microturn/protocol';
import { NothingToSay } from './nothing-to-say.js';
import { PcmStream } from './pcm-stream.js';
import { splitSentences, type Sentence } from './sentences.js';
import { readSoundHead } from './sound-head.js';
import { SpeakingRate, StreamedWords } from './streamed-words.js';
import type { SpeakOptions, SpeechClause, Voice } from './types.js';
import { readWavHeader, type WavFormat } from './wav-header.js';

/** Sound of one sentence as it comes: a WAV, or samples without a header at `rateHz`; what begins as a WAV is one, and what is neither fails. */
export interface SoundSource {
  readonly format: { readonly wav: true } | { readonly wav: false; readonly rateHz: number };
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface StreamedVoiceOptions {
  readonly name: string;
  /** Opens the sound of a sentence at `rate` times the voice's pace; `signal` ends it. */
  readonly open: (sentence: Sentence, signal: AbortSignal, rate: number) => SoundSource | Promise<SoundSource>;
  /** The first sound must be there by then, ms. */
  readonly firstAudioMs: number;
  /** And each that follows. */
  readonly stallMs: number;
}

/** The first stretch is as short as a listener can use, later ones are fewer messages. */
const FIRST_STRETCH_MS = 40;
const STRETCH_MS = 200;
/** Held back, so that there is sound for the words that are left at the end. */
const KEPT_MS = 20;
/** Between two sentences. */
const PAUSE_MS = 250;
/** More is no sentence: the source went wrong. */
const LONGEST_MS = 60_000;
/** A voice that is asked for words of another script gives an end without a sound, and no error. */
const NO_SOUND = 'the sentence has no sound';

/** A voice outside this thread, of any language: its sound is passed on as it comes. */
export class StreamedVoice implements Voice {
  readonly name: string;
  readonly concurrent = true;
  readonly #options: StreamedVoiceOptions;
  readonly #rate = new SpeakingRate();
  readonly #closing = new AbortController();

  constructor(options: StreamedVoiceOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async *speak(text: string, { signal, rate = 1 }: SpeakOptions = {}): AsyncGenerator<SpeechClause, void, void> {
    if (this.#closing.signal.aborted) throw new TypeError('the voice is closed');
    for (const sentence of splitSentences(text)) {
      if (signal?.aborted) return;
      try {
        yield* this.#say(sentence, rate, signal);
      } catch (cause) {
        if (signal?.aborted) return;
        throw MicroturnError.from(cause, 'voice/failed');
      }
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
  }

  async *#say(
    sentence: Sentence,
    rate: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<SpeechClause, void, void> {
    const { open, firstAudioMs, stallMs } = this.#options;
    const patience = new Patience([this.#closing.signal, ...(signal ? [signal] : [])]);
    const words = new StreamedWords(sentence.words, this.#rate);
    try {
      patience.expect(firstAudioMs, 'no sound');
      const source = await open(sentence, patience.signal, rate);
      let stretches: Stretches | undefined;
      for await (const { pcm, receivedMs } of toPcm(source, (rateHz) => (stretches = new Stretches(rateHz, words)))) {
        // What a source still gives while it is being ended is not said.
        patience.signal.throwIfAborted();
        const stretch = stretches!.push(pcm);
        if (stretch) {
          // What the listener's side does not take yet is not the source's fault.
          patience.expect(undefined, '');
          yield stretch;
        }
        // Silence that it begins with is no sound.
        if (stretches!.lengthMs > 0) patience.expect(stallMs, 'the sound stopped');
        if (receivedMs > LONGEST_MS) throw new Error('a sentence without an end');
      }
      // Nor is it the end of the sentence, whose words would be placed in what there is of it.
      patience.signal.throwIfAborted();
      const last = stretches?.finish();
      if (!last) throw new NothingToSay(NO_SOUND);
      yield last;
    } catch (cause) {
      throw patience.reason ?? cause;
    } finally {
      patience.close();
    }
  }
}

/** Reads samples, with or without a header before them; each time with how much came so far, silence that is held back too. */
async function* toPcm(
  { format, bytes }: SoundSource,
  onRate: (rateHz: number) => void,
): AsyncGenerator<{ readonly pcm: Float32Array; readonly receivedMs: number }, void, void> {
  let head = Buffer.alloc(0);
  let stream: PcmStream | undefined;
  const begin = (rateHz: number) => {
    const begun = new PcmStream(rateHz);
    onRate(begun.rateHz);
    return begun;
  };
  for await (const chunk of bytes) {
    let samples = chunk;
    if (!stream) {
      head = Buffer.concat([head, chunk]);
      const header = readHead(format, head);
      if (!header) continue;
      stream = begin(header.rateHz);
      samples = head.subarray(header.dataAt);
    }
    yield { pcm: stream.push(samples), receivedMs: stream.receivedMs };
  }
  if (!stream) throw format.wav ? new Error('the sound ended in its header') : new NothingToSay(NO_SOUND);
  yield { pcm: stream.flush(), receivedMs: stream.receivedMs };
}

/** Where samples begin, and how they are; undefined where more bytes are needed. */
function readHead(format: SoundSource['format'], head: Buffer): WavFormat | undefined {
  if (format.wav) return readWavHeader(head);
  const begun = readSoundHead(head);
  if (begun === undefined) return undefined;
  if (typeof begun === 'object') throw new Error(`the sound is ${begun.other}, and not PCM`);
  return begun === 'wav' ? readWavHeader(head) : { rateHz: format.rateHz, dataAt: 0 };
}

/** Gathers samples to stretches, each with the words that end in it. */
class Stretches {
  readonly #rateHz: number;
  readonly #words: StreamedWords;
  #pending = new Float32Array(0);
  /** Of what was given out. */
  #givenMs = 0;

  constructor(rateHz: number, words: StreamedWords) {
    this.#rateHz = rateHz;
    this.#words = words;
  }
  /** Of all sound so far. */
  get lengthMs(): number {
    return this.#givenMs + this.#pendingMs;
  }
  get #pendingMs(): number {
    return (this.#pending.length * 1000) / this.#rateHz;
  }

  push(pcm: Float32Array): SpeechClause | undefined {
    const pending = new Float32Array(this.#pending.length + pcm.length);
    pending.set(this.#pending);
    pending.set(pcm, this.#pending.length);
    this.#pending = pending;
    const dueMs = this.#givenMs === 0 ? FIRST_STRETCH_MS : STRETCH_MS;
    return this.#pendingMs < dueMs + KEPT_MS ? undefined : this.#give(false);
  }
  finish(): SpeechClause | undefined {
    return this.#pending.length === 0 ? undefined : this.#give(true);
  }

  #give(last: boolean): SpeechClause {
    const startMs = this.#givenMs;
    const cut = last ? this.#pending.length : this.#pending.length - (KEPT_MS * this.#rateHz) / 1000;
    const pcm = this.#pending.slice(0, cut);
    this.#pending = this.#pending.slice(cut);
    this.#givenMs += (pcm.length * 1000) / this.#rateHz;
    const ended = last ? this.#words.finish(this.#givenMs) : this.#words.take(this.#givenMs);
    const words = ended.map(({ text, startMs: from, endMs: to }) => ({
      text,
      startMs: from - startMs,
      endMs: to - startMs,
    }));
    const text = words.map((word) => word.text).join(' ');
    return { pcm, rateHz: this.#rateHz, text, words, pauseMs: last ? PAUSE_MS : 0 };
  }
}

/** An abort signal that fires where what is expected does not come. */
class Patience {
  readonly #abort = new AbortController();
  readonly signal: AbortSignal;
  #timer: NodeJS.Timeout | undefined;
  reason: MicroturnError | undefined;

  constructor(signals: readonly AbortSignal[]) {
    this.signal = AbortSignal.any([...signals, this.#abort.signal]);
  }
  expect(ms: number | undefined, problem: string): void {
    clearTimeout(this.#timer);
    if (ms === undefined) return;
    this.#timer = setTimeout(() => {
      this.reason = new MicroturnError('voice/failed', `${problem} within ${ms} ms`);
      this.#abort.abort(this.reason);
    }, ms);
  }
  close(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }
}
