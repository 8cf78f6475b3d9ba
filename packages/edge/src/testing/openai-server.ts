import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseChatCompletion, type ChatCompletionRequest } from './openai-wire.js';
import { fail, parseJson, readBody, StrictServer } from './strict-server.js';

/** How the server answers one chat completion. What is left out is the ordinary case. */
export interface ScriptedReply {
  /** Streamed as one token for each entry; a string is cut at its spaces. */
  readonly text?: string | readonly string[];
  readonly toolCalls?: readonly { readonly id?: string; readonly name: string; readonly arguments: object | string }[];
  readonly finishReason?: 'stop' | 'length' | 'tool_calls' | 'content_filter';
  /** Before the first byte. */
  readonly delayMs?: number;
  /** Pace of the tokens; all at once where none is given. */
  readonly tokensPerSecond?: number;
  /** After so many tokens nothing more comes, and the connection stays open. */
  readonly stallAfter?: number;
  /** After so many tokens the connection is cut. */
  readonly cutAfter?: number;
  /** After so many tokens the stream ends in order, without a finish reason. */
  readonly endAfter?: number;
  /** After so many tokens comes a line that is no JSON. */
  readonly malformedAfter?: number;
  /** A failure instead of a stream. */
  readonly status?: number;
  /** What is said of it. */
  readonly message?: string;
  /** `Retry-After`: seconds, or a date. */
  readonly retryAfter?: number | string;
  /** `null` leaves the usage out. */
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
}

export type ChatScript = (request: ChatCompletionRequest, index: number) => ScriptedReply | Promise<ScriptedReply>;

export interface RecordedChat {
  readonly body: ChatCompletionRequest;
  readonly headers: IncomingMessage['headers'];
  /** Of this process, by `performance.now()`. */
  readonly atMs: number;
  /** Tokens that were sent. */
  readonly sent: number;
  /** `aborted`: the client left before the end. */
  readonly outcome: 'open' | 'done' | 'failed' | 'aborted';
}

export interface RecordedTranscription {
  readonly model: string;
  /** The form's fields other than the file. */
  readonly fields: Readonly<Record<string, string>>;
  readonly audio: Uint8Array;
  readonly contentType: string;
}

export interface OpenAiServerOptions {
  /** Replies in the order of the requests (the last one stays), or one for each request. */
  readonly chat?: readonly ScriptedReply[] | ChatScript;
  readonly transcribe?: (
    request: RecordedTranscription,
  ) => string | { readonly status: number } | Promise<string | { readonly status: number }>;
  /** Demanded as a bearer token, where given. */
  readonly apiKey?: string;
}

const MAX_BODY_BYTES = 32 * 1024 * 1024;

/**
 * A server of the OpenAI wire format (`/chat/completions` as a stream, `/audio/transcriptions`) that answers what it
 * was told to, refuses every request that is not exactly in order, and keeps what it was asked.
 *
 *     const server = await OpenAiServer.start({ chat: [{ text: 'hello there', tokensPerSecond: 20 }] });
 *     // … baseUrl: server.url
 *     await server.close();
 */
export class OpenAiServer extends StrictServer {
  /** Requests that were in order, oldest first. */
  readonly chats: RecordedChat[] = [];
  readonly transcriptions: RecordedTranscription[] = [];
  readonly #options: OpenAiServerOptions;

  private constructor(options: OpenAiServerOptions) {
    super(options.apiKey);
    this.#options = options;
  }

  /** Listens on a free port of this machine. */
  static async start(options: OpenAiServerOptions = {}): Promise<OpenAiServer> {
    const server = new OpenAiServer(options);
    await server.listen();
    return server;
  }

  protected override async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request, MAX_BODY_BYTES);
    if (!this.isAllowed(request)) {
      fail(response, 401, 'Incorrect API key provided');
      return;
    }
    const route = `${request.method} ${request.url}`;
    if (route === 'POST /v1/chat/completions') await this.#chat(request, body, response);
    else if (route === 'POST /v1/audio/transcriptions') await this.#transcribe(request, body, response);
    else this.refuse(response, 404, `Unknown request URL: ${route}`);
  }

  async #chat(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    if (request.headers['content-type'] !== 'application/json') {
      this.refuse(response, 415, `content-type: ${String(request.headers['content-type'])}`);
      return;
    }
    const parsed = parseChatCompletion(parseJson(body.toString('utf8')));
    if (typeof parsed === 'string') {
      this.refuse(response, 400, parsed);
      return;
    }
    const index = this.chats.length;
    const record = {
      body: parsed,
      headers: request.headers,
      atMs: performance.now(),
      sent: 0,
      outcome: 'open' as const,
    };
    const chat: { -readonly [K in keyof RecordedChat]: RecordedChat[K] } = record;
    this.chats.push(chat);
    const { chat: script = [{ text: 'OK' }] } = this.#options;
    const reply =
      typeof script === 'function' ? await script(parsed, index) : script[Math.min(index, script.length - 1)];
    response.once('close', () => {
      if (chat.outcome === 'open') chat.outcome = 'aborted';
    });
    await this.sleep(reply?.delayMs ?? 0);
    if (response.destroyed) return;
    await this.#stream(chat, reply ?? {}, response);
  }

  async #stream(
    chat: { -readonly [K in keyof RecordedChat]: RecordedChat[K] },
    reply: ScriptedReply,
    response: ServerResponse,
  ): Promise<void> {
    const { status, retryAfter, tokensPerSecond, toolCalls = [] } = reply;
    if (status !== undefined && status !== 200) {
      chat.outcome = 'failed';
      fail(
        response,
        status,
        reply.message ?? `scripted ${status}`,
        retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) },
      );
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
    const id = `chatcmpl-${this.chats.indexOf(chat)}`;
    const { model, stream_options: streamOptions } = chat.body;
    const send = (fields: object) => {
      const chunk = { id, object: 'chat.completion.chunk', created: 1, model, ...fields };
      return write(response, `data: ${JSON.stringify(chunk)}\n\n`);
    };
    const delta = (value: object, finish: string | null = null) =>
      send({ choices: [{ index: 0, delta: value, finish_reason: finish }] });
    await delta({ role: 'assistant', content: '' });
    const tokens = tokensOf(reply);
    for (const token of [...tokens, undefined]) {
      if (reply.malformedAfter === chat.sent) await write(response, 'data: {"choices":[{"delta":{"con\n\n');
      if (reply.stallAfter === chat.sent) return;
      if (reply.cutAfter === chat.sent) {
        chat.outcome = 'failed';
        response.destroy();
        return;
      }
      if (reply.endAfter === chat.sent) {
        chat.outcome = 'failed';
        response.end();
        return;
      }
      if (token === undefined) break;
      if (tokensPerSecond !== undefined) await this.sleep(1000 / tokensPerSecond);
      if (response.destroyed) return;
      await delta({ content: token });
      chat.sent++;
    }
    for (const [
      i,
      { id: callId = `call_${this.chats.indexOf(chat)}_${i}`, name, arguments: args },
    ] of toolCalls.entries()) {
      const text = typeof args === 'string' ? args : JSON.stringify(args);
      await delta({ tool_calls: [{ index: i, id: callId, type: 'function', function: { name, arguments: '' } }] });
      await delta({ tool_calls: [{ index: i, function: { arguments: text } }] });
    }
    await delta({}, reply.finishReason ?? (toolCalls.length > 0 ? 'tool_calls' : 'stop'));
    if (reply.usage !== null && streamOptions?.include_usage) {
      const { prompt_tokens, completion_tokens } = reply.usage ?? {
        prompt_tokens: Math.ceil(JSON.stringify(chat.body.messages).length / 4),
        completion_tokens: Math.max(1, tokens.length),
      };
      const usage = { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
      await send({ choices: [], usage });
    }
    chat.outcome = 'done';
    response.end('data: [DONE]\n\n');
  }

  async #transcribe(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const contentType = request.headers['content-type'] ?? '';
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } })
      .formData()
      .catch(() => undefined);
    const file = form?.get('file');
    const model = form?.get('model');
    if (!form || !(file instanceof Blob) || typeof model !== 'string' || model === '') {
      this.refuse(response, 400, 'expected a form with a file and a model');
      return;
    }
    const audio = new Uint8Array(await file.arrayBuffer());
    if (Buffer.from(audio.subarray(0, 4)).toString('latin1') !== 'RIFF') {
      this.refuse(response, 400, 'file: expected a WAV');
      return;
    }
    const fields: Record<string, string> = {};
    for (const [name, value] of form) if (typeof value === 'string') fields[name] = value;
    const record = { model, fields, audio, contentType: file.type };
    this.transcriptions.push(record);
    const said = (await this.#options.transcribe?.(record)) ?? '';
    if (typeof said !== 'string') fail(response, said.status, `scripted ${said.status}`);
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ text: said }));
  }
}

function tokensOf({ text = [] }: ScriptedReply): readonly string[] {
  // With its space in front, as tokens have it.
  return typeof text === 'string' ? (text.match(/\s*\S+/g) ?? []) : text;
}

/** Resolves when the text has left: a reader that is slower than the script slows it down. */
function write(response: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve) => response.write(text, () => resolve()));
}
