import { MicroturnError } from '@microturn/protocol';
import type { Clock } from '../clock.js';
import type { Log } from '../telemetry/log.js';
import type { AskModel } from './ask-model.js';
import type { AttemptUsage } from './attempt.js';
import type { LanguageModelConfigs } from './model-config.js';
import { toModelSpec, type ModelSpec } from './model-spec.js';
import { pauseMs } from './retry-after.js';
import { ToolSupport } from './tool-support.js';
import { providerSearchOf } from './web-search.js';
import type { ChatPart, ChatRequest, ChatUsage, ModelState, Route } from './types.js';

export interface LanguageModelsParts {
  readonly configs: LanguageModelConfigs;
  /** Puts one request to one model. */
  readonly ask: AskModel;
  readonly clock: Clock;
  /** Runs `fn` once, `ms` from now; the result calls it off. */
  readonly after: (ms: number, fn: () => void) => () => void;
  readonly log: Log;
  /** Where keys are. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Replaces the order of the configuration. */
  readonly route?: Route | undefined;
  readonly random?: (() => number) | undefined;
}

/** Answers asked for before one request gives up, over all models. */
const ATTEMPTS = 4;
/** A model that wants to be left alone for longer is not waited for. */
const LONGEST_WAIT_MS = 30_000;
const CHARS_PER_TOKEN = 4;
/** Whatever its size. Providers count some 800 to 1600 for a screen or a photograph. */
const TOKENS_PER_PICTURE = 1500;
/** Weight of the newest time to the first token in its average. */
const NEWEST = 0.3;

interface Model {
  readonly spec: ModelSpec;
  readonly tools: ToolSupport;
  firstTokenMs: number | undefined;
  failures: number;
  coolUntilMs: number;
}

/** In the order of the request: the first is asked, the others take over where it fails. */
const routeInOrder: Route = (_request, candidates) => candidates.map(({ name }) => name);

/**
 * The language models of the configuration: one is chosen for each request, and another takes over where it fails
 * before its first word. What has been streamed is never streamed again.
 */
export class LanguageModels {
  readonly #parts: LanguageModelsParts;
  readonly #models = new Map<string, Model>();
  readonly #random: () => number;

  /** @throws {MicroturnError} `edge/config` where a key is missing */
  constructor(parts: LanguageModelsParts) {
    this.#parts = parts;
    this.#random = parts.random ?? Math.random;
    for (const [name, config] of Object.entries(parts.configs)) {
      const spec = toModelSpec(name, config, parts.env);
      const tools = new ToolSupport(spec, parts.log);
      this.#models.set(name, { spec, tools, firstTokenMs: undefined, failures: 0, coolUntilMs: 0 });
    }
  }

  /** How each fares, in the order of the configuration. */
  get states(): readonly ModelState[] {
    return [...this.#models.values()].map((model) => this.#stateOf(model));
  }

  /** Of the one that is asked first, as of late: from a request to its first token; absent before its first answer. */
  get firstTokenMs(): number | undefined {
    return this.states[0]?.firstTokenMs;
  }

  /**
   * Streams an answer.
   * @throws {MicroturnError} `llm/*`; `session/aborted` where its signal gave it up
   */
  async *stream(request: ChatRequest): AsyncGenerator<ChatPart, void, undefined> {
    for (let tries = 1; ; tries++) {
      const model = await this.#choose(request);
      const answer = new Answer(request, model);
      try {
        yield* this.#attempt(model, answer, request);
        model.failures = 0;
        return;
      } catch (cause) {
        if (request.signal.aborted) throw new MicroturnError('session/aborted', undefined, { cause });
        const error = MicroturnError.from(cause, 'edge/internal');
        // A model that is wrong for this request is right for another: only those that may recover are asked again.
        const passes = error.retryable || this.#candidates(request).length > 1;
        this.#noteFailure(model, error, passes);
        if (answer.streamed || tries >= ATTEMPTS || !passes) throw error;
      } finally {
        // Also of an answer that broke off, or that nobody wanted to the end.
        answer.charge();
      }
    }
  }

  async *#attempt(model: Model, answer: Answer, request: ChatRequest): AsyncGenerator<ChatPart, void, undefined> {
    const { system, messages, tools, toolRules, webSearch, signal } = request;
    const { firstTokenMs, idleMs } = model.spec.config;
    const { maxOutputTokens } = answer;
    const search = webSearch ? providerSearchOf(model.spec) : undefined;
    const ask = { system, messages, tools, search, maxOutputTokens, firstTokenMs, idleMs };
    let firstMs = 0;
    for await (const part of model.tools.ask(this.#parts.ask, ask, toolRules, signal)) {
      switch (part.type) {
        case 'first-token':
          firstMs = part.ms;
          model.firstTokenMs =
            model.firstTokenMs === undefined ? firstMs : model.firstTokenMs + NEWEST * (firstMs - model.firstTokenMs);
          break;
        case 'end':
          answer.count(part.usage);
          yield {
            type: 'done',
            reason: part.reason,
            model: model.spec.name,
            usage: answer.usage,
            firstTokenMs: firstMs,
          };
          return;
        default:
          answer.note(part);
          yield part;
      }
    }
  }

  /** The first of the route that may be asked now; where all are cooling down, the one that may be asked soonest. */
  async #choose(request: ChatRequest): Promise<Model> {
    if (request.signal.aborted) throw new MicroturnError('session/aborted');
    request.budget?.assertLeft();
    const candidates = this.#candidates(request);
    const route = this.#parts.route ?? routeInOrder;
    const names = route(
      request,
      candidates.map((model) => this.#stateOf(model)),
    );
    const chosen = names.flatMap((name) => candidates.find(({ spec }) => spec.name === name) ?? []);
    const [first] = chosen;
    if (!first) {
      const needs = request.needs?.join(' and ');
      throw new MicroturnError('llm/none', needs ? `none takes ${needs}` : undefined);
    }
    const ready = chosen.find((model) => this.#coolingMs(model) === 0);
    if (ready) return ready;
    const soonest = chosen.reduce((a, b) => (b.coolUntilMs < a.coolUntilMs ? b : a), first);
    const waitMs = this.#coolingMs(soonest);
    if (waitMs > LONGEST_WAIT_MS) {
      const detail = `${soonest.spec.name} wants to be left alone for ${Math.ceil(waitMs)} ms`;
      throw new MicroturnError('llm/unavailable', detail, { retryAfterMs: waitMs });
    }
    await this.#sleep(waitMs, request.signal);
    return this.#choose(request);
  }

  #candidates({ models, needs = [] }: ChatRequest): readonly Model[] {
    const allowed = models ? models.flatMap((name) => this.#models.get(name) ?? []) : [...this.#models.values()];
    return allowed.filter(({ spec }) => needs.every((input) => spec.config.takes.includes(input)));
  }

  /** @param passes whether to leave it alone for a while helps: else whoever asks next would wait for nothing */
  #noteFailure(model: Model, { code, retryAfterMs }: MicroturnError, passes: boolean): void {
    this.#parts.log.warn({ model: model.spec.name, code }, 'a language model failed');
    model.failures++;
    if (passes) model.coolUntilMs = this.#parts.clock.now() + pauseMs(model.failures, retryAfterMs, this.#random);
  }

  #coolingMs(model: Model): number {
    return Math.max(0, model.coolUntilMs - this.#parts.clock.now());
  }

  #stateOf(model: Model): ModelState {
    const { spec, tools, firstTokenMs, failures } = model;
    const { takes, price } = spec.config;
    const coolingMs = this.#coolingMs(model);
    return { name: spec.name, takes, tools: tools.offers, price, firstTokenMs, failures, coolingMs };
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#parts.after(ms, done);
      signal.addEventListener('abort', done);
    });
  }
}

/** What one attempt has made, and what it costs. */
class Answer {
  readonly maxOutputTokens: number;
  readonly #request: ChatRequest;
  readonly #price: ModelSpec['config']['price'];
  #chars = 0;
  #counted: AttemptUsage | undefined;

  constructor(request: ChatRequest, { spec: { config } }: Model) {
    const { maxOutputTokens = config.maxOutputTokens, budget } = request;
    this.#request = request;
    this.#price = config.price;
    this.maxOutputTokens = Math.max(
      1,
      Math.min(maxOutputTokens, config.maxOutputTokens, budget?.tokensLeft ?? Infinity),
    );
  }

  /** Something of it has been passed on. */
  get streamed(): boolean {
    return this.#chars > 0;
  }

  get usage(): ChatUsage {
    const { tokensIn, tokensOut } = this.#counted ?? {};
    const estimated = tokensIn === undefined || tokensOut === undefined;
    const usage = {
      tokensIn: tokensIn ?? estimateTokens(this.#request),
      tokensOut: tokensOut ?? Math.ceil(this.#chars / CHARS_PER_TOKEN),
      estimated,
    };
    if (!this.#price) return usage;
    const { input, output } = this.#price;
    return { ...usage, cost: (usage.tokensIn * input + usage.tokensOut * output) / 1_000_000 };
  }

  note(part: Exclude<ChatPart, { type: 'done' }>): void {
    this.#chars += part.type === 'text' ? part.text.length : JSON.stringify(part.arguments ?? '').length;
  }

  count(usage: AttemptUsage): void {
    this.#counted = usage;
  }

  /** Of an attempt that made nothing, nothing is charged; one that was given up has cost its prompt all the same. */
  charge(): void {
    const { budget, signal } = this.#request;
    if (this.streamed || this.#counted || signal.aborted) budget?.spend(this.usage);
  }
}

/** Of the text and the pictures in a request; sound is not counted. */
function estimateTokens({ system = '', messages, tools = [], toolRules = '' }: ChatRequest): number {
  let chars = system.length + (tools.length > 0 ? toolRules.length : 0);
  let pictures = 0;
  for (const { content } of messages) {
    if (typeof content === 'string') chars += content.length;
    else {
      for (const part of content) {
        if (part.type === 'text') chars += part.text.length;
        else if (part.type === 'file' && part.mediaType.startsWith('image/')) pictures++;
      }
    }
  }
  return Math.ceil(chars / CHARS_PER_TOKEN) + pictures * TOKENS_PER_PICTURE;
}
