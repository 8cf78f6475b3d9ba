import type {
  LanguageModelV3,
  LanguageModelV3Message,
  LanguageModelV3StreamPart,
  LanguageModelV3ToolCall,
} from '@ai-sdk/provider';
import { MicroturnError } from '@microturn/protocol';
import type { Clock } from '../clock.js';
import { toModelError } from './model-error.js';
import { Thoughts } from './thoughts.js';
import type { ProviderSearch } from './web-search.js';
import type { ChatPart, ChatRequest, ChatToolCall, ModelMessage, TextMessage } from './types.js';

/** What is asked of a model: plain data, which may cross to another thread. */
export interface ModelAsk extends Pick<ChatRequest, 'system' | 'messages' | 'tools'> {
  readonly maxOutputTokens: number;
  /** Longest wait for the first token, and between two. */
  readonly firstTokenMs: number;
  readonly idleMs: number;
  readonly search?: ProviderSearch | undefined;
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

export interface AttemptTools {
  readonly clock: Clock;
  /** Runs `fn` once, `ms` from now; the result calls it off. */
  readonly after: (ms: number, fn: () => void) => () => void;
  /** Wall-clock ms, for `Retry-After` dates only. */
  readonly wallMs?: (() => number) | undefined;
}

/** A token is rarely shorter than this; a provider that goes on beyond what it was allowed is cut off. */
const CHARS_PER_TOKEN = 16;

/**
 * Asks one model once; the last part is `end`. Nothing is tried again here.
 * @throws {MicroturnError} `llm/*` with what is wrong; whatever `signal` gives where it is aborted
 */
export async function* attempt(
  model: LanguageModelV3,
  ask: ModelAsk,
  signal: AbortSignal,
  { clock, after, wallMs = Date.now }: AttemptTools,
): AsyncGenerator<AttemptPart, void, undefined> {
  const watchdog = new Watchdog(ask, signal, after);
  const beganMs = clock.now();
  let first = true;
  let chars = 0;
  const thoughts = new Thoughts();
  try {
    for await (const part of parts(model, ask, watchdog.signal)) {
      watchdog.feed(part);
      if (part.type === 'text-delta') chars += part.delta.length;
      const out = toAttemptPart(part, ask);
      const text = textOf(part, thoughts);
      if (first && (text !== '' || part.type === 'tool-call')) {
        first = false;
        yield { type: 'first-token', ms: clock.now() - beganMs };
      }
      if (text !== '') yield { type: 'text', text };
      if (out) yield out;
      if (out?.type === 'end') return;
      if (chars > ask.maxOutputTokens * CHARS_PER_TOKEN) {
        yield { type: 'end', reason: 'length', usage: { tokensIn: undefined, tokensOut: undefined } };
        return;
      }
    }
    throw new MicroturnError('llm/malformed', 'the stream ended before its end');
  } catch (cause) {
    signal.throwIfAborted();
    throw watchdog.timeout ?? toModelError(cause, wallMs());
  } finally {
    watchdog.close();
  }
}

/**
 * The model is asked by the interface that providers implement: `streamText` of the `ai` package above it takes two
 * thirds of the time of a token, for events that nobody here listens to.
 */
async function* parts(
  model: LanguageModelV3,
  { system, messages, tools = [], search, maxOutputTokens }: ModelAsk,
  abortSignal: AbortSignal,
): AsyncGenerator<LanguageModelV3StreamPart, void, undefined> {
  const offered = [
    ...tools.map(({ name, description, parameters: inputSchema }) => ({
      type: 'function' as const,
      name,
      description,
      inputSchema,
    })),
    ...(search?.tool ? [search.tool] : []),
  ];
  const { stream } = await model.doStream({
    prompt: [
      ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
      ...messages.map(toProviderMessage),
    ],
    ...(offered.length > 0 && { tools: offered, toolChoice: { type: 'auto' } }),
    ...(search?.options && { providerOptions: search.options }),
    maxOutputTokens,
    abortSignal,
  });
  // Not `for await` over the stream, which costs a promise more for each part.
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // It has failed already, or is given up.
    await reader.cancel().catch(() => undefined);
  }
}

function toProviderMessage(message: ModelMessage): LanguageModelV3Message {
  if (!isTextMessage(message)) return message;
  return { role: message.role, content: [{ type: 'text', text: message.content }] } as LanguageModelV3Message;
}

function isTextMessage(message: ModelMessage): message is TextMessage {
  return message.role !== 'system' && typeof message.content === 'string';
}

/** What of the answer's text is known with this part: thoughts that stand in it are none. */
function textOf(part: LanguageModelV3StreamPart, thoughts: Thoughts): string {
  if (part.type === 'text-delta') return thoughts.push(part.delta);
  return part.type === 'tool-call' || part.type === 'finish' ? thoughts.end() : '';
}

/** @returns what is no text @throws what the provider, or reading it, said */
function toAttemptPart(part: LanguageModelV3StreamPart, { tools = [] }: ModelAsk): AttemptPart | undefined {
  switch (part.type) {
    case 'tool-call':
      // What the provider runs itself is told in words.
      return part.providerExecuted ? undefined : toToolCall(part, tools);
    case 'finish': {
      const { finishReason, usage } = part;
      if (finishReason.unified === 'error') {
        throw new MicroturnError('llm/malformed', 'the stream ended with an error');
      }
      return {
        type: 'end',
        reason: toReason(finishReason.unified),
        usage: { tokensIn: usage.inputTokens.total, tokensOut: usage.outputTokens.total },
      };
    }
    case 'error':
      throw part.error;
    default:
      return undefined;
  }
}

function toToolCall(
  { toolCallId: callId, toolName: name, input }: LanguageModelV3ToolCall,
  tools: NonNullable<ModelAsk['tools']>,
): ChatToolCall {
  const call = { type: 'tool-call', callId, name } as const;
  if (!tools.some((tool) => tool.name === name)) {
    return { ...call, arguments: input, problem: `there is no tool ${name}` };
  }
  try {
    return { ...call, arguments: input.trim() === '' ? {} : parseObject(input) };
  } catch (error) {
    return { ...call, arguments: input, problem: `its arguments cannot be read: ${(error as Error).message}` };
  }
}

/** @throws {Error} where it is anything else, or no JSON at all */
function parseObject(json: string): object {
  const value = JSON.parse(json) as unknown;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('expected a JSON object');
  return value;
}

function toReason(unified: string): (AttemptPart & { type: 'end' })['reason'] {
  if (unified === 'content-filter') return 'filtered';
  return unified === 'length' || unified === 'tool-calls' ? unified : 'stop';
}

/** Ends an attempt whose first token, or next one, does not come, or whose caller gave it up. */
class Watchdog {
  readonly signal: AbortSignal;
  readonly #abort = new AbortController();
  readonly #ask: ModelAsk;
  readonly #after: AttemptTools['after'];
  #cancel: () => void;
  #timeout: MicroturnError | undefined;

  constructor(ask: ModelAsk, signal: AbortSignal, after: AttemptTools['after']) {
    this.#ask = ask;
    this.#after = after;
    this.signal = AbortSignal.any([signal, this.#abort.signal]);
    this.#cancel = after(ask.firstTokenMs, () => this.#fire(`no token within ${ask.firstTokenMs} ms`));
  }

  /** Why it ended the attempt, where it did. */
  get timeout(): MicroturnError | undefined {
    return this.#timeout;
  }

  /** Anything that the model makes counts, thoughts that are not shown too. */
  feed({ type }: LanguageModelV3StreamPart): void {
    if (type === 'stream-start' || type === 'response-metadata') return;
    this.#cancel();
    const { idleMs } = this.#ask;
    this.#cancel = this.#after(idleMs, () => this.#fire(`nothing for ${idleMs} ms in the middle of an answer`));
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
