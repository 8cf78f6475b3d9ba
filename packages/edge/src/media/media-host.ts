// Keeps the codec's library loaded: it leaves a destructor behind in every thread that has used it, and Node unloads
// a library with the last thread that loaded it, before that destructor runs. Without this, closing a thread crashes.
import '@evan/opus';
import { Worker, type MessagePort } from 'node:worker_threads';
import { MicroturnError, isErrorCode, type ErrorCode } from '@microturn/protocol';
import { Subject, type Observable } from 'rxjs';
import { monotonicClock } from '../clock.js';
import type { EngineId } from '../engine/engine-worker.js';
import { RestartBudget } from '../restart-budget.js';
import type { Log } from '../telemetry/log.js';
import type { FromMediaThread, MediaThreadData, ToMediaThread } from './thread-messages.js';
import type { MediaEvent, MediaMethod, MediaOptions, MediaPorts, MediaRequests } from './types.js';

export interface MediaHostOptions {
  readonly options: MediaOptions;
  readonly log: Log;
  /** The built thread, where it is not beside this file. */
  readonly threadUrl?: URL | undefined;
  /** Fresh ports for a thread that takes a connected one's place; without it a thread that dies stays dead. */
  readonly reconnect?: (() => MediaPorts) | undefined;
  /** How long an answer may take; 10 s where nothing is given. */
  readonly answerMs?: number | undefined;
}

/**
 * Packets are garbage within milliseconds. Left to itself V8 gives such a thread ever more room for that, up to 33 MB, and
 * whoever watches the process sees it grow for as long.
 */
const MEMORY = { maxYoungGenerationSizeMb: 12 } as const;
/** Requests that may wait for the thread at once; policy: reject. */
const MAX_PENDING = 1024;
/** Taken all the same: what ends something gives back what it holds, and there are no more of them than there is to end. */
const ENDING: ReadonlySet<MediaMethod> = new Set([
  'speech.cut',
  'producer.close',
  'row.stop',
  'endpoint.suspend',
  'endpoint.close',
  'room.close',
  'close',
]);
/** A port is free again within moments of its owner's end. */
const PORT_ATTEMPTS = 20;
const PORT_RETRY_MS = 50;

/** Ends what an answer that comes too late has opened: whoever asked was told that there is none, and would not. */
type Undo = (result: unknown) => Promise<unknown>;

interface Pending {
  readonly method: MediaMethod;
  resolve(result: never): void;
  reject(error: MicroturnError): void;
}

/** Main's side of the media thread. Owns the thread, and starts another where it dies. */
export class MediaHost {
  readonly #options: MediaHostOptions;
  readonly #log: Log;
  readonly #answerMs: number;
  readonly #restarts = new RestartBudget(monotonicClock);
  readonly #pending = new Map<number, Pending>();
  /** Of requests that nobody waits for any more; the oldest are forgotten. */
  readonly #overdue = new Map<number, Undo>();
  readonly #events = new Subject<MediaEvent>();
  #thread: MediaThread | undefined;
  #nextId = 1;
  #port = 0;
  #connected = false;
  /** Why requests are refused: for now, while another thread starts, or for good. */
  #failure: MicroturnError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: MediaHostOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#answerMs = options.answerMs ?? 10_000;
  }

  /**
   * Starts the thread and waits until its port is open. It then has to be connected.
   * @throws {MicroturnError} `edge/no-worker`, `edge/port-in-use`, `edge/config`
   */
  static async start(options: MediaHostOptions): Promise<MediaHost> {
    const host = new MediaHost(options);
    try {
      await host.#startThread(options.options.port);
      return host;
    } catch (error) {
      host.#failure = MicroturnError.from(error, 'edge/internal');
      await host.close();
      throw error;
    }
  }

  /** What the thread tells unasked. Completes when it is closed. */
  get events(): Observable<MediaEvent> {
    return this.#events;
  }

  /** UDP and TCP port of the media. */
  get port(): number {
    return this.#port;
  }

  get closed(): boolean {
    return this.#closing !== undefined || this.#failure !== undefined;
  }

  /** @throws {MicroturnError} as the thread coded it; `edge/worker-died` or `edge/internal` where it is gone or does not answer */
  request<M extends MediaMethod>(method: M, params: MediaRequests[M]['params']): Promise<MediaRequests[M]['result']> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#closing) return Promise.reject(new MicroturnError('edge/draining', 'the media thread is closed'));
    return this.#ask(method, params);
  }

  /** Sends micro-turns and takes speech here from now on; the ports are transferred. */
  connect({ engines, voice }: MediaPorts): void {
    this.#connected = true;
    for (const [engine, port] of engines) this.setEnginePort(port, engine);
    this.setVoicePort(voice);
  }

  /** Sends the micro-turns of an engine thread here from now on. */
  setEnginePort(enginePort: MessagePort, engine: EngineId): void {
    this.#give({ enginePort, engine }, enginePort);
  }

  /** Takes speech from another voice thread from now on. */
  setVoicePort(voicePort: MessagePort): void {
    this.#give({ voicePort }, voicePort);
  }

  /** Ends the thread and all it owns. Requests that wait are rejected. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const thread = this.#thread;
    if (thread && !this.#failure)
      await this.#ask('close', {}).catch((error: MicroturnError) =>
        this.#log.warn({ code: error.code }, error.message),
      );
    this.#thread = undefined;
    await thread?.end();
    this.#rejectAll(new MicroturnError('edge/draining', 'the media thread is closed'));
    this.#events.complete();
  }

  async #startThread(port: number): Promise<void> {
    const thread = new MediaThread(this.#options, port, (message) => this.#receive(message));
    this.#thread = thread;
    thread.dead.then((error) => this.#lose(thread, error)).catch(() => undefined);
    this.#port = await thread.ready;
    this.#failure = undefined;
  }

  /** The thread is gone, or its worker: whoever waits is told, and another takes its place. */
  #lose(thread: MediaThread, error: MicroturnError): void {
    // One that never was ready is the business of whoever starts it.
    if (thread !== this.#thread || this.#closing || thread.port === undefined) return;
    this.#thread = undefined;
    const { reconnect } = this.#options;
    const again = reconnect !== undefined && this.#restarts.take();
    this.#failure = again ? new MicroturnError('edge/worker-died', error.message) : error;
    this.#rejectAll(this.#failure);
    if (!again) {
      thread.end().catch(() => undefined);
      this.#giveUp(error);
      return;
    }
    this.#log.warn({ err: error }, 'the media thread is lost, and another is started');
    this.#events.next({ type: 'lost', message: error.message });
    this.#restart(thread, reconnect).catch((cause: unknown) =>
      this.#giveUp(MicroturnError.from(cause, 'edge/internal')),
    );
  }

  async #restart(lost: MediaThread, reconnect: () => MediaPorts): Promise<void> {
    await lost.end();
    for (let attempt = 1; ; attempt++) {
      if (this.#closing) return;
      try {
        // On the same port, where firewalls let callers through; the worker that died may still be letting go of it.
        await this.#startThread(this.#port);
        if (this.#connected) this.connect(reconnect());
        break;
      } catch (error) {
        await this.#thread?.end();
        this.#thread = undefined;
        if (MicroturnError.from(error, 'edge/internal').code !== 'edge/port-in-use' || attempt === PORT_ATTEMPTS)
          throw error;
        await new Promise((resolve) => setTimeout(resolve, PORT_RETRY_MS));
      }
    }
    if (this.#closing) {
      await this.#thread?.end();
      return;
    }
    this.#events.next({ type: 'restored', port: this.#port });
  }

  #giveUp(error: MicroturnError): void {
    if (this.#closing) return;
    this.#failure = error;
    this.#rejectAll(error);
    this.#log.error({ err: error }, 'the media thread is gone for good');
    this.#events.next({ type: 'failed', code: error.code, message: error.message });
  }

  /** Where there is no thread now, the next one gets ports of its own. */
  #give(message: ToMediaThread, port: MessagePort): void {
    if (this.#thread) this.#send(message, [port]);
    else port.close();
  }

  #ask<M extends MediaMethod>(method: M, params: MediaRequests[M]['params']): Promise<MediaRequests[M]['result']> {
    if (this.#pending.size >= MAX_PENDING && !ENDING.has(method)) {
      return Promise.reject(new MicroturnError('edge/internal', `${MAX_PENDING} requests wait for the media thread`));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        this.#expectLate(id, method, params);
        reject(
          new MicroturnError('edge/internal', `the media thread did not answer ${method} in ${this.#answerMs} ms`),
        );
      }, this.#answerMs);
      this.#pending.set(id, {
        method,
        resolve: (result) => {
          clearTimeout(timer);
          resolve(result);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#send({ id, method, params });
    });
  }

  #expectLate<M extends MediaMethod>(id: number, method: M, params: MediaRequests[M]['params']): void {
    const undo = this.#undoOf(method, params);
    if (!undo) return;
    this.#overdue.set(id, undo);
    const [oldest] = this.#overdue.keys();
    if (this.#overdue.size > MAX_PENDING && oldest !== undefined) this.#overdue.delete(oldest);
  }

  /**
   * `endpoint.reopen` needs none: its call still waits for its client, and the next one closes what this one opened. Nor does `room.open`:
   * whoever asked for it knows whether somebody else is in that room by now, and closes it.
   */
  #undoOf(method: MediaMethod, params: object): Undo | undefined {
    const { endpoint } = params as MediaRequests['endpoint.open' | 'produce']['params'];
    if (method === 'endpoint.open') return () => this.request('endpoint.close', { endpoint });
    if (method === 'produce') {
      return (result) => {
        const { producerId } = result as MediaRequests['produce']['result'];
        return this.request('producer.close', { endpoint, producerId });
      };
    }
    return undefined;
  }

  #send(message: ToMediaThread, transfer: MessagePort[] = []): void {
    this.#thread?.post(message, transfer);
  }

  #receive(message: FromMediaThread): void {
    if ('event' in message) this.#events.next(message.event);
    else if ('log' in message) this.#log[message.log.level](message.log.fields, message.log.message);
    else {
      const undo = this.#overdue.get(message.id);
      if (undo) {
        this.#overdue.delete(message.id);
        if ('result' in message)
          undo(message.result).catch((error: unknown) =>
            this.#log.debug({ err: error }, 'a late answer was not undone'),
          );
        return;
      }
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if ('error' in message) pending?.reject(MicroturnError.fromWire(message.error));
      else pending?.resolve(message.result as never);
    }
  }

  #rejectAll(error: MicroturnError): void {
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    this.#overdue.clear();
  }
}

function failureOf(code: string, message: string): MicroturnError {
  const known: ErrorCode = isErrorCode(code) ? code : 'edge/internal';
  return MicroturnError.fromWire({ code: known, message, retryable: false, hint: '' });
}

/** One life of the media thread. */
class MediaThread {
  /** Resolves with the port of the media. */
  readonly ready: Promise<number>;
  /** Resolves, once, when the thread or its worker is gone. */
  readonly dead: Promise<MicroturnError>;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #port: number | undefined;

  constructor({ options, threadUrl }: MediaHostOptions, port: number, receive: (message: FromMediaThread) => void) {
    const workerData: MediaThreadData = { options: { ...options, port } };
    const worker = new Worker(threadUrl ?? new URL('./media-thread.js', import.meta.url), {
      name: 'media',
      workerData,
      // mediasoup takes its worker from the environment, when it is loaded: the thread gets one of its own.
      env: { ...process.env, ...(options.workerBin ? { MEDIASOUP_WORKER_BIN: options.workerBin } : {}) },
      resourceLimits: MEMORY,
    });
    this.#worker = worker;
    this.#exited = new Promise((resolve) => worker.once('exit', () => resolve()));
    this.dead = new Promise((resolve) => {
      const die = (detail: string) => resolve(new MicroturnError('edge/internal', `the media thread ${detail}`));
      worker.on('error', (error) => die(`failed: ${error.message}`));
      worker.once('exit', (code) => die(`ended with code ${code}`));
      worker.on('message', (message: FromMediaThread) => {
        if ('event' in message && message.event.type === 'failed')
          resolve(failureOf(message.event.code, message.event.message));
        else if ('event' in message && message.event.type === 'worker.died')
          resolve(new MicroturnError('edge/worker-died', message.event.message));
      });
    });
    this.ready = new Promise((resolve, reject) => {
      worker.on('message', (message: FromMediaThread) => {
        if ('event' in message && message.event.type === 'ready') {
          this.#port = message.event.port;
          resolve(message.event.port);
        }
        if (!('event' in message) || message.event.type !== 'failed') receive(message);
      });
      this.dead.then(reject, reject);
    });
    // Whoever starts it waits; where it is ended before, nobody does.
    this.ready.catch(() => undefined);
  }

  /** Undefined until it is ready. */
  get port(): number | undefined {
    return this.#port;
  }

  post(message: ToMediaThread, transfer: MessagePort[]): void {
    this.#worker.postMessage(message, transfer);
  }

  /** Ends it, and its worker with it. */
  async end(): Promise<void> {
    await this.#worker.terminate();
    await this.#exited;
  }
}
