import { Worker } from 'node:worker_threads';
import { MicroturnError } from '@microturn/protocol';
import type { Clock } from '../clock.js';
import { RestartBudget } from '../restart-budget.js';
import type { Log } from '../telemetry/log.js';
import type { AskModel } from './ask-model.js';
import type { AttemptPart, ModelAsk } from './attempt.js';
import { Inbox } from './inbox.js';
import type { AnswerPart, ModelReport, ModelRequest } from './messages.js';
import type { ModelSpec } from './model-spec.js';

export interface ModelHostOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** The built thread, where it is not beside this file. */
  readonly threadUrl?: URL | undefined;
  /** Between two signs of life that are asked for; 1 s where nothing is given. */
  readonly pingMs?: number | undefined;
}

/** Questions that may be under way at once. Policy: reject, with `llm/unavailable`. */
const MOST_ASKED = 1024;
const PING_MS = 1000;
/** A thread that leaves so many signs of life unanswered hangs; one that starts has to load its libraries first. */
const HANG_PINGS = 10;
const START_PINGS = 30;
/** A thread that needs more ends alone, and not the process. */
const MEMORY = { maxOldGenerationSizeMb: 512 } as const;

/** One thread, as long as it lives. */
interface Running {
  readonly worker: Worker;
  ready: boolean;
  unanswered: number;
}

/**
 * The language models, seen from main: they are asked on a thread of their own, since reading what they stream takes a
 * third of a millisecond for each token. Rules, budgets and retries stay with `LanguageModels`, tools with whoever asks.
 *
 * A thread that dies or hangs fails what it was asked with `llm/unavailable`, and another takes its place.
 */
export class ModelHost {
  readonly #options: ModelHostOptions;
  readonly #restarts: RestartBudget;
  readonly #asked = new Map<number, Inbox<AnswerPart>>();
  #running: Running | undefined;
  #watch: NodeJS.Timeout | undefined;
  #started = false;
  #lastId = 0;
  #closed = false;

  constructor(options: ModelHostOptions) {
    this.#options = options;
    this.#restarts = new RestartBudget(options.clock);
  }

  /** Questions under way. */
  get asked(): number {
    return this.#asked.size;
  }

  /** Starts the thread where there is none, so that the first question does not wait for it. */
  open(): void {
    if (this.#running || this.#closed) return;
    // The first start takes the place of nothing.
    if (this.#started && !this.#restarts.take()) return;
    this.#started = true;
    this.#running = this.#start();
  }

  /** Puts a question to a model on the thread. An arrow, to be passed on by itself. */
  readonly ask: AskModel = (spec, ask, signal) => this.#ask(spec, ask, signal);

  /** Gives up what is under way. Twice is harmless. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#failAll(new MicroturnError('llm/unavailable', 'the edge is closing'));
    const running = this.#running;
    this.#running = undefined;
    await running?.worker.terminate();
  }

  async *#ask(spec: ModelSpec, ask: ModelAsk, signal: AbortSignal): AsyncGenerator<AttemptPart, void, undefined> {
    signal.throwIfAborted();
    if (this.#asked.size >= MOST_ASKED)
      throw new MicroturnError('llm/unavailable', `${MOST_ASKED} questions are under way`);
    const { worker } = this.#thread();
    const id = ++this.#lastId;
    const inbox = new Inbox<AnswerPart>();
    const giveUp = () => {
      inbox.fail(signal.reason);
      this.#forget(id);
    };
    worker.postMessage({ type: 'ask', id, spec, ask } satisfies ModelRequest);
    this.#asked.set(id, inbox);
    this.#watchThread();
    signal.addEventListener('abort', giveUp);
    try {
      for await (const part of inbox) {
        signal.throwIfAborted();
        if (part.type === 'failed') throw MicroturnError.fromWire(part.error);
        yield part;
        if (part.type === 'end') return;
      }
    } finally {
      signal.removeEventListener('abort', giveUp);
      this.#forget(id);
    }
  }

  /** @throws {MicroturnError} `llm/unavailable` where there is none, and none may be started */
  #thread(): Running {
    this.open();
    if (this.#running) return this.#running;
    throw new MicroturnError('llm/unavailable', this.#closed ? 'the edge is closing' : 'its thread died too often');
  }

  #start(): Running {
    const { threadUrl = new URL('./model-thread.js', import.meta.url) } = this.#options;
    const worker = new Worker(threadUrl, { name: 'llm', resourceLimits: MEMORY });
    const running: Running = { worker, ready: false, unanswered: 0 };
    let cause: unknown;
    worker.on('message', (report: ModelReport) => this.#take(running, report));
    worker.on('error', (error) => (cause = error));
    worker.on('exit', (code) => this.#onExit(running, cause ?? new Error(`it ended with status ${code}`)));
    return running;
  }

  #take(running: Running, report: ModelReport): void {
    running.ready = true;
    running.unanswered = 0;
    if (report.type !== 'parcel') return;
    // What was cancelled while it was on its way has no inbox any more.
    for (const [id, parts] of report.answers) this.#asked.get(id)?.push(...parts);
    running.worker.postMessage({ type: 'read' } satisfies ModelRequest);
  }

  #onExit(running: Running, cause: unknown): void {
    if (running !== this.#running) return;
    this.#running = undefined;
    this.open();
    const { log } = this.#options;
    if (this.#running) log.warn({ err: cause }, 'the thread of the language models died and is started again');
    else log.error({ err: cause }, 'the thread of the language models died too often, and is left alone for a minute');
    this.#failAll(new MicroturnError('llm/unavailable', 'its thread died', { cause }));
  }

  /** A thread that hangs answers nothing, and can only be ended. */
  #watchThread(): void {
    this.#watch ??= setInterval(() => {
      const running = this.#running;
      if (!running) return;
      // Counted, and not timed: where main itself stood still, the answers are there but were not read.
      if (++running.unanswered > (running.ready ? HANG_PINGS : START_PINGS)) {
        this.#options.log.warn({}, 'the thread of the language models hangs and is ended');
        void running.worker.terminate();
      } else running.worker.postMessage({ type: 'ping' } satisfies ModelRequest);
    }, this.#options.pingMs ?? PING_MS).unref();
  }

  /** Its answer is complete, or not wanted any more. */
  #forget(id: number): void {
    if (!this.#asked.delete(id)) return;
    this.#running?.worker.postMessage({ type: 'cancel', id } satisfies ModelRequest);
    if (this.#asked.size > 0) return;
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  #failAll(error: MicroturnError): void {
    for (const inbox of this.#asked.values()) inbox.fail(error);
  }
}
