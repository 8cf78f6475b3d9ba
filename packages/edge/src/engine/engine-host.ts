import { realpath } from 'node:fs/promises';
import type { MessagePort } from 'node:worker_threads';
import { MicroturnError } from '@microturn/protocol';
import { monotonicClock, type Clock } from '../clock.js';
import type { Log } from '../telemetry/log.js';
import { defaultBounds, type AdmissionBounds } from './admission.js';
import type { EngineThreadStats } from './engine-messages.js';
import { EngineWorker, type EngineId, type LeaseListener } from './engine-worker.js';
import { lanePhaseMs, zeroOnPhase } from './lane-phase.js';
import type { Remembered } from './remembered.js';
import { BEAT_MS, Standstills } from './standstills.js';
import type { LeaseId, ModelInfo, Perceived, ProviderChoice } from './types.js';

export interface EngineHostOptions {
  readonly bundleDir: string;
  /** Participants that can be leased at once, over all threads. */
  readonly rows: number;
  /** 1 by default. */
  readonly threads?: number;
  /** Rows that step together, 1 by default. */
  readonly laneSize?: number;
  /** Where the model runs; the CPU by default. */
  readonly provider?: ProviderChoice;
  readonly log: Log;
  readonly clock?: Clock;
  /** Beyond which a thread takes no more leases. */
  readonly bounds?: AdmissionBounds;
  /** The worker's entry, for a layout other than the package's own. */
  readonly threadUrl?: URL;
  /**
   * A thread was started after the first ones, for a swapped model or in place of one that died or hung: whoever posts
   * micro-turns needs a new `connect()` to it. Without it a thread that dies stays dead.
   */
  readonly onThread?: (engine: EngineId) => void;
  /** The last thread is gone for good, and every lease with it. */
  readonly onFailed?: (error: MicroturnError) => void;
}

/** The loan of one row of an engine thread. Works with `using`. */
export interface EngineLease extends Disposable {
  readonly id: LeaseId;
  /** The thread that the row is on. */
  readonly engine: EngineId;
  /** Monotonic ms of session time 0: within the next micro-turn, so that turns end when the row's lane steps. */
  readonly zeroMs: number;
  /** Tells the model what it cannot hear. After `release` nobody is told. */
  perceive(perceived: Perceived): void;
  /** What the row remembered last, within a second; undefined where that is not kept. */
  remembered(): Remembered | undefined;
  /** Goes on from that, before the first micro-turn. @returns whether it does: not from what a model of another shape remembered */
  goOn(remembered: Remembered): boolean;
  /** Giving back twice is harmless. No decision follows. */
  release(): void;
}

/** How the engine keeps up, as main sees it. */
export interface EngineLoad {
  readonly leases: number;
  readonly rows: number;
  /** Leases that are let at once: `rows`, or as many as it was seen to keep time with. */
  readonly capacity: number;
  /** The slowest thread's, of the last seconds. */
  readonly lateShare: number;
  readonly lagP99Ms: number;
}

/** Main's side of the engine: its threads, the rows on them, and which model new leases get. */
export class EngineHost {
  readonly rows: number;
  readonly #options: EngineHostOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Those that new leases go to. */
  #workers: readonly EngineWorker[] = [];
  /** Those of a model that was swapped out, until the last of its leases ends. */
  readonly #retired = new Set<EngineWorker>();
  readonly #standstills: Standstills;
  readonly #beat: NodeJS.Timeout;
  #lastLease = 0;
  #lastEngine = -1;
  #swaps: Promise<void> = Promise.resolve();
  #state: 'running' | 'closing' | 'failed' = 'running';

  /**
   * Starts the threads and waits until their bundle is loaded.
   * @throws {MicroturnError} `bundle/…` as a thread met it, `engine/failed` where a thread itself did not start
   */
  static async start(options: EngineHostOptions): Promise<EngineHost> {
    const host = new EngineHost(options);
    try {
      host.#workers = await host.#startWorkers(options.bundleDir);
    } catch (error) {
      await host.close();
      throw error;
    }
    return host;
  }

  private constructor(options: EngineHostOptions) {
    this.rows = options.rows;
    this.#options = options;
    this.#clock = options.clock ?? monotonicClock;
    this.#log = options.log;
    this.#standstills = new Standstills(this.#clock.now());
    this.#beat = setInterval(() => this.#standstills.beat(this.#clock.now()), BEAT_MS).unref();
  }

  /** The model of new leases. */
  get info(): ModelInfo {
    return this.#workers[0]!.info;
  }

  get free(): number {
    return Math.max(0, this.rows - this.#leases);
  }

  /** The threads that take leases now; each needs a port to whoever posts micro-turns. */
  get engines(): readonly EngineId[] {
    return this.#workers.map(({ id }) => id);
  }

  get closed(): boolean {
    return this.#state !== 'running';
  }

  get load(): EngineLoad {
    const nowMs = this.#clock.now();
    const lateness = this.#workers.map(({ admission }) => admission.lateness(nowMs));
    return {
      leases: this.#leases,
      rows: this.rows,
      capacity: this.#capacity(nowMs),
      lateShare: Math.max(0, ...lateness.map(({ lateShare }) => lateShare)),
      lagP99Ms: Math.max(0, ...lateness.map(({ lagP99Ms }) => lagP99Ms)),
    };
  }

  /** A port straight to an engine thread, for the media thread to post `MicroTurn`s on; to the first where none is named. */
  connect(engine: EngineId = this.#workers[0]?.id ?? 0): MessagePort {
    this.#assertRunning();
    const worker = this.#all.find(({ id }) => id === engine);
    if (!worker) throw new RangeError(`there is no engine thread ${engine}`);
    return worker.connect();
  }

  /** Ports to all threads, for a media thread that begins: also to those of a swapped model that rows are still on. */
  connectAll(): Map<EngineId, MessagePort> {
    this.#assertRunning();
    return new Map(this.#all.map((worker) => [worker.id, worker.connect()]));
  }

  /**
   * Lends a row. Its state begins empty, and its id is used for no other.
   * @param onFailed the row is lost, and given back already
   * @param onReset  its thread, its device or its numbers failed: the row was set back, and goes on
   * @throws {MicroturnError} `edge/full` where every row is leased, or more than are would be late; `engine/failed`
   *   where the threads are gone
   */
  lease(
    onDecision: LeaseListener['onDecision'],
    onFailed: LeaseListener['onFailed'],
    onReset?: LeaseListener['onReset'],
  ): EngineLease {
    this.#assertRunning();
    return this.#lease(this.#choose(), onDecision, onFailed, onReset);
  }

  /**
   * As `lease`, for one whose earlier lease was released just now: it takes no more of the machine than that did, so
   * whether the threads keep time is not asked.
   */
  leaseAgain(
    onDecision: LeaseListener['onDecision'],
    onFailed: LeaseListener['onFailed'],
    onReset?: LeaseListener['onReset'],
  ): EngineLease {
    this.#assertRunning();
    return this.#lease(this.#choose({ inTime: false }), onDecision, onFailed, onReset);
  }

  #lease(
    worker: EngineWorker,
    onDecision: LeaseListener['onDecision'],
    onFailed: LeaseListener['onFailed'],
    onReset: LeaseListener['onReset'],
  ): EngineLease {
    const { microTurnMs } = worker.info;
    const id = ++this.#lastLease;
    const row = worker.lease(id, {
      onDecision,
      onFailed: (error) => {
        this.#closeRetired(worker);
        onFailed(error);
      },
      onReset,
    });
    const phaseMs = lanePhaseMs(worker.index, Math.floor(row / worker.laneSize), microTurnMs);
    const release = () => {
      if (worker.release(id)) this.#closeRetired(worker);
    };
    return {
      id,
      engine: worker.id,
      zeroMs: zeroOnPhase(this.#clock.now(), phaseMs, microTurnMs),
      perceive: (perceived) => worker.perceive(id, perceived),
      remembered: () => worker.remembered(id),
      goOn: (remembered) => worker.goOn(id, remembered),
      release,
      [Symbol.dispose]: release,
    };
  }

  /**
   * Nothing, where a row could be leased now.
   * @throws {MicroturnError} as `lease`
   */
  assertRoom(): void {
    this.#assertRunning();
    this.#choose();
  }

  /**
   * Changes the model without a pause: new leases go to it, and those that are open stay with the one they have until
   * they end. Both are in memory until then. One swap waits for another.
   * @throws {MicroturnError} `bundle/…`, `engine/failed`: nothing has changed then
   */
  swap(bundleDir: string): Promise<ModelInfo> {
    const swapped = this.#swaps.then(() => this.#swap(bundleDir));
    this.#swaps = swapped.then(
      () => {},
      () => {},
    );
    return swapped;
  }

  /** Over all threads: counts added up, the slowest thread's percentiles. @throws {MicroturnError} `engine/failed` */
  async stats(): Promise<EngineThreadStats> {
    this.#assertRunning();
    const inUse = [...this.#workers, ...[...this.#retired].filter(({ leases }) => leases > 0)];
    const all = await Promise.all(inUse.map((worker) => worker.stats()));
    return all.reduce((sum, stats) => {
      const keys = Object.keys(sum) as (keyof EngineThreadStats)[];
      const join = (key: keyof EngineThreadStats) =>
        key.endsWith('Ms') ? Math.max(sum[key], stats[key]) : sum[key] + stats[key];
      return Object.fromEntries(keys.map((key) => [key, join(key)])) as unknown as EngineThreadStats;
    });
  }

  /** Ends the threads after the step they are in, which is awaited for 2 s. Leases end without a word. Closing twice is harmless. */
  async close(): Promise<void> {
    if (this.#state === 'running') this.#state = 'closing';
    clearInterval(this.#beat);
    await Promise.all(this.#all.map((worker) => worker.close()));
    await this.#swaps;
  }

  get #all(): readonly EngineWorker[] {
    return [...this.#workers, ...this.#retired];
  }

  get #leases(): number {
    return this.#all.reduce((sum, { leases }) => sum + leases, 0);
  }

  /** The thread for another lease: of those that keep time, the one with the fewest. */
  #choose({ inTime = true } = {}): EngineWorker {
    const nowMs = this.#clock.now();
    const withRows = this.#workers.filter(({ free }) => free > 0);
    if (this.free === 0 || withRows.length === 0) {
      throw new MicroturnError('edge/full', `${this.#leases} of ${this.rows} rows are leased`);
    }
    // One that is just being started again would give its rows nothing to hear for a moment.
    const up = withRows.some((worker) => worker.up) ? withRows.filter((worker) => worker.up) : withRows;
    const open = inTime ? up.filter((worker) => worker.leases < worker.capacity(nowMs)) : up;
    const first = open[0];
    if (!first) {
      const { capacity, leases, lateShare, lagP99Ms } = this.load;
      throw new MicroturnError(
        'edge/full',
        `${leases} of the ${capacity} that it was measured to keep time with; ` +
          `${(100 * lateShare).toFixed(1)} % of micro-turns late, lag p99 ${lagP99Ms.toFixed(0)} ms`,
      );
    }
    return open.reduce((least, worker) => (worker.leases < least.leases ? worker : least), first);
  }

  #capacity(nowMs: number): number {
    return this.#workers.reduce((sum, worker) => sum + worker.capacity(nowMs), 0);
  }

  async #swap(bundleDir: string): Promise<ModelInfo> {
    this.#assertRunning();
    const fresh = await this.#startWorkers(bundleDir);
    if (this.closed) {
      await Promise.all(fresh.map((worker) => worker.close()));
      this.#assertRunning();
    }
    const old = this.#workers;
    this.#workers = fresh;
    for (const { id } of fresh) this.#options.onThread?.(id);
    for (const worker of old) {
      this.#retired.add(worker);
      this.#closeRetired(worker);
    }
    return this.info;
  }

  /** All, or none where one does not start. */
  async #startWorkers(bundleDir: string): Promise<EngineWorker[]> {
    const { rows, threads = 1, laneSize = 1, provider = 'cpu', bounds = defaultBounds } = this.#options;
    const { onThread, threadUrl = new URL('./engine-thread.js', import.meta.url) } = this.#options;
    const count = Math.min(threads, rows);
    // A thread that takes the place of another loads the same model, also where a link leads to the next one meanwhile. What is
    // not there is for the thread to tell.
    const folder = await realpath(bundleDir).catch(() => bundleDir);
    const starting = await Promise.allSettled(
      Array.from({ length: count }, (_, index) =>
        EngineWorker.start({
          id: ++this.#lastEngine,
          index,
          bundleDir: folder,
          rows: Math.floor(rows / count) + (index < rows % count ? 1 : 0),
          laneSize,
          provider,
          bounds,
          standstills: this.#standstills,
          now: () => this.#clock.now(),
          threadUrl,
          log: this.#log,
          onRestarted: onThread && ((worker) => onThread(worker.id)),
          onDied: (worker, error) => this.#onDied(worker, error),
        }),
      ),
    );
    const started = starting.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const refused = starting.find((one) => one.status === 'rejected');
    if (refused) {
      await Promise.all(started.map((worker) => worker.close()));
      throw MicroturnError.from(refused.reason, 'engine/failed');
    }
    const { info, provider: where } = started[0]!;
    const { name, version } = info;
    this.#log.info({ model: name, version, provider: where, rows, threads: count, laneSize }, 'the engine is ready');
    return started;
  }

  #closeRetired(worker: EngineWorker): void {
    if (!this.#retired.has(worker) || worker.leases > 0) return;
    void worker.close().then(() => {
      this.#retired.delete(worker);
      const { name, version } = worker.info;
      this.#log.info({ model: name, version }, 'a thread of a model that was swapped out has ended');
    });
  }

  #onDied(worker: EngineWorker, error: MicroturnError): void {
    this.#log.error({ engine: worker.id, err: error }, 'an engine thread is gone for good');
    this.#retired.delete(worker);
    const left = this.#workers.filter((other) => other !== worker);
    if (left.length > 0) {
      this.#workers = left;
      return;
    }
    this.#state = 'failed'; // the last one stays: what it ran is still what is known of the model
    this.#options.onFailed?.(error);
  }

  #assertRunning(): void {
    if (this.closed) throw new MicroturnError('engine/failed', 'the engine thread is not running');
  }
}
