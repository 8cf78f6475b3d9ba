import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { MicroturnError } from '@microturn/protocol';
import { monotonicClock, type Clock } from '../clock.js';
import { RestartBudget } from '../restart-budget.js';
import type { Log } from '../telemetry/log.js';
import type { EngineReport, EngineRequest, EngineThreadData, EngineThreadStats } from './engine-messages.js';
import type { Decision, LeaseId, ModelInfo } from './types.js';

// Runs on main, and must never import what loads ONNX Runtime: a step would block every session's socket.

/** How long the thread may take to finish its step and leave, before it is ended. */
const CLOSE_MS = 2000;
/** A thread that decides nothing for this long, while micro-turns come, hangs in a step and can only be ended. */
const HANG_MS = 2000;
const PING_MS = 250;

export interface EngineHostOptions {
  readonly bundleDir: string;
  /** Participants that can be leased at once. */
  readonly rows: number;
  /** Rows that step together, 1 by default. */
  readonly laneSize?: number;
  readonly log: Log;
  /** The worker's entry, for a layout other than the package's own. */
  readonly threadUrl?: URL;
  /** The thread is gone for good, and every lease with it. */
  readonly onFailed?: (error: MicroturnError) => void;
  /**
   * The thread died or hung, and another took its place: hand the media thread a new `connect()`. Leases keep their
   * ids, and their rows begin again from nothing. Without it a thread that dies stays dead.
   */
  readonly onRestart?: (() => void) | undefined;
  readonly clock?: Clock;
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
  /** The row goes on, and what the model remembered is gone. */
  readonly onReset: ((error: MicroturnError) => void) | undefined;
}

/** Main's side of the engine thread. */
export class EngineHost {
  readonly info: ModelInfo;
  readonly rows: number;
  readonly #options: EngineHostOptions;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #restarts: RestartBudget;
  #worker: Worker | undefined;
  readonly #leases = new Map<LeaseId, Listener>();
  readonly #stats = new Map<number, { resolve: (stats: EngineThreadStats) => void; reject: (error: Error) => void }>();
  #exited: Promise<void> = Promise.resolve();
  #watch: NodeJS.Timeout | undefined;
  /** When the thread last did something for the micro-turns it was given, or was given none. */
  #aliveAtMs = 0;
  #lookedAtMs = 0;
  #taken = 0;
  #lastLease = 0;
  #lastRequest = 0;
  #state: 'running' | 'closing' | 'failed' = 'running';

  /**
   * Starts the thread and waits until its bundle is loaded.
   * @throws {MicroturnError} `bundle/…` as the thread met it, `engine/failed` where the thread itself did not start
   */
  static async start(options: EngineHostOptions): Promise<EngineHost> {
    const { worker, info } = await startThread(options);
    return new EngineHost(worker, info, options);
  }

  private constructor(worker: Worker, info: ModelInfo, options: EngineHostOptions) {
    this.info = info;
    this.rows = options.rows;
    this.#options = options;
    this.#log = options.log;
    this.#clock = options.clock ?? monotonicClock;
    this.#restarts = new RestartBudget(this.#clock);
    this.#adopt(worker);
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
    // Between two threads nobody listens: the next one is connected anew.
    if (this.#worker) this.#worker.postMessage({ type: 'connect', port: port2 } satisfies EngineRequest, [port2]);
    else port2.close();
    return port1;
  }

  /**
   * Lends a row. Its state begins empty, and its id is used for no other.
   * @param onFailed the row is lost, and given back already
   * @param onReset another thread took over: the row goes on from an empty state
   * @throws {MicroturnError} `edge/full` where every row is leased, `engine/failed` where the thread is gone
   */
  lease(
    onDecision: Listener['onDecision'],
    onFailed: Listener['onFailed'],
    onReset?: Listener['onReset'],
  ): EngineLease {
    this.#assertRunning();
    if (this.free === 0) throw new MicroturnError('edge/full', `${this.rows} of ${this.rows}`);
    const id = ++this.#lastLease;
    this.#leases.set(id, { onDecision, onFailed, onReset });
    this.#post({ type: 'open', lease: id });
    const release = () => {
      if (this.#leases.delete(id) && !this.closed) this.#post({ type: 'close', lease: id });
    };
    return { id, release, [Symbol.dispose]: release };
  }

  /** @throws {MicroturnError} `engine/failed` where the thread is gone */
  async stats(): Promise<EngineThreadStats> {
    this.#assertRunning();
    if (!this.#worker) throw new MicroturnError('engine/failed', 'the engine thread is being started again');
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
      clearInterval(this.#watch);
      this.#leases.clear();
      this.#post({ type: 'shutdown' });
      const timer = setTimeout(() => void this.#worker?.terminate(), CLOSE_MS);
      await this.#exited;
      clearTimeout(timer);
    }
    await this.#exited;
  }

  #post(request: EngineRequest): void {
    this.#worker?.postMessage(request);
  }

  #assertRunning(): void {
    if (this.closed) throw new MicroturnError('engine/failed', 'the engine thread is not running');
  }

  #take(report: EngineReport): void {
    switch (report.type) {
      case 'decision':
        this.#aliveAtMs = this.#clock.now();
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
      case 'pong':
        // Nothing was given since: nothing is to be decided.
        if (report.taken === this.#taken) this.#aliveAtMs = this.#clock.now();
        this.#taken = report.taken;
        break;
      case 'ready':
      case 'failed':
        break; // answered before the thread was adopted
    }
  }

  #adopt(worker: Worker): void {
    let cause: unknown;
    this.#worker = worker;
    worker.on('error', (error) => (cause = error));
    worker.on('message', (report: EngineReport) => this.#take(report));
    this.#exited = new Promise((resolve) => {
      worker.once('exit', (code) => {
        this.#end(code, cause);
        resolve();
      });
    });
    this.#taken = 0;
    this.#aliveAtMs = this.#lookedAtMs = this.#clock.now();
    this.#watch = setInterval(() => this.#look(worker), PING_MS).unref();
  }

  /** Ends a thread that hangs: it answers nothing, or decides nothing. */
  #look(worker: Worker): void {
    const now = this.#clock.now();
    // This process itself stood still, and the thread with it.
    if (now - this.#lookedAtMs > 2 * PING_MS) this.#aliveAtMs = now;
    this.#lookedAtMs = now;
    if (now - this.#aliveAtMs > HANG_MS) {
      this.#log.warn({ ms: HANG_MS }, 'the engine thread hangs, and is ended');
      this.#aliveAtMs = now;
      void worker.terminate();
    } else this.#post({ type: 'ping' });
  }

  #end(code: number, cause: unknown): void {
    clearInterval(this.#watch);
    this.#worker = undefined;
    const error = new MicroturnError('engine/failed', `the engine thread exited with code ${code}`, { cause });
    for (const { reject } of this.#stats.values()) reject(error);
    this.#stats.clear();
    if (this.#state !== 'running') return;
    if (!this.#options.onRestart || !this.#restarts.take()) {
      this.#fail(error);
      return;
    }
    this.#log.warn({ code, err: cause }, 'the engine thread exited, and another is started');
    this.#restart(error).catch((failure: unknown) => this.#fail(MicroturnError.from(failure, 'engine/failed')));
  }

  /** The same leases on another thread. What was decided of them is gone; their clocks are the media thread's. */
  async #restart(error: MicroturnError): Promise<void> {
    const { worker } = await startThread(this.#options);
    if (this.#state !== 'running') {
      await worker.terminate();
      return;
    }
    this.#adopt(worker);
    for (const lease of this.#leases.keys()) this.#post({ type: 'open', lease });
    this.#options.onRestart?.();
    for (const { onReset } of [...this.#leases.values()]) onReset?.(error);
  }

  #fail(error: MicroturnError): void {
    if (this.#state !== 'running') return;
    this.#state = 'failed';
    this.#log.error({ err: error }, 'the engine is gone for good');
    const listeners = [...this.#leases.values()];
    this.#leases.clear();
    for (const { onFailed } of listeners) onFailed(error);
    this.#options.onFailed?.(error);
  }
}

/** @throws {MicroturnError} `bundle/…` as the thread met it, `engine/failed` where the thread itself did not start */
async function startThread({
  bundleDir,
  rows,
  laneSize = 1,
  log,
  threadUrl = new URL('./engine-thread.js', import.meta.url),
}: EngineHostOptions): Promise<{ worker: Worker; info: ModelInfo }> {
  const workerData: EngineThreadData = { bundleDir, rows, laneSize };
  // ONNX Runtime 1.30 sends usage to its maker unless told not to, and a self-hosted edge calls nobody. It asks the process:
  // the environment of a thread would not reach it.
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
  const worker = new Worker(threadUrl, { workerData, name: 'engine' });
  try {
    const info = await ready(worker);
    log.info({ model: info.name, version: info.version, rows, laneSize }, 'the engine is ready');
    return { worker, info };
  } catch (error) {
    await worker.terminate();
    throw MicroturnError.from(error, 'engine/failed');
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
