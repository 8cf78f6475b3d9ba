import type { IncomingMessage, ServerResponse } from 'node:http';
import * as v from 'valibot';
import { WebSocketServer, type WebSocket } from 'ws';
import { fail, parseJson, readBody, StrictServer } from './strict-server.js';

/** How the server speaks one text. What is left out is the ordinary case. */
export interface ScriptedSpeech {
  /** Before the first byte. */
  readonly delayMs?: number;
  /** Seconds of sound in a second; all at once where none is given. */
  readonly speed?: number;
  /** After so much sound nothing more comes, and the connection stays open. */
  readonly stallAfterMs?: number;
  /** After so much sound the connection is cut. */
  readonly cutAfterMs?: number;
  /** A failure instead of sound. */
  readonly status?: number;
  /** What is sent instead of a WAV's header, or before samples that have none. */
  readonly header?: Uint8Array;
  /** What the answer says it is. */
  readonly contentType?: string;
}

export interface RecordedSpeech {
  readonly body: SpeechRequest;
  readonly atMs: number;
  /** Sound that was sent. */
  readonly sentMs: number;
  readonly outcome: 'open' | 'done' | 'failed' | 'aborted';
}

/** How the server transcribes what it hears over a WebSocket. */
export interface ScriptedHearing {
  /** The words that ended in the first `heardMs` of the sound since the socket opened. */
  readonly words: (heardMs: number) => string;
  /** From a commit to the first word. */
  readonly delayMs?: number;
  /** The socket is closed after so much sound. */
  readonly dropAfterMs?: number;
  /** Says an error instead of any word. */
  readonly error?: string;
}

export interface RecordedHearing {
  readonly dialect: 'openai' | 'vllm';
  readonly model: string;
  readonly language: string | undefined;
  readonly heardMs: number;
  readonly commits: number;
  readonly closed: boolean;
}

export interface SpeechServerOptions {
  /** Replies in the order of the requests (the last one stays), or one for each. */
  readonly speak?: readonly ScriptedSpeech[] | ((request: SpeechRequest, index: number) => ScriptedSpeech);
  readonly hear?: ScriptedHearing;
  /** Of the sound that it makes. OpenAI's is 24 000. */
  readonly rateHz?: number;
  /** Demanded as a bearer token, where given. */
  readonly apiKey?: string;
}

const SpeechRequest = v.strictObject({
  model: v.pipe(v.string(), v.minLength(1)),
  input: v.pipe(v.string(), v.minLength(1), v.maxLength(4096)),
  voice: v.pipe(v.string(), v.minLength(1)),
  response_format: v.picklist(['pcm', 'wav']),
  speed: v.optional(v.pipe(v.number(), v.minValue(0.25), v.maxValue(4))),
  instructions: v.optional(v.string()),
});
export type SpeechRequest = v.InferOutput<typeof SpeechRequest>;

const Audio = v.pipe(v.string(), v.base64());
const openAiMessage = v.variant('type', [
  v.strictObject({
    type: v.literal('session.update'),
    session: v.strictObject({
      type: v.literal('transcription'),
      audio: v.strictObject({
        input: v.strictObject({
          format: v.strictObject({ type: v.literal('audio/pcm'), rate: v.literal(24_000) }),
          transcription: v.strictObject({
            model: v.pipe(v.string(), v.minLength(1)),
            language: v.optional(v.string()),
          }),
          turn_detection: v.null(),
        }),
      }),
    }),
  }),
  v.strictObject({ type: v.literal('input_audio_buffer.append'), audio: Audio }),
  v.strictObject({ type: v.literal('input_audio_buffer.commit') }),
]);
const vllmMessage = v.variant('type', [
  v.strictObject({ type: v.literal('session.update'), model: v.pipe(v.string(), v.minLength(1)) }),
  v.strictObject({ type: v.literal('input_audio_buffer.append'), audio: Audio }),
  v.strictObject({ type: v.literal('input_audio_buffer.commit'), final: v.boolean() }),
]);

/** A chunk of sound as it is sent. */
const CHUNK_MS = 40;
/** Of one character, as spoken: 15 in a second. */
const CHAR_MS = 65;
const MAX_BODY_BYTES = 1 << 20;

/**
 * A server of OpenAI's speech formats (`/audio/speech` as a stream, `/realtime` transcription, and vLLM's of that) that
 * does what it was told to, refuses every request that is not exactly in order, and keeps what it was asked.
 *
 *     const server = await SpeechServer.start({ speak: [{ delayMs: 80, speed: 4 }] });
 *     // … baseUrl: server.url
 *     await server.close();
 */
export class SpeechServer extends StrictServer {
  /** Requests that were in order, oldest first. */
  readonly spoken: RecordedSpeech[] = [];
  readonly heard: RecordedHearing[] = [];
  readonly #options: SpeechServerOptions;
  readonly #sockets = new WebSocketServer({ noServer: true });

  private constructor(options: SpeechServerOptions) {
    super(options.apiKey);
    this.#options = options;
    this.http.on('upgrade', (request, socket, head) => {
      const url = new URL(request.url ?? '', 'http://server');
      if (url.pathname !== '/v1/realtime' || !this.isAllowed(request)) {
        this.problems.push(`refused a socket to ${request.url}`);
        socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n');
        return;
      }
      const dialect = url.searchParams.get('intent') === 'transcription' ? 'openai' : 'vllm';
      this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#hear(ws, dialect));
    });
  }

  /** Listens on a free port of this machine. */
  static async start(options: SpeechServerOptions = {}): Promise<SpeechServer> {
    const server = new SpeechServer(options);
    await server.listen();
    return server;
  }

  override close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    return super.close();
  }

  protected override async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.isAllowed(request)) return fail(response, 401, 'Incorrect API key provided');
    if (`${request.method} ${request.url}` !== 'POST /v1/audio/speech') {
      return this.refuse(response, 404, `Unknown request URL: ${request.method} ${request.url}`);
    }
    if (request.headers['content-type'] !== 'application/json') {
      return this.refuse(response, 415, `content-type: ${String(request.headers['content-type'])}`);
    }
    const parsed = v.safeParse(SpeechRequest, parseJson((await readBody(request, MAX_BODY_BYTES)).toString('utf8')));
    if (!parsed.success) {
      return this.refuse(response, 400, `${v.getDotPath(parsed.issues[0])}: ${parsed.issues[0].message}`);
    }
    const index = this.spoken.length;
    const record: { -readonly [K in keyof RecordedSpeech]: RecordedSpeech[K] } = {
      body: parsed.output,
      atMs: performance.now(),
      sentMs: 0,
      outcome: 'open',
    };
    this.spoken.push(record);
    response.once('close', () => {
      if (record.outcome === 'open') record.outcome = 'aborted';
    });
    const { speak = [{}] } = this.#options;
    const script =
      typeof speak === 'function' ? speak(parsed.output, index) : speak[Math.min(index, speak.length - 1)]!;
    await this.sleep(script.delayMs ?? 0);
    if (response.destroyed) return;
    if (script.status !== undefined && script.status !== 200) {
      record.outcome = 'failed';
      return fail(response, script.status, `scripted ${script.status}`);
    }
    await this.#speak(record, script, response);
  }

  async #speak(
    record: { -readonly [K in keyof RecordedSpeech]: RecordedSpeech[K] },
    { speed, stallAfterMs = Infinity, cutAfterMs = Infinity, header, contentType }: ScriptedSpeech,
    response: ServerResponse,
  ): Promise<void> {
    const { input, response_format: format } = record.body;
    const { rateHz = 24_000 } = this.#options;
    const lengthMs = input.length * CHAR_MS;
    response.writeHead(200, { 'content-type': contentType ?? (format === 'wav' ? 'audio/wav' : 'audio/pcm') });
    const before = header ?? (format === 'wav' ? streamedWavHeader(rateHz) : undefined);
    if (before) response.write(before);
    const beganMs = performance.now();
    while (record.sentMs < lengthMs) {
      if (record.sentMs >= stallAfterMs) return;
      if (record.sentMs >= cutAfterMs) {
        record.outcome = 'failed';
        response.destroy();
        return;
      }
      if (speed !== undefined) await this.sleep(beganMs + (record.sentMs + CHUNK_MS) / speed - performance.now());
      if (response.destroyed) return;
      const chunkMs = Math.min(CHUNK_MS, lengthMs - record.sentMs);
      await new Promise<void>((resolve) => {
        response.write(tone(record.sentMs, chunkMs, rateHz), () => resolve());
      });
      record.sentMs += chunkMs;
    }
    record.outcome = 'done';
    response.end();
  }

  #hear(ws: WebSocket, dialect: RecordedHearing['dialect']): void {
    const { words = () => '', delayMs = 0, dropAfterMs = Infinity, error } = this.#options.hear ?? {};
    const record: { -readonly [K in keyof RecordedHearing]: RecordedHearing[K] } = {
      dialect,
      model: '',
      language: undefined,
      heardMs: 0,
      commits: 0,
      closed: false,
    };
    this.heard.push(record);
    ws.once('close', () => (record.closed = true));
    const send = (message: object) => ws.send(JSON.stringify(message));
    const refuse = (problem: string) => {
      this.problems.push(problem);
      send({ type: 'error', error: { type: 'invalid_request_error', message: problem } });
    };
    send({ type: 'session.created', event_id: 'e0', session: { id: 's0' } });
    let toldWords = 0;
    let doneWords = 0;
    const tell = async (final: boolean) => {
      const heardMs = record.heardMs;
      const itemId = `item_${record.commits}`;
      await this.sleep(delayMs);
      if (ws.readyState !== ws.OPEN) return;
      if (error !== undefined) {
        send({ type: 'error', error: { type: 'server_error', message: error } });
        return;
      }
      const all = words(heardMs).split(' ').filter(Boolean);
      const fresh = all.slice(toldWords);
      toldWords = all.length;
      for (const [i, word] of fresh.entries()) {
        const delta = i === 0 && dialect === 'openai' ? word : ` ${word}`;
        if (dialect === 'openai') {
          send({ type: 'conversation.item.input_audio_transcription.delta', event_id: 'e', item_id: itemId, delta });
        } else send({ type: 'transcription.delta', delta });
      }
      if (dialect === 'openai') {
        const transcript = fresh.join(' ');
        const type = 'conversation.item.input_audio_transcription.completed';
        send({ type, event_id: 'e', item_id: itemId, content_index: 0, transcript });
      } else if (final) {
        send({ type: 'transcription.done', text: all.slice(doneWords).join(' ') });
        doneWords = all.length;
      }
    };
    const hear = (ms: number) => {
      record.heardMs += ms;
      if (record.heardMs > dropAfterMs) ws.terminate();
    };
    const stream = new VllmStream({ hear, tell });
    ws.on('message', (data) => {
      const parsed = v.safeParse(dialect === 'openai' ? openAiMessage : vllmMessage, parseJson(String(data)));
      if (!parsed.success) return refuse(`${v.getDotPath(parsed.issues[0]) ?? 'message'}: ${parsed.issues[0].message}`);
      const message = parsed.output;
      switch (message.type) {
        case 'session.update':
          if ('model' in message) record.model = message.model;
          else {
            record.model = message.session.audio.input.transcription.model;
            record.language = message.session.audio.input.transcription.language;
            send({ type: 'session.updated', event_id: 'e1', session: message.session });
          }
          return;
        case 'input_audio_buffer.append': {
          if (record.model === '') return refuse('sound before session.update');
          const samples = Buffer.from(message.audio, 'base64').length / 2;
          if (dialect === 'openai') hear(samples / 24);
          else stream.append(samples / 16);
          return;
        }
        case 'input_audio_buffer.commit':
          if (record.model === '') return refuse('a commit before session.update');
          record.commits++;
          if ('final' in message) stream.commit(message.final);
          else {
            send({ type: 'input_audio_buffer.committed', item_id: `item_${record.commits}` });
            void tell(true);
          }
          return;
        default:
          message satisfies never;
      }
    });
  }
}

/**
 * What becomes of the sound that vLLM is sent: a commit that is not final begins to transcribe what is queued, and one that
 * is ends that. What comes between a final commit and the end of its words is lost, a commit as well.
 */
class VllmStream {
  readonly #hear: (ms: number) => void;
  readonly #tell: (final: boolean) => Promise<void>;
  #queue: (number | 'end')[] = [];
  #transcribes = false;
  #ends = false;

  constructor({ hear, tell }: { hear: (ms: number) => void; tell: (final: boolean) => Promise<void> }) {
    this.#hear = hear;
    this.#tell = tell;
  }
  append(ms: number): void {
    this.#queue.push(ms);
    this.#advance();
  }
  commit(final: boolean): void {
    if (final) this.#queue.push('end');
    else this.#transcribes = true;
    this.#advance();
  }

  #advance(): void {
    while (this.#transcribes && !this.#ends && this.#queue.length > 0) {
      const next = this.#queue.shift()!;
      if (next === 'end') {
        this.#ends = true;
        void this.#end();
      } else {
        this.#hear(next);
        void this.#tell(false);
      }
    }
  }

  async #end(): Promise<void> {
    await this.#tell(true);
    this.#queue = [];
    this.#ends = false;
    this.#transcribes = false;
  }
}

/** 16-bit PCM of a 220 Hz tone, from `fromMs` of it. */
function tone(fromMs: number, lengthMs: number, rateHz: number): Buffer {
  const first = Math.round((fromMs * rateHz) / 1000);
  const end = Math.round(((fromMs + lengthMs) * rateHz) / 1000);
  const pcm = Buffer.alloc((end - first) * 2);
  for (let i = first; i < end; i++) {
    pcm.writeInt16LE(Math.round(8000 * Math.sin((2 * Math.PI * 220 * i) / rateHz)), (i - first) * 2);
  }
  return pcm;
}

/** As servers stream it: they do not know the length when they begin. */
export function streamedWavHeader(rateHz: number): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(0xffff_ffff, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rateHz, 24);
  header.writeUInt32LE(rateHz * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(0xffff_ffff, 40);
  return header;
}
