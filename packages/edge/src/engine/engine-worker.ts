import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import { MicroturnError } from '@microturn/protocol';
import { RestartBudget } from '../restart-budget.js';
import type { Log } from '../telemetry/log.js';
import { Admission, type AdmissionBounds, type Timing } from './admission.js';
import type { EngineReport, EngineRequest, EngineThreadStats } from './engine-messages.js';
import type { NativeGate } from './native-gate.js';
import { putRemembered, rememberedOf, type Remembered } from './remembered.js';
import type { RowMemory } from './row-memory.js';
import { RowPool, type RowLease } from './row-pool.js';
import type { Standstills } from './standstills.js';
import { engineThreads, startThread, type StartedThread, type ThreadOptions } from './start-thread.js';
import type { Decision, LeaseId, ModelInfo, Perceived, Provider, Recovery } from './types.js';

// Runs on main, and must never import what loads ONNX Runtime: a step would block every session's socket.

/** How long the thread may take to finish its step and leave, before it is ended, or left behind. */
const CLOSE_MS = 2000;
/** A thread that decides nothing for this long, while micro-turns come, hangs in a step: it is ended, or left behind. */
const HANG_MS = 2000;
/** Threads that may be left inside a step which does not end, each on a core of its own, before the engine is given up. */
const MOST_LEFT = 2;
const PING_MS = 250;
/** A row whose step ends the thread twice within this time is its cause. */
const SUSPECT_MS = 60_000;

/**
 * One engine thread of a host, or another that took its place; never used for a different one. Rows are on one, and the
 * media thread posts their micro-turns there.
 */
export type EngineId = number;

export interface LeaseListener {
  readonly onDecision: (decision: Decision) => void;
  readonly onFailed: (error: MicroturnError) => void;
  /** The row was set back, and goes on. */
  readonly onReset?: ((error: MicroturnError, recovery: Recovery) => void) | undefined;
}

export interface EngineWorkerOptions extends ThreadOptions {
  readonly id: EngineId;
  /** From 0 among those that run one model: its lanes are staggered against the others'. */
  readonly index: number;
  readonly bounds: AdmissionBounds;
  readonly standstills: Standstills;
  readonly now: () => number;
  readonly log: Log;
  /**
   * The thread died or hung, and another took its place: it needs new ports. Leases keep their ids and rows, which go on
   * from what is kept of them. Without it a thread that dies stays dead.
   */
  readonly onRestarted?: ((worker: EngineWorker) => void) | undefined;
  /** The thread is gone for good without having been closed, and every lease with it. */
  readonly onDied: (worker: EngineWorker, error: MicroturnError) => void;
}

interface Held extends LeaseListener {
  readonly place: RowLease;
  /** It was decided for: what it takes is measured from now on. */
  stepped: boolean;
  /** When the thread last ended in a step of this row. */
  suspectedAtMs?: number;
}

/** Main's side of one engine thread, and of those that take its place: its rows, who has them, and how it keeps time. */
export class EngineWorker {
  readonly id: EngineId;
  readonly index: number;
  readonly laneSize: number;
  readonly admission: Admission;
  readonly #options: EngineWorkerOptions;
  readonly #restarts: RestartBudget;
  readonly #pool: RowPool;
  readonly #leases = new Map<LeaseId, Held>();
  readonly #stats = new Map<number, { resolve: (stats: EngineThreadStats) => void; reject: (error: Error) => void }>();
  #info: ModelInfo;
  #provider: Provider;
  /** Undefined between two threads. */
  #thread: Worker | undefined;
  #gate: NativeGate | undefined;
  /** The thread is gone, or left to itself: called once for each. */
  #leave: (how: string) => void = () => {};
  /** Outlives its threads. */
  #memory: RowMemory | undefined;
  #exited: Promise<void> = Promise.resolve();
  #restarting: Promise<void> = Promise.resolve();
  #watch: NodeJS.Timeout | undefined;
  /** When the thread last did something for the micro-turns it was given, or was given none. */
  #aliveAtMs = 0;
  #lookedAtMs = 0;
  #taken = 0;
  /** It loads the model anew, and can neither answer nor decide meanwhile. */
  #reloading = false;
  #lastRequest = 0;
  #state: 'running' | 'closing' | 'exited' = 'running';

  /**
   * Starts the thread and waits until its bundle is loaded.
   * @throws {MicroturnError} `bundle/…` as the thread met it, `engine/failed` where the thread itself did not start
   */
  static async start(options: EngineWorkerOptions): Promise<EngineWorker> {
    return new EngineWorker(await startThread(options), options);
  }

  private constructor(started: StartedThread, options: EngineWorkerOptions) {
    this.id = options.id;
    this.index = options.index;
    this.laneSize = options.laneSize;
    this.admission = new Admission(started.info.microTurnMs, options);
    this.#options = options;
    this.#restarts = new RestartBudget({ now: options.now });
    this.#pool = new RowPool(options.rows);
    this.#info = started.info;
    this.#provider = started.provider;
    this.#adopt(started);
  }

  get info(): ModelInfo {
    return this.#info;
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

  /** Leases that the thread keeps time with, as far as was measured. */
  capacity(nowMs: number): number {
    const stepped = [...this.#leases.values()].filter((held) => held.stepped).length;
    return Math.min(this.rows, this.admission.capacity(this.leases, stepped, nowMs));
  }

  /** False between two threads. */
  get up(): boolean {
    return this.#thread !== undefined;
  }

  /** A port straight to the thread, for the media thread to post `MicroTurn`s on. */
  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    // Between two threads nobody listens: the next one is connected anew.
    if (!this.#thread) port2.close();
    this.#thread?.postMessage({ type: 'connect', port: port2 } satisfies EngineRequest, [port2]);
    return port1;
  }

  /**
   * Lends the lowest free row.
   * @throws {MicroturnError} `edge/full` where every row is leased
   */
  lease(lease: LeaseId, listener: LeaseListener): number {
    const place = this.#pool.lease();
    this.#leases.set(lease, { ...listener, place, stepped: false });
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

  /** Tells the row of a lease; between two threads nobody listens. */
  perceive(lease: LeaseId, perceived: Perceived): void {
    if (this.#leases.has(lease)) this.#post({ type: 'perceive', lease, perceived });
  }

  /** What a lease's row remembered last, within a second; undefined where its states are not copied, or it has heard nothing. */
  remembered(lease: LeaseId): Remembered | undefined {
    const held = this.#leases.get(lease);
    return held && this.#memory && rememberedOf(this.#memory, held.place.row, lease);
  }

  /**
   * Has a row that was given nothing yet go on from what another remembered.
   * @returns whether it does: not where the other was of another shape, or this thread cannot be told now
   */
  goOn(lease: LeaseId, remembered: Remembered): boolean {
    const held = this.#leases.get(lease);
    if (!held || !this.#memory || !this.up) return false;
    const isPut = putRemembered(this.#memory, held.place.row, { lease, dueMs: this.#options.now() }, remembered);
    if (isPut) this.#post({ type: 'recall', lease });
    return isPut;
  }

  /** @throws {MicroturnError} `engine/failed` where the thread is gone before it answers */
  async stats(): Promise<EngineThreadStats> {
    if (!this.#thread) throw new MicroturnError('engine/failed', 'the engine thread is being started again');
    const id = ++this.#lastRequest;
    return new Promise((resolve, reject) => {
      this.#stats.set(id, { resolve, reject });
      this.#post({ type: 'stats', id });
    });
  }

  /** Ends the thread after the step it is in, which is awaited for 2 s. Leases end without a word. Closing twice is harmless. */
  async close(): Promise<void> {
    if (this.#state === 'running') {
      this.#state = 'closing';
      clearInterval(this.#watch);
      this.#leases.clear();
      this.#post({ type: 'shutdown' });
      const timer = setTimeout(() => this.#endThread(), CLOSE_MS);
      await this.#exited;
      clearTimeout(timer);
    }
    await this.#exited;
    await this.#restarting;
  }

  #post(request: EngineRequest): void {
    this.#thread?.postMessage(request);
  }

  #take(report: EngineReport): void {
    switch (report.type) {
      case 'decision': {
        const { decision } = report;
        this.#aliveAtMs = this.#options.now();
        this.#noteTiming(decision, this.#aliveAtMs);
        const held = this.#leases.get(decision.lease);
        if (!held) break;
        held.stepped = true;
        held.onDecision(decision);
        break;
      }
      case 'lease.failed': {
        const held = this.#leases.get(report.lease);
        if (!held) break;
        this.#leases.delete(report.lease);
        held.place.release();
        this.#warn(report, 'the engine gave up a row');
        held.onFailed(MicroturnError.fromWire(report.error));
        break;
      }
      case 'lease.reset':
        this.#warn(report, 'a row was set back');
        this.#leases.get(report.lease)?.onReset?.(MicroturnError.fromWire(report.error), report.recovery);
        break;
      case 'stats':
        this.#stats.get(report.id)?.resolve(report.stats);
        this.#stats.delete(report.id);
        break;
      case 'pong':
        // Nothing was given since: nothing is to be decided.
        if (report.taken === this.#taken) this.#aliveAtMs = this.#options.now();
        this.#taken = report.taken;
        break;
      case 'device.lost':
        this.#reloading = true;
        break;
      case 'fallback': {
        const { provider, reason } = report;
        this.#reloading = false;
        this.#aliveAtMs = this.#options.now();
        this.#provider = provider;
        this.#options.log.warn({ provider, reason }, 'the model runs elsewhere now: its device was lost');
        break;
      }
      case 'ready':
      case 'failed':
        break; // answered before the thread was adopted
    }
  }

  #warn({ lease, error, reason }: EngineReport & { type: 'lease.reset' | 'lease.failed' }, what: string): void {
    this.#options.log.warn({ lease, error: error.message, reason }, what);
  }

  #noteTiming(timing: Timing, nowMs: number): void {
    const { standstills } = this.#options;
    standstills.beat(nowMs);
    if (!standstills.excuses(nowMs - timing.lagMs)) this.admission.note(timing, nowMs);
  }

  #adopt({ thread, gate, info, provider, memory }: StartedThread): void {
    let cause: unknown;
    this.#thread = thread;
    this.#gate = gate;
    this.#memory = memory;
    this.#info = info;
    this.#provider = provider;
    thread.on('error', (error) => (cause = error));
    thread.on('message', (report: EngineReport) => this.#take(report));
    this.#exited = new Promise((resolve) => {
      const leave = (how: string) => {
        if (this.#thread !== thread) return;
        thread.removeAllListeners('message');
        this.#end(how, cause);
        resolve();
      };
      thread.once('exit', (code) => leave(`exited with code ${code}`));
      this.#leave = leave;
    });
    this.#taken = 0;
    this.#reloading = false;
    this.#aliveAtMs = this.#lookedAtMs = this.#options.now();
    this.#watch = setInterval(() => this.#look(), PING_MS).unref();
  }

  /** Ends a thread that hangs: it answers nothing, or decides nothing. */
  #look(): void {
    const nowMs = this.#options.now();
    // This process itself stood still, and the thread with it.
    if (nowMs - this.#lookedAtMs > 2 * PING_MS) this.#aliveAtMs = nowMs;
    this.#lookedAtMs = nowMs;
    if (this.#reloading) return;
    if (nowMs - this.#aliveAtMs > HANG_MS) {
      this.#options.log.warn({ engine: this.id, ms: HANG_MS }, 'an engine thread hangs');
      this.#aliveAtMs = nowMs;
      this.#endThread();
    } else this.#post({ type: 'ping' });
  }

  /** One that is inside ONNX Runtime is not waited for: it ends itself when its step does. */
  #endThread(): void {
    if (!this.#thread) return;
    if (this.#gate?.end()) void this.#thread.terminate();
    else this.#leave('did not end its step');
  }

  #end(how: string, cause: unknown): void {
    clearInterval(this.#watch);
    this.#thread = undefined;
    const error = new MicroturnError('engine/failed', `the engine thread ${how}`, { cause });
    for (const { reject } of this.#stats.values()) reject(error);
    this.#stats.clear();
    if (this.#state !== 'running') {
      this.#state = 'exited';
      return;
    }
    this.#suspect(error);
    if (!this.#options.onRestarted || engineThreads().left > MOST_LEFT || !this.#restarts.take())
      return this.#die(error);
    this.#options.log.warn({ engine: this.id, err: cause }, `an engine thread ${how}, and another is started`);
    this.#restarting = this.#restart(error).catch((failure: unknown) =>
      this.#die(MicroturnError.from(failure, 'engine/failed')),
    );
  }

  /**
   * Which rows were in the step that the thread ended in. One that was, twice and the second time alone, is put aside with
   * its input; until that is known each of them steps alone.
   */
  #suspect(cause: MicroturnError): void {
    const nowMs = this.#options.now();
    const marked = this.#memory?.takeMarked() ?? [];
    for (const [lease, held] of [...this.#leases]) {
      if (!marked.includes(held.place.row)) continue;
      const again = held.suspectedAtMs !== undefined && nowMs - held.suspectedAtMs < SUSPECT_MS;
      held.suspectedAtMs = nowMs;
      if (!again || marked.length > 1) continue;
      this.#leases.delete(lease);
      held.place.release();
      this.#restarts.giveBack();
      this.#options.log.error({ lease, engine: this.id }, 'a row ended its engine thread twice, and is put aside');
      held.onFailed(new MicroturnError('engine/failed', 'its input ended the engine thread twice', { cause }));
    }
  }

  /** The same leases on another thread, which says what their rows go on from; their clocks are the media thread's. */
  async #restart(error: MicroturnError): Promise<void> {
    // Leases that come meanwhile have nothing to lose.
    const interrupted = new Set(this.#leases.keys());
    const started = await startThread(this.#options, this.#memory);
    const { microTurnMs, inputHz } = started.info;
    if (this.#state !== 'running') {
      await started.thread.terminate();
      return;
    }
    if (microTurnMs !== this.#info.microTurnMs || inputHz !== this.#info.inputHz) {
      await started.thread.terminate();
      throw new MicroturnError('engine/failed', 'its bundle was replaced by one that hears in other micro-turns');
    }
    this.#adopt(started);
    for (const [lease, { place, suspectedAtMs }] of this.#leases) {
      const again = interrupted.has(lease) ? error.toWire() : undefined;
      this.#post({ type: 'open', lease, row: place.row, again, alone: suspectedAtMs !== undefined });
    }
    this.#options.onRestarted?.(this);
  }

  #die(error: MicroturnError): void {
    if (this.#state !== 'running') return;
    this.#state = 'exited';
    this.#endThread();
    const held = [...this.#leases.values()];
    this.#leases.clear();
    this.#options.onDied(this, error);
    for (const { onFailed } of held) onFailed(error);
  }
}
