import { Worker } from 'node:worker_threads';
import { MicroturnError, type SessionEvent } from '@microturn/protocol';
import type { Log } from '../telemetry/log.js';
import type { FromStoreThread, StoreMethod, StoreRequests, StoreThreadData, ToStoreThread } from './messages.js';
import type { Stamp } from './stamp.js';
import type { SessionStore, StoreChange, StoredRecord, StoredSession } from './types.js';

export interface DiskStoreOptions {
  /** Made where it is not there, with its folder, for this user alone. */
  readonly file: string;
  /** How large it may become; 512 MiB where nothing is given. */
  readonly maxBytes?: number;
  readonly log: Log;
  /** How long the disk may take; 5 s where nothing is given. */
  readonly answerMs?: number;
  /** The built thread, where it is not beside this file. */
  readonly threadUrl?: URL | undefined;
}

interface Pending {
  readonly thread: Worker;
  /** Nobody waits for it any more, and it is in the thread's queue all the same. */
  overdue: boolean;
  resolve(result: never): void;
  reject(error: MicroturnError): void;
}

/** Requests that may wait for the disk at once, and none behind one that waited too long. Policy: reject. */
const MAX_PENDING = 64;

/** Sessions in a libsql file, on a thread of its own: libsql blocks the thread that calls it, and a disk may take its time. */
export class DiskStore implements SessionStore {
  readonly durable = true;
  readonly #options: DiskStoreOptions;
  readonly #answerMs: number;
  readonly #pending = new Map<number, Pending>();
  /** Undefined before the first request, and after one that failed. */
  #thread: Worker | undefined;
  #lastRequest = 0;
  #closing: Promise<void> | undefined;

  constructor(options: DiskStoreOptions) {
    this.#options = options;
    this.#answerMs = options.answerMs ?? 5000;
  }

  write(changes: readonly StoreChange[]): Promise<void> {
    return this.#ask('write', changes);
  }

  find(tokenHash: string, now: Stamp): Promise<{ session: StoredSession; events: SessionEvent[] } | undefined> {
    return this.#ask('find', { tokenHash, now });
  }

  list(sessionId: string, kind: string): Promise<StoredRecord[]> {
    return this.#ask('list', { sessionId, kind });
  }

  expire(now: Stamp): Promise<number> {
    return this.#ask('expire', { now });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const thread = this.#thread;
    if (!thread) return;
    const exited = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
    try {
      await this.#post('close', undefined);
      await exited;
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the store was not closed in order');
      // It waits for its disk, perhaps for ever.
      thread.unref();
      void thread.terminate();
    }
  }

  #ask<M extends StoreMethod>(method: M, params: StoreRequests[M]['params']): Promise<StoreRequests[M]['result']> {
    if (this.#closing) return Promise.reject(new MicroturnError('edge/store', 'it is closed'));
    return this.#post(method, params);
  }

  #post<M extends StoreMethod>(method: M, params: StoreRequests[M]['params']): Promise<StoreRequests[M]['result']> {
    if (this.#pending.size >= MAX_PENDING) {
      return Promise.reject(new MicroturnError('edge/store', `${MAX_PENDING} requests wait for the disk`));
    }
    if ([...this.#pending.values()].some(({ overdue }) => overdue)) {
      return Promise.reject(new MicroturnError('edge/store', 'the disk does not answer'));
    }
    const id = ++this.#lastRequest;
    const thread = (this.#thread ??= this.#start());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        pending.overdue = true;
        reject(new MicroturnError('edge/store', `the disk took more than ${this.#answerMs} ms`));
      }, this.#answerMs);
      const settled = () => {
        clearTimeout(timer);
        this.#pending.delete(id);
      };
      const pending: Pending = {
        thread,
        overdue: false,
        resolve: (result) => {
          settled();
          resolve(result);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      this.#pending.set(id, pending);
      thread.postMessage({ id, method, params } as ToStoreThread);
    });
  }

  #start(): Worker {
    const { file, maxBytes = 2 ** 29, threadUrl = new URL('./store-thread.js', import.meta.url) } = this.#options;
    const workerData: StoreThreadData = { file, maxBytes };
    const thread = new Worker(threadUrl, { workerData, name: 'store' });
    let cause: unknown;
    thread.on('error', (error) => (cause = error));
    thread.on('message', (message: FromStoreThread) => this.#take(thread, message));
    thread.once('exit', () => {
      if (this.#thread === thread) this.#thread = undefined;
      const error = new MicroturnError('edge/store', 'its thread ended', { cause });
      for (const { thread: asked, reject } of [...this.#pending.values()]) if (asked === thread) reject(error);
    });
    return thread;
  }

  #take(thread: Worker, message: FromStoreThread): void {
    if ('setAside' in message) {
      this.#options.log.error(message.setAside, 'the sessions on disk cannot be used: their file was set aside');
    } else if ('error' in message) {
      // It ends with its failure; what is asked next is asked of another.
      if (this.#thread === thread) this.#thread = undefined;
      this.#pending.get(message.id)?.reject(MicroturnError.fromWire(message.error));
    } else {
      this.#pending.get(message.id)?.resolve(message.result as never);
    }
  }
}
