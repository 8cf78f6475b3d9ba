import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { MicroturnError } from '@microturn/protocol';
import type { Log } from '../telemetry/log.js';
import type { EngineReport, EngineRequest, EngineThreadData, EngineThreadStats } from './engine-messages.js';
import type { Decision, LeaseId, ModelInfo } from './types.js';

// Runs on main, and must never import what loads ONNX Runtime: a step would block every session's socket.

/** How long the thread may take to finish its step and leave, before it is ended. */
const CLOSE_MS = 2000;

export interface EngineHostOptions {
  readonly bundleDir: string;
  /** Participants that can be leased at once. */
  readonly rows: number;
  /** Rows that step together, 1 by default. */
  readonly laneSize?: number;
  readonly log: Log;
  /** The worker's entry, for a layout other than the package's own. */
  readonly threadUrl?: URL;
  /** The thread is gone, and every lease with it. */
  readonly onFailed?: (error: MicroturnError) => void;
}

/** The loan of one row of the engine thread. Works with `using`. */
export interface EngineLease extends Disposable {
  readonly id: LeaseId;
  /** Giving back twice is harmless. No decision follows. */
  release(): void;
}

interface Listener {
  readonly onDecision: (decision: Decision) => void;
  readonly onFailed: (error: MicroturnError) => void;
}

/** Main's side of the engine thread. */
export class EngineHost {
  readonly info: ModelInfo;
  readonly rows: number;
  readonly #worker: Worker;
  readonly #log: Log;
  readonly #onFailed: ((error: MicroturnError) => void) | undefined;
  readonly #leases = new Map<LeaseId, Listener>();
  readonly #stats = new Map<number, { resolve: (stats: EngineThreadStats) => void; reject: (error: Error) => void }>();
  readonly #exited: Promise<void>;
  #lastLease = 0;
  #lastRequest = 0;
  #state: 'running' | 'closing' | 'failed' = 'running';

  /**
   * Starts the thread and waits until its bundle is loaded.
   * @throws {MicroturnError} `bundle/…` as the thread met it, `engine/failed` where the thread itself did not start
   */
  static async start(options: EngineHostOptions): Promise<EngineHost> {
    const { bundleDir, rows, laneSize = 1, log, threadUrl = new URL('./engine-thread.js', import.meta.url) } = options;
    const workerData: EngineThreadData = { bundleDir, rows, laneSize };
    // ONNX Runtime 1.30 sends usage to its maker unless told not to, and a self-hosted edge calls nobody. It asks the process:
    // the environment of a thread would not reach it.
    process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
    const worker = new Worker(threadUrl, { workerData, name: 'engine' });
    try {
      const info = await ready(worker);
      log.info({ model: info.name, version: info.version, rows, laneSize }, 'the engine is ready');
      return new EngineHost(worker, info, options);
    } catch (error) {
      await worker.terminate();
      throw MicroturnError.from(error, 'engine/failed');
    }
  }

  private constructor(worker: Worker, info: ModelInfo, { rows, log, onFailed }: EngineHostOptions) {
    this.info = info;
    this.rows = rows;
    this.#worker = worker;
    this.#log = log;
    this.#onFailed = onFailed;
    let cause: unknown;
    worker.on('error', (error) => (cause = error));
    worker.on('message', (report: EngineReport) => this.#take(report));
    this.#exited = new Promise((resolve) => {
      worker.once('exit', (code) => {
        this.#end(code, cause);
        resolve();
      });
    });
  }

  get free(): number {
    return this.rows - this.#leases.size;
  }

  get closed(): boolean {
    return this.#state !== 'running';
  }

  /** A port straight to the engine thread, for the media thread to post `MicroTurn`s on. */
  connect(): MessagePort {
    this.#assertRunning();
    const { port1, port2 } = new MessageChannel();
    this.#worker.postMessage({ type: 'connect', port: port2 } satisfies EngineRequest, [port2]);
    return port1;
  }

  /**
   * Lends a row. Its state begins empty, and its id is used for no other.
   * @param onFailed the row is lost, and given back already
   * @throws {MicroturnError} `edge/full` where every row is leased, `engine/failed` where the thread is gone
   */
  lease(onDecision: Listener['onDecision'], onFailed: Listener['onFailed']): EngineLease {
    this.#assertRunning();
    if (this.free === 0) throw new MicroturnError('edge/full', `${this.rows} of ${this.rows}`);
    const id = ++this.#lastLease;
    this.#leases.set(id, { onDecision, onFailed });
    this.#post({ type: 'open', lease: id });
    const release = () => {
      if (this.#leases.delete(id) && !this.closed) this.#post({ type: 'close', lease: id });
    };
    return { id, release, [Symbol.dispose]: release };
  }

  /** @throws {MicroturnError} `engine/failed` where the thread is gone */
  async stats(): Promise<EngineThreadStats> {
    this.#assertRunning();
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
      const timer = setTimeout(() => void this.#worker.terminate(), CLOSE_MS);
      await this.#exited;
      clearTimeout(timer);
    }
    await this.#exited;
  }

  #post(request: EngineRequest): void {
    this.#worker.postMessage(request);
  }

  #assertRunning(): void {
    if (this.closed) throw new MicroturnError('engine/failed', 'the engine thread is not running');
  }

  #take(report: EngineReport): void {
    switch (report.type) {
      case 'decision':
        this.#leases.get(report.decision.lease)?.onDecision(report.decision);
        break;
      case 'lease.failed': {
        const listener = this.#leases.get(report.lease);
        if (!this.#leases.delete(report.lease)) break;
        const error = MicroturnError.fromWire(report.error);
        this.#log.warn({ lease: report.lease, error: error.message }, 'the engine gave up a row');
        listener?.onFailed(error);
        break;
      }
      case 'stats':
        this.#stats.get(report.id)?.resolve(report.stats);
        this.#stats.delete(report.id);
        break;
      case 'ready':
      case 'failed':
        break; // answered before the host was made
    }
  }

  /** The thread has exited. To start another in its place is up to whoever owns the host: ids do not carry over. */
  #end(code: number, cause: unknown): void {
    const error = new MicroturnError('engine/failed', `the engine thread exited with code ${code}`, { cause });
    for (const { reject } of this.#stats.values()) reject(error);
    this.#stats.clear();
    if (this.#state !== 'running') return;
    this.#state = 'failed';
    this.#log.error({ code, error: cause instanceof Error ? cause.message : undefined }, 'the engine thread exited');
    const listeners = [...this.#leases.values()];
    this.#leases.clear();
    for (const { onFailed } of listeners) onFailed(error);
    this.#onFailed?.(error);
  }
}

/** Waits for the thread's first word. */
function ready(worker: Worker): Promise<ModelInfo> {
  return new Promise((resolve, reject) => {
    const onMessage = (report: EngineReport) => {
      if (report.type === 'ready') settle(() => resolve(report.info));
      if (report.type === 'failed') settle(() => reject(MicroturnError.fromWire(report.error)));
    };
    const onError = (error: Error) => settle(() => reject(error));
    const onExit = (code: number) => settle(() => reject(new Error(`the engine thread exited with code ${code}`)));
    const settle = (then: () => void) => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      then();
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  });
}
