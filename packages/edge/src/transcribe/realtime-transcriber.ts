import { MicroturnError } from '@microturn/protocol';
import { WebSocket, type RawData } from 'ws';
import { Resampler } from '../pcm/resampler.js';
import { TRANSCRIBE_HZ, type Transcriber, type TranscriptListener, type Transcription } from './types.js';

export interface RealtimeTranscriberOptions {
  /** `openai`: 24 kHz, a transcript for every commit. `vllm`: 16 kHz, one stream of words for the socket. */
  readonly dialect: 'openai' | 'vllm';
  /** With its `/v1`; `/realtime` is appended. */
  readonly baseUrl: string;
  readonly apiKey?: string | undefined;
  readonly model: string;
  readonly language?: string | undefined;
  /** From a commit to its words, ms; what takes longer is given up. */
  readonly timeoutMs?: number | undefined;
}

const OPENAI_HZ = 24_000;
const TIMEOUT_MS = 4000;
const LONGEST_MESSAGE_BYTES = 1 << 20;
/** Sound that waits for the socket to open or to take more, or for vLLM to. Policy `reject`: the utterance fails. */
const WAITING_BYTES = 1 << 20;
const LONGEST_WORDS = 4000;

/** Transcription over a WebSocket, as OpenAI and vLLM speak it: sound goes out as it comes, words come back as they are known. */
export class RealtimeTranscriber implements Transcriber {
  readonly name: string;
  readonly rehears = false;
  readonly #options: RealtimeTranscriberOptions;
  readonly #open = new Set<Transcription>();

  constructor(options: RealtimeTranscriberOptions) {
    this.name = options.model;
    this.#options = options;
  }
  /** A socket for each utterance: it opens while the user speaks. */
  start(fromMs: number, listener: TranscriptListener): Transcription {
    const one: Transcription = new SocketTranscription(this.#options, fromMs, listener, () => this.#open.delete(one));
    this.#open.add(one);
    return one;
  }
  close(): void {
    for (const one of this.#open) one.close();
  }
}

/** What is committed together. Its words come as they are known; those of a later one may come first. */
interface Part {
  /** As the server calls it, where it does. */
  id: string | undefined;
  /** Session ms at its end, once it is committed. */
  toMs: number | undefined;
  text: string;
  done: boolean;
}

/** What is sent of the sound; the session's own message comes before. */
interface Outgoing {
  readonly text: string;
  /** Of sound in it; undefined where it is the commit of what was sent. */
  readonly seconds: number | undefined;
}

class SocketTranscription implements Transcription {
  readonly #options: RealtimeTranscriberOptions;
  readonly #listener: TranscriptListener;
  readonly #onClosed: () => void;
  /** None where it could not even be made. */
  readonly #socket: WebSocket | undefined;
  readonly #resampler: Resampler | undefined;
  #waiting: Outgoing[] = [];
  #waitingBytes = 0;
  #ready = false;
  /** What vLLM does with the sound; it forgets what it is sent from a final commit on until all words are told. */
  #vllm: 'idle' | 'transcribes' | 'ends' = 'idle';
  readonly #fromMs: number;
  #toMs: number;
  /** In the order of the sound. */
  readonly #parts: Part[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: RealtimeTranscriberOptions, fromMs: number, listener: TranscriptListener, onClosed: () => void) {
    this.#options = options;
    this.#listener = listener;
    this.#onClosed = onClosed;
    this.#fromMs = fromMs;
    this.#toMs = fromMs;
    this.#resampler = options.dialect === 'openai' ? new Resampler(TRANSCRIBE_HZ, OPENAI_HZ) : undefined;
    try {
      this.#socket = openSocket(options);
    } catch (cause) {
      // Nobody can be told before they have what they are told of.
      queueMicrotask(() => this.#fail(cause));
      return;
    }
    this.#socket.once('open', () => this.#onOpen());
    this.#socket.on('message', (data) => this.#onMessage(data));
    this.#socket.on('error', (cause) => this.#fail(cause));
    this.#socket.once('close', () => this.#fail(new Error('the socket was closed')));
  }

  push(pcm: Int16Array, toMs: number): void {
    if (this.#closed) return;
    this.#toMs = toMs;
    const bytes = this.#resampler ? toPcm16(this.#resampler.push(toFloat(pcm))) : pcm;
    const audio = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
    this.#send({ type: 'input_audio_buffer.append', audio }, pcm.length / TRANSCRIBE_HZ);
  }
  settle(): void {
    const last = this.#parts.at(-1);
    if (this.#closed || last?.toMs === this.#toMs) return;
    const { dialect } = this.#options;
    if (last && !last.done && last.toMs === undefined) last.toMs = this.#toMs;
    else this.#begin(this.#toMs);
    this.#send({ type: 'input_audio_buffer.commit', ...(dialect === 'vllm' && { final: true }) });
    this.#timer ??= this.#startTimer();
  }
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#waiting = [];
    // Closing one that is still connecting is an error of its own; it has nobody to tell.
    this.#socket?.removeAllListeners();
    this.#socket?.on('error', () => {});
    this.#socket?.close();
    this.#onClosed();
  }

  #onOpen(): void {
    const { dialect, model, language } = this.#options;
    this.#ready = true;
    const transcription = { model, ...(language !== undefined && { language }) };
    const format = { type: 'audio/pcm', rate: OPENAI_HZ };
    const audio = { input: { format, transcription, turn_detection: null } };
    this.#socket?.send(
      JSON.stringify(
        dialect === 'vllm'
          ? { type: 'session.update', model }
          : { type: 'session.update', session: { type: 'transcription', audio } },
      ),
    );
    this.#flush();
  }

  #send(message: object, seconds?: number): void {
    const text = JSON.stringify(message);
    this.#waiting.push({ text, seconds });
    this.#waitingBytes += text.length;
    this.#flush();
    if (this.#waitingBytes + (this.#socket?.bufferedAmount ?? 0) > WAITING_BYTES)
      this.#fail(new Error('the sound is not taken'));
  }

  #flush(): void {
    while (this.#ready && this.#vllm !== 'ends') {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#waitingBytes -= next.text.length;
      this.#socket?.send(next.text);
      const isCommit = next.seconds === undefined;
      this.#listener.onSent?.({ requests: isCommit ? 1 : 0, seconds: next.seconds ?? 0 });
      if (this.#options.dialect !== 'vllm') continue;
      // vLLM writes from a commit on, as the sound comes, until one that is final.
      if (isCommit) this.#vllm = 'ends';
      else if (this.#vllm === 'idle') {
        this.#vllm = 'transcribes';
        this.#socket?.send(JSON.stringify({ type: 'input_audio_buffer.commit', final: false }));
      }
    }
  }

  #startTimer(): NodeJS.Timeout {
    const { timeoutMs = TIMEOUT_MS } = this.#options;
    return setTimeout(() => this.#fail(new Error(`no words within ${timeoutMs} ms`)), timeoutMs).unref();
  }

  #onMessage(data: RawData): void {
    let message: ServerMessage;
    try {
      message = parseObject(String(data));
    } catch (cause) {
      this.#fail(cause);
      return;
    }
    const { type, item_id: itemId } = message;
    switch (type) {
      case 'input_audio_buffer.committed': {
        const committed = this.#parts.find(({ id }) => id === undefined);
        if (committed && typeof itemId === 'string') committed.id = itemId;
        return;
      }
      case 'conversation.item.input_audio_transcription.delta':
      case 'transcription.delta':
        if (typeof message.delta === 'string') this.#partOf(itemId).text += message.delta;
        this.#tell();
        return;
      case 'conversation.item.input_audio_transcription.completed':
        this.#complete(this.#partOf(itemId), message.transcript);
        return;
      case 'transcription.done':
        this.#vllm = 'idle';
        this.#complete(this.#partOf(itemId), message.text);
        this.#flush();
        return;
      case 'conversation.item.input_audio_transcription.failed':
      case 'error':
        this.#fail(new Error(errorText(message.error)));
        return;
      default:
    }
  }

  #begin(toMs?: number): Part {
    const part: Part = { id: undefined, toMs, text: '', done: false };
    this.#parts.push(part);
    return part;
  }

  /** The part that the server means; where it does not say, the first that is not done. */
  #partOf(itemId: unknown): Part {
    const named = typeof itemId === 'string' ? this.#parts.find(({ id }) => id === itemId) : undefined;
    return named ?? this.#parts.find(({ done }) => !done) ?? this.#begin();
  }

  #complete(part: Part, text: unknown): void {
    if (typeof text === 'string') part.text = text;
    part.done = true;
    clearTimeout(this.#timer);
    // Somebody waits for the words of a later commit, too.
    this.#timer = this.#parts.some(({ done, toMs }) => !done && toMs !== undefined) ? this.#startTimer() : undefined;
    this.#tell();
  }

  #tell(): void {
    const all = this.#parts.map(({ text }) => toWords(text));
    const words = all.flat();
    if (words.length > LONGEST_WORDS) {
      this.#fail(new Error('more words than anybody says'));
      return;
    }
    const open = this.#parts.findIndex(({ done }) => !done);
    const known = this.#parts.slice(0, open < 0 ? undefined : open);
    // The last word of a stream may be half of one, and what is before later parts is still to come.
    const covered = all.slice(0, known.length).flat().length;
    const stable = covered + Math.max(0, (all[open]?.length ?? 0) - 1);
    const coveredMs = known.findLast(({ toMs }) => toMs !== undefined)?.toMs ?? this.#fromMs;
    this.#listener.onTranscript({ words, stable, coveredMs, ...(covered < words.length && { covered }) });
  }

  #fail(cause: unknown): void {
    if (this.#closed) return;
    this.close();
    this.#listener.onFailed(MicroturnError.from(cause, 'transcriber/failed'));
  }
}

type ServerMessage = Readonly<Partial<Record<'type' | 'item_id' | 'delta' | 'transcript' | 'text' | 'error', unknown>>>;

/** @throws {Error} where it is anything else, or no JSON at all */
function parseObject(json: string): ServerMessage {
  const value = JSON.parse(json) as unknown;
  if (typeof value !== 'object' || value === null) throw new Error('the server sent JSON that is no object');
  return value;
}

/** @throws {Error} where the URL or the key is none that can be sent */
function openSocket({ dialect, baseUrl, apiKey, timeoutMs = TIMEOUT_MS }: RealtimeTranscriberOptions): WebSocket {
  const url = `${baseUrl.replace(/^http/, 'ws').replace(/\/$/, '')}/realtime`;
  return new WebSocket(dialect === 'openai' ? `${url}?intent=transcription` : url, {
    headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
    handshakeTimeout: timeoutMs,
    maxPayload: LONGEST_MESSAGE_BYTES,
  });
}

function toWords(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function errorText(error: unknown): string {
  if (typeof error === 'string') return error;
  const { message } = (error ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : 'the server refused';
}

function toFloat(pcm: Int16Array): Float32Array {
  return Float32Array.from(pcm, (sample) => sample / 0x8000);
}

function toPcm16(pcm: Float32Array): Int16Array {
  return Int16Array.from(pcm, (sample) => Math.round(Math.max(-1, Math.min(1, sample)) * 0x7fff));
}
