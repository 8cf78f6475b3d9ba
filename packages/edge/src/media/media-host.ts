// Keeps the codec's library loaded: it leaves a destructor behind in every thread that has used it, and Node unloads
// a library with the last thread that loaded it, before that destructor runs. Without this, closing a thread crashes.
import '@evan/opus';
import { Worker, type MessagePort } from 'node:worker_threads';
import { MicroturnError, isErrorCode, type ErrorCode } from '@microturn/protocol';
import { Subject, filter, firstValueFrom, type Observable } from 'rxjs';
import type { EngineId } from '../engine/engine-worker.js';
import type { Log } from '../telemetry/log.js';
import type { FromMediaThread, MediaThreadData, ToMediaThread } from './thread-messages.js';
import type { MediaEvent, MediaMethod, MediaOptions, MediaRequests } from './types.js';

export interface MediaHostOptions {
  readonly options: MediaOptions;
  /** Receive the micro-turns, by engine thread; transferred. */
  readonly enginePorts: ReadonlyMap<EngineId, MessagePort>;
  /** Sends the speech; transferred. */
  readonly voicePort: MessagePort;
  readonly log: Log;
  /** The built thread, where it is not beside this file. */
  readonly threadUrl?: URL | undefined;
  /** How long an answer may take; 10 s where nothing is given. */
  readonly answerMs?: number | undefined;
}

/** Requests that may wait for the thread at once; policy: reject. */
const MAX_PENDING = 1024;

interface Pending {
  readonly method: MediaMethod;
  resolve(result: never): void;
  reject(error: MicroturnError): void;
}

/** Main's side of the media thread. Owns the thread. */
export class MediaHost {
  readonly #worker: Worker;
  readonly #log: Log;
  readonly #answerMs: number;
  readonly #pending = new Map<number, Pending>();
  readonly #events = new Subject<MediaEvent>();
  readonly #exited: Promise<void>;
  #nextId = 1;
  #port = 0;
  #failure: MicroturnError | undefined;
  #closing: Promise<void> | undefined;

  private constructor({ options, enginePorts, voicePort, log, threadUrl, answerMs = 10_000 }: MediaHostOptions) {
    this.#log = log;
    this.#answerMs = answerMs;
    const workerData: MediaThreadData = { options, engines: enginePorts, voice: voicePort };
    this.#worker = new Worker(threadUrl ?? new URL('./media-thread.js', import.meta.url), {
      name: 'media',
      workerData,
      transferList: [...enginePorts.values(), voicePort],
      // mediasoup takes its worker from the environment, when it is loaded: the thread gets one of its own.
      env: { ...process.env, ...(options.workerBin ? { MEDIASOUP_WORKER_BIN: options.workerBin } : {}) },
    });
    this.#worker.on('message', (message: FromMediaThread) => this.#receive(message));
    this.#worker.on('error', (error) =>
      this.#fail(new MicroturnError('edge/internal', `the media thread failed: ${error.message}`)),
    );
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        if (!this.#closing) this.#fail(new MicroturnError('edge/internal', `the media thread ended with code ${code}`));
        resolve();
      });
    });
  }

  /**
   * Starts the thread and waits until its port is open.
   * @throws {MicroturnError} `edge/no-worker`, `edge/port-in-use`, `edge/config`
   */
  static async start(options: MediaHostOptions): Promise<MediaHost> {
    const host = new MediaHost(options);
    await firstValueFrom(host.#events.pipe(filter(({ type }) => type === 'ready' || type === 'failed')));
    if (!host.#failure) return host;
    await host.close();
    throw host.#failure;
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

  /** @throws {MicroturnError} as the thread coded it; `edge/internal` where the thread is gone or does not answer */
  request<M extends MediaMethod>(method: M, params: MediaRequests[M]['params']): Promise<MediaRequests[M]['result']> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#closing) return Promise.reject(new MicroturnError('edge/draining', 'the media thread is closed'));
    return this.#ask(method, params);
  }

  /** Sends the micro-turns of an engine thread here from now on. */
  setEnginePort(enginePort: MessagePort, engine: EngineId): void {
    this.#send({ enginePort, engine }, [enginePort]);
  }

  /** Takes speech from another voice thread from now on. */
  setVoicePort(voicePort: MessagePort): void {
    this.#send({ voicePort }, [voicePort]);
  }

  /** Ends the thread and all it owns. Requests that wait are rejected. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (!this.#failure)
      await this.#ask('close', {}).catch((error: MicroturnError) =>
        this.#log.warn({ code: error.code }, error.message),
      );
    await this.#worker.terminate();
    await this.#exited;
    this.#rejectAll(new MicroturnError('edge/draining', 'the media thread is closed'));
    this.#events.complete();
  }

  #ask<M extends MediaMethod>(method: M, params: MediaRequests[M]['params']): Promise<MediaRequests[M]['result']> {
    if (this.#pending.size >= MAX_PENDING) {
      return Promise.reject(new MicroturnError('edge/internal', `${MAX_PENDING} requests wait for the media thread`));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
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

  #send(message: ToMediaThread, transfer: MessagePort[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromMediaThread): void {
    if ('event' in message) this.#take(message.event);
    else if ('log' in message) this.#log[message.log.level](message.log.fields, message.log.message);
    else {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if ('error' in message) pending?.reject(MicroturnError.fromWire(message.error));
      else pending?.resolve(message.result as never);
    }
  }

  #take(event: MediaEvent): void {
    if (event.type === 'ready') this.#port = event.port;
    if (event.type === 'failed') this.#fail(failureOf(event.code, event.message));
    else this.#events.next(event);
  }

  /** The thread is lost: whoever waits is told, once. */
  #fail(error: MicroturnError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#rejectAll(error);
    this.#events.next({ type: 'failed', code: error.code, message: error.message });
  }

  #rejectAll(error: MicroturnError): void {
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}

function failureOf(code: string, message: string): MicroturnError {
  const known: ErrorCode = isErrorCode(code) ? code : 'edge/internal';
  return MicroturnError.fromWire({ code: known, message, retryable: false, hint: '' });
}
