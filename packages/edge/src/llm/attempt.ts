import { MicroturnError } from '@microturn/protocol';
import { jsonSchema, streamText, tool, type LanguageModel, type TextStreamPart, type ToolSet } from 'ai';
import type { Clock } from '../clock.js';
import type { ChatPart, ChatRequest } from './types.js';

export interface AttemptOptions {
  readonly model: LanguageModel;
  readonly request: ChatRequest;
  readonly maxOutputTokens: number;
  readonly firstTokenMs: number;
  readonly idleMs: number;
  readonly clock: Clock;
  readonly after: (ms: number, fn: () => void) => () => void;
}

/** Tokens as one provider counted them, where it did. */
export interface AttemptUsage {
  readonly tokensIn: number | undefined;
  readonly tokensOut: number | undefined;
}

export type AttemptPart =
  | Exclude<ChatPart, { type: 'done' }>
  | { readonly type: 'first-token'; readonly ms: number }
  | {
      readonly type: 'end';
      readonly reason: (ChatPart & { type: 'done' })['reason'];
      readonly usage: AttemptUsage;
    };

/** A token is rarely shorter than this; a provider that goes on beyond what it was allowed is cut off. */
const CHARS_PER_TOKEN = 16;

/** Asks one model once. Whatever is wrong is thrown as the provider said it; nothing is tried again here. */
export async function* attempt(options: AttemptOptions): AsyncGenerator<AttemptPart, void, undefined> {
  const { request, clock, maxOutputTokens } = options;
  const watchdog = new Watchdog(options);
  const beganMs = clock.now();
  let first = true;
  let chars = 0;
  try {
    for await (const part of start(options, watchdog.signal).fullStream) {
      watchdog.feed(part);
      if (first && (part.type === 'text-delta' || part.type === 'tool-call')) {
        first = false;
        yield { type: 'first-token', ms: clock.now() - beganMs };
      }
      if (part.type === 'text-delta') chars += part.text.length;
      const out = toAttemptPart(part);
      if (out) yield out;
      if (out?.type === 'end') return;
      if (chars > maxOutputTokens * CHARS_PER_TOKEN) {
        yield { type: 'end', reason: 'length', usage: { tokensIn: undefined, tokensOut: undefined } };
        return;
      }
    }
    watchdog.throwIfFired();
    request.signal.throwIfAborted();
    throw new MicroturnError('llm/malformed', 'the stream ended before its end');
  } catch (error) {
    watchdog.throwIfFired();
    throw error;
  } finally {
    watchdog.close();
  }
}

function start({ model, request, maxOutputTokens }: AttemptOptions, abortSignal: AbortSignal) {
  const { system, messages, tools = [] } = request;
  return streamText({
    model,
    ...(system !== undefined && { system }),
    messages: [...messages],
    ...(tools.length > 0 && { tools: toToolSet(tools) }),
    maxOutputTokens,
    // Ours are tried again by `LanguageModels`, which knows the other models.
    maxRetries: 0,
    abortSignal,
    // It would be written to the console.
    onError: () => undefined,
  });
}

function toToolSet(tools: NonNullable<ChatRequest['tools']>): ToolSet {
  return Object.fromEntries(
    tools.map(({ name, description, parameters }) => [
      name,
      tool({ description, inputSchema: jsonSchema(parameters as Parameters<typeof jsonSchema>[0]) }),
    ]),
  );
}

/** @throws what the provider, or reading it, said */
function toAttemptPart(part: TextStreamPart<ToolSet>): AttemptPart | undefined {
  switch (part.type) {
    case 'text-delta':
      return part.text === '' ? undefined : { type: 'text', text: part.text };
    case 'tool-call': {
      const { toolCallId: callId, toolName: name, input } = part;
      const problem = part.invalid ? messageOf(part.error) : undefined;
      return { type: 'tool-call', callId, name, arguments: input, ...(problem !== undefined && { problem }) };
    }
    case 'finish-step': {
      const { finishReason, usage } = part;
      if (finishReason === 'error') throw new MicroturnError('llm/malformed', 'the stream ended with an error');
      const reason =
        finishReason === 'length' || finishReason === 'tool-calls'
          ? finishReason
          : finishReason === 'content-filter'
            ? 'filtered'
            : 'stop';
      return { type: 'end', reason, usage: { tokensIn: usage.inputTokens, tokensOut: usage.outputTokens } };
    }
    case 'error':
      throw part.error;
    default:
      return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Ends an attempt whose first token, or next one, does not come, or whose caller gave it up. */
class Watchdog {
  readonly #abort = new AbortController();
  readonly #options: AttemptOptions;
  #cancel: () => void;
  #timeout: MicroturnError | undefined;

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.#cancel = options.after(options.firstTokenMs, () => this.#fire(`no token within ${options.firstTokenMs} ms`));
  }

  get signal(): AbortSignal {
    return AbortSignal.any([this.#options.request.signal, this.#abort.signal]);
  }

  /** Anything that the model makes counts, thoughts that are not shown too. */
  feed({ type }: TextStreamPart<ToolSet>): void {
    if (type === 'start' || type === 'start-step') return;
    this.#cancel();
    const { idleMs, after } = this.#options;
    this.#cancel = after(idleMs, () => this.#fire(`nothing for ${idleMs} ms in the middle of an answer`));
  }

  throwIfFired(): void {
    if (this.#timeout) throw this.#timeout;
  }

  /** The request ends too, where its reader left before its end. */
  close(): void {
    this.#cancel();
    this.#abort.abort();
  }

  #fire(detail: string): void {
    this.#timeout = new MicroturnError('llm/timeout', detail);
    this.#abort.abort(this.#timeout);
  }
}
