import { MicroturnError } from '@microturn/protocol';
import { within } from '../clock.js';
import { GrowingClip } from './growing-clip.js';
import { GrowingWords } from './growing-words.js';
import { RefusedTranscription, requestTranscription, type TranscriptionService } from './request.js';
import { TRANSCRIBE_HZ, type Transcriber, type TranscriptListener, type Transcription } from './types.js';

export interface HttpTranscriberOptions extends TranscriptionService {
  /** At most one request in this time while the user speaks, ms. Each has the utterance so far in it, or its last `TOO_LONG_MS`, and is paid for. */
  readonly everyMs?: number | undefined;
  /** An answer that takes longer is given up, ms. */
  readonly timeoutMs?: number | undefined;
  readonly now?: () => number;
}

const EVERY_MS = 400;
const TIMEOUT_MS = 4000;
/** Less has no word in it, and makes Whisper invent some. */
const SHORTEST_MS = 300;
/** From here on the clip begins anew where the speaker pauses, */
const LONG_MS = 15_000;
/** and here wherever it is: two answers that take `TIMEOUT_MS` may still come before it is full. */
const TOO_LONG_MS = 22_000;
/** Of a request whose words somebody waits for. */
const TRIES = 2;

/** OpenAI-compatible `/audio/transcriptions`, asked again and again with a clip that grows: partial words of a model that has none. */
export class HttpTranscriber implements Transcriber {
  readonly name: string;
  readonly rehears = true;
  readonly #options: HttpTranscriberOptions;
  readonly #open = new Set<GrowingTranscription>();

  constructor(options: HttpTranscriberOptions) {
    this.name = options.model;
    this.#options = options;
  }
  start(fromMs: number, listener: TranscriptListener): Transcription {
    const one = new GrowingTranscription(this.#options, fromMs, listener, () => this.#open.delete(one));
    this.#open.add(one);
    return one;
  }
  close(): void {
    for (const one of this.#open) one.close();
  }
}

class GrowingTranscription implements Transcription {
  readonly #options: HttpTranscriberOptions;
  readonly #listener: TranscriptListener;
  readonly #onClosed: () => void;
  readonly #clip: GrowingClip;
  readonly #words = new GrowingWords();
  #request: { readonly abort: AbortController; readonly toMs: number } | undefined;
  /** Without anybody who waits, no request before then; */
  #dueAtMs = -Infinity;
  /** nor before this, however long the clip is: the server asked for that. */
  #restsToMs = -Infinity;
  #coveredMs: number;
  /** Somebody waits for the words up to here. */
  #settleMs: number | undefined;
  #failures = 0;
  #closed = false;

  constructor(options: HttpTranscriberOptions, fromMs: number, listener: TranscriptListener, onClosed: () => void) {
    this.#options = options;
    this.#listener = listener;
    this.#onClosed = onClosed;
    this.#clip = new GrowingClip(fromMs);
    this.#coveredMs = fromMs;
  }

  push(pcm: Int16Array, toMs: number): void {
    if (this.#closed) return;
    if (this.#clip.push(pcm, toMs)) this.#next();
    else this.#giveUp(new MicroturnError('transcriber/failed', 'its words come later and later'));
  }
  settle(): void {
    if (this.#closed) return;
    const { toMs } = this.#clip;
    this.#settleMs = toMs;
    // One that is on its way knows less than is wanted now.
    if (this.#request && this.#request.toMs < toMs) this.#cancel();
    this.#next();
  }
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancel();
    this.#onClosed();
  }

  #cancel(): void {
    this.#request?.abort.abort();
    this.#request = undefined;
  }

  /** One request at a time: now where somebody waits, else when it is time and there is more to hear. */
  #next(): void {
    if (this.#closed || this.#request || this.#clip.toMs <= this.#coveredMs) return;
    const nowMs = this.#now();
    const due = nowMs >= this.#restsToMs && (nowMs >= this.#dueAtMs || this.#clip.lengthMs >= TOO_LONG_MS);
    if (!this.#isWanted && (this.#clip.lengthMs < SHORTEST_MS || !due)) return;
    void this.#ask();
  }
  get #isWanted(): boolean {
    return this.#settleMs !== undefined && this.#settleMs > this.#coveredMs;
  }

  async #ask(): Promise<void> {
    const { everyMs = EVERY_MS, timeoutMs = TIMEOUT_MS } = this.#options;
    const request = { abort: new AbortController(), toMs: this.#clip.toMs };
    this.#request = request;
    this.#dueAtMs = this.#now() + everyMs;
    const pcm = this.#clip.read();
    const { end } = this.#clip;
    this.#listener.onSent?.({ requests: 1, seconds: pcm.length / TRANSCRIBE_HZ });
    let text: string;
    try {
      text = await within(timeoutMs, request.abort.signal, (signal) =>
        requestTranscription({ pcm, rateHz: TRANSCRIBE_HZ }, this.#options, signal),
      );
    } catch (cause) {
      if (this.#request !== request) return;
      this.#request = undefined;
      this.#fail(cause);
      return;
    }
    if (this.#request !== request) return;
    this.#request = undefined;
    this.#failures = 0;
    this.#coveredMs = request.toMs;
    this.#listener.onTranscript({ ...this.#words.take(text, end), coveredMs: request.toMs });
    this.#shorten();
    this.#next();
  }

  /** The words of a long clip are settled, and its sound is sent no more. */
  #shorten(): void {
    const { lengthMs } = this.#clip;
    if (lengthMs < LONG_MS) return;
    const place = this.#words.settleToPause() ?? (lengthMs < TOO_LONG_MS ? undefined : this.#words.settleAll());
    if (place !== undefined) this.#clip.beginAt(place);
  }

  #fail(cause: unknown): void {
    if (!this.#isWanted) {
      // Nothing is lost: the next one has this sound in it as well.
      if (cause instanceof RefusedTranscription) this.#restsToMs = this.#now() + (cause.retryAfterMs ?? 0);
      return;
    }
    if (++this.#failures < TRIES) {
      this.#next();
      return;
    }
    const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
    this.#giveUp(
      timedOut
        ? new MicroturnError('transcriber/failed', 'no answer in time', { cause })
        : MicroturnError.from(cause, 'transcriber/failed'),
    );
  }

  #giveUp(error: MicroturnError): void {
    this.close();
    this.#listener.onFailed(error);
  }

  #now(): number {
    return (this.#options.now ?? performance.now.bind(performance))();
  }
}
