import { basename } from 'node:path';
import { MicroturnError } from '@microturn/protocol';
import { TRANSCRIBE_HZ, type Transcriber, type TranscriptListener, type Transcription } from '../transcribe/types.js';
import type { SherpaReport } from './messages.js';
import { findRecognizer, type CtcKind } from './model-folder.js';
import { SherpaHost, type SherpaHostOptions } from './sherpa-host.js';

export interface SherpaTranscriberOptions extends SherpaHostOptions {
  /** The folder of a streaming model, as sherpa-onnx publishes them. */
  readonly model: string;
  /** What a graph is that stands alone. */
  readonly ctc?: CtcKind | undefined;
  readonly threads?: number | undefined;
  /** Words that are wanted and not there by then are given up, ms. */
  readonly timeoutMs?: number | undefined;
}

const TIMEOUT_MS = 4000;
/** A streaming model that was not asked to settle has not said the words of its newest sound. */
const LAG_MS = 400;
/** Sound that the process has not answered. Policy `reject`: the utterance fails. */
const WAITING_MS = 20_000;

/** Streaming transcription on this machine, by a model that the user gives: every utterance is heard once, as it comes. */
export class SherpaTranscriber implements Transcriber {
  readonly name: string;
  readonly rehears = false;
  readonly #host: SherpaHost;
  readonly #timeoutMs: number;
  readonly #open = new Map<number, SherpaTranscription>();
  #count = 0;

  /** @throws {MicroturnError} `edge/config` where the package is not installed, or the folder holds no model */
  constructor({
    model,
    ctc = 'zipformer2-ctc',
    threads = 1,
    timeoutMs = TIMEOUT_MS,
    ...options
  }: SherpaTranscriberOptions) {
    this.name = `sherpa-onnx/${basename(model)}`;
    this.#timeoutMs = timeoutMs;
    const job = { does: 'recognise', model: findRecognizer(model, ctc, threads) } as const;
    const listener = {
      onReport: (report: SherpaReport) => {
        if (report.type === 'words') this.#open.get(report.id)?.take(report);
      },
      onEnded: (error: MicroturnError) => {
        for (const one of this.#open.values()) one.fail(error);
      },
    };
    this.#host = new SherpaHost(job, 'transcriber/failed', listener, options);
  }

  start(fromMs: number, listener: TranscriptListener): Transcription {
    const id = ++this.#count;
    const one = new SherpaTranscription({
      id,
      fromMs,
      listener,
      timeoutMs: this.#timeoutMs,
      host: this.#host,
      onClosed: () => this.#open.delete(id),
    });
    this.#open.set(id, one);
    one.begin();
    return one;
  }
  close(): void {
    for (const one of this.#open.values()) one.close();
    this.#host.close();
  }
}

interface SherpaTranscriptionParts {
  readonly id: number;
  readonly fromMs: number;
  readonly listener: TranscriptListener;
  readonly timeoutMs: number;
  readonly host: SherpaHost;
  readonly onClosed: () => void;
}

class SherpaTranscription implements Transcription {
  readonly #parts: SherpaTranscriptionParts;
  #answeredMs: number;
  #settles = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(parts: SherpaTranscriptionParts) {
    this.#parts = parts;
    this.#answeredMs = parts.fromMs;
  }

  begin(): void {
    const { id, host } = this.#parts;
    // Nobody can be told before they have what they are told of.
    if (!host.post({ type: 'start', id }))
      queueMicrotask(() => this.fail(new MicroturnError('transcriber/failed', 'it ended too often')));
  }
  push(pcm: Int16Array, toMs: number): void {
    if (this.#closed) return;
    const { id, host } = this.#parts;
    if (toMs - this.#answeredMs > WAITING_MS)
      this.fail(new MicroturnError('transcriber/failed', 'it is slower than speech'));
    else {
      this.#parts.listener.onSent?.({ requests: 0, seconds: pcm.length / TRANSCRIBE_HZ });
      host.post({ type: 'push', id, pcm, toMs });
    }
  }
  settle(): void {
    if (this.#closed) return;
    const { id, host, timeoutMs } = this.#parts;
    this.#settles++;
    this.#parts.listener.onSent?.({ requests: 1, seconds: 0 });
    host.post({ type: 'settle', id });
    this.#timer ??= setTimeout(() => {
      this.fail(new MicroturnError('transcriber/failed', `no words within ${timeoutMs} ms`));
    }, timeoutMs).unref();
  }
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#parts.host.post({ type: 'stop', id: this.#parts.id });
    this.#parts.onClosed();
  }

  take({ text, toMs, settled }: SherpaReport & { type: 'words' }): void {
    this.#answeredMs = toMs;
    if (settled && --this.#settles === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    const words = text.split(/\s+/).filter((word) => word !== '');
    // The last word may be a part of one: what comes after it tells, or silence.
    const stable = settled ? words.length : Math.max(0, words.length - 1);
    this.#parts.listener.onTranscript({
      words,
      stable,
      coveredMs: settled ? toMs : Math.max(this.#parts.fromMs, toMs - LAG_MS),
    });
  }
  fail(error: MicroturnError): void {
    if (this.#closed) return;
    this.close();
    this.#parts.listener.onFailed(error);
  }
}
