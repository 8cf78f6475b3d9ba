import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { MicroturnError } from '@microturn/protocol';
import { Admission, type AdmissionBounds } from './admission.js';
import type { EngineReport, EngineRequest, EngineThreadData, EngineThreadStats } from './engine-messages.js';
import { RowPool, type RowLease } from './row-pool.js';
import type { Decision, LeaseId, ModelInfo, Provider } from './types.js';

// Runs on main, and must never import what loads ONNX Runtime: a step would block every session's socket.

/** How long the thread may take to finish its step and leave, before it is ended. */
const CLOSE_MS = 2000;

/** One engine thread of a host, never reused: rows are on one, and the media thread posts their micro-turns there. */
export type EngineId = number;

export interface LeaseListener {
  readonly onDecision: (decision: Decision) => void;
  readonly onFailed: (error: MicroturnError) => void;
}

export interface EngineWorkerOptions extends EngineThreadData {
  readonly id: EngineId;
  /** From 0 among those that run one model: its lanes are staggered against the others'. */
  readonly index: number;
  readonly bounds: AdmissionBounds;
  readonly now: () => number;
  readonly threadUrl: URL;
  /** The row of a lease is lost, and given back already. */
  readonly onLeaseFailed: (lease: LeaseId, error: MicroturnError) => void;
  /** The device that the model ran on is lost: its rows go on with `provider`, from empty states. */
  readonly onFallback: (provider: Provider, reason: string) => void;
  /** The thread is gone without having been closed, and every lease with it. */
  readonly onDied: (worker: EngineWorker, error: MicroturnError, code: number) => void;
}

/** Main's side of one engine thread: its rows, who has them, and how it keeps time. */
export class EngineWorker {
  readonly id: EngineId;
  readonly index: number;
  readonly laneSize: number;
  readonly info: ModelInfo;
  readonly admission: Admission;
  readonly #options: EngineWorkerOptions;
  readonly #thread: Worker;
  readonly #pool: RowPool;
  readonly #leases = new Map<LeaseId, LeaseListener & { readonly place: RowLease }>();
  readonly #stats = new Map<number, { resolve: (stats: EngineThreadStats) => void; reject: (error: Error) => void }>();
  readonly #exited: Promise<void>;
  #provider: Provider;
  #lastRequest = 0;
  #state: 'running' | 'closing' | 'exited' = 'running';

  /**
   * Starts the thread and waits until its bundle is loaded.
   * @throws {MicroturnError} `bundle/…` as the thread met it, `engine/failed` where the thread itself did not start
   */
  static async start(options: EngineWorkerOptions): Promise<EngineWorker> {
    const { bundleDir, rows, laneSize, provider, threadUrl } = options;
    const workerData: EngineThreadData = { bundleDir, rows, laneSize, provider };
    const thread = new Worker(threadUrl, { workerData, name: 'engine' });
    try {
      const { info, provider } = await ready(thread);
      return new EngineWorker(thread, info, provider, options);
    } catch (error) {
      await thread.terminate();
      throw MicroturnError.from(error, 'engine/failed');
    }
  }

  private constructor(thread: Worker, info: ModelInfo, provider: Provider, options: EngineWorkerOptions) {
    this.#provider = provider;
    this.id = options.id;
    this.index = options.index;
    this.laneSize = options.laneSize;
    this.info = info;
    this.admission = new Admission(info.microTurnMs, options.bounds);
    this.#options = options;
    this.#thread = thread;
    this.#pool = new RowPool(options.rows);
    let cause: unknown;
    thread.on('error', (error) => (cause = error));
    thread.on('message', (report: EngineReport) => this.#take(report));
    this.#exited = new Promise((resolve) => {
      thread.once('exit', (code) => {
        this.#end(code, cause);
        resolve();
      });
    });
  }

  /** Where the model runs now. */
  get provider(): Provider {
    return this.#provider;
  }
  get rows(): number {
    return this.#pool.rows;
  }
  get free(): number {
    return this.#pool.free;
  }
  get leases(): number {
    return this.#leases.size;
  }

  /** A port straight to the thread, for the media thread to post `MicroTurn`s on. */
  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#thread.postMessage({ type: 'connect', port: port2 } satisfies EngineRequest, [port2]);
    return port1;
  }

  /**
   * Lends a row, of the preferred ones where one is free.
   * @throws {MicroturnError} `edge/full` where every row is leased
   */
  lease(lease: LeaseId, listener: LeaseListener, prefers?: (row: number) => boolean): number {
    const place = this.#pool.lease(prefers);
    this.#leases.set(lease, { ...listener, place });
    this.#post({ type: 'open', lease, row: place.row });
    return place.row;
  }

  /** @returns whether the lease was there to be given back */
  release(lease: LeaseId): boolean {
    const held = this.#leases.get(lease);
    if (!held) return false;
    this.#leases.delete(lease);
    held.place.release();
    if (this.#state === 'running') this.#post({ type: 'close', lease });
    return true;
  }

  /** @throws {MicroturnError} `engine/failed` where the thread is gone before it answers */
  stats(): Promise<EngineThreadStats> {
    const id = ++this.#lastRequest;
    return new Promise((resolve, reject) => {
      this.#stats.set(id, { resolve, reject });
      this.#post({ type: 'stats', id });
    });
  }

  /** Ends the thread after the step it is in. Leases end without a word. Closing twice is harmless. */
  async close(): Promise<void> {
    if (this.#state === 'running') {
      this.#state = 'closing';
      this.#leases.clear();
      this.#post({ type: 'shutdown' });
      const timer = setTimeout(() => void this.#thread.terminate(), CLOSE_MS);
      await this.#exited;
      clearTimeout(timer);
    }
    await this.#exited;
  }

  #post(request: EngineRequest): void {
    this.#thread.postMessage(request);
  }

  #take(report: EngineReport): void {
    switch (report.type) {
      case 'decision':
        this.admission.note(report.decision.lagMs, this.#options.now());
        this.#leases.get(report.decision.lease)?.onDecision(report.decision);
        break;
      case 'lease.failed': {
        const held = this.#leases.get(report.lease);
        if (!held) break;
        this.#leases.delete(report.lease);
        held.place.release();
        const error = MicroturnError.fromWire(report.error);
        this.#options.onLeaseFailed(report.lease, error);
        held.onFailed(error);
        break;
      }
      case 'stats':
        this.#stats.get(report.id)?.resolve(report.stats);
        this.#stats.delete(report.id);
        break;
      case 'fallback':
        this.#provider = report.provider;
        this.#options.onFallback(report.provider, report.reason);
        break;
      case 'ready':
      case 'failed':
        break; // answered before the worker was made
    }
  }

  #end(code: number, cause: unknown): void {
    const error = new MicroturnError('engine/failed', `the engine thread exited with code ${code}`, { cause });
    for (const { reject } of this.#stats.values()) reject(error);
    this.#stats.clear();
    const died = this.#state === 'running';
    this.#state = 'exited';
    if (!died) return;
    const held = [...this.#leases.values()];
    this.#leases.clear();
    this.#options.onDied(this, error, code);
    for (const { onFailed } of held) onFailed(error);
  }
}

/** Waits for the thread's first word. */
function ready(thread: Worker): Promise<{ info: ModelInfo; provider: Provider }> {
  return new Promise((resolve, reject) => {
    const onMessage = (report: EngineReport) => {
      if (report.type === 'ready') settle(() => resolve(report));
      if (report.type === 'failed') settle(() => reject(MicroturnError.fromWire(report.error)));
    };
    const onError = (error: Error) => settle(() => reject(error));
    const onExit = (code: number) => settle(() => reject(new Error(`the engine thread exited with code ${code}`)));
    const settle = (then: () => void) => {
      thread.off('message', onMessage).off('error', onError).off('exit', onExit);
      then();
    };
    thread.on('message', onMessage).on('error', onError).on('exit', onExit);
  });
}
