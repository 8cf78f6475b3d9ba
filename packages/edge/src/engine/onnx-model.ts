import { MicroturnError } from '@microturn/protocol';
import { monotonicClock, type Clock } from '../clock.js';
import { modelInfo, type Bundle } from './bundle.js';
import { decode, playFed, undecided } from './decode.js';
import { openGraph, openGraphOn, type StepGraph } from './graph.js';
import type { HeardTurn } from './heard-turns.js';
import { Lane } from './lane.js';
import type { FedTurn, RowInputs, RowResult } from './lane-io.js';
import type { Manifest } from './manifest.js';
import type { NativeCall } from './native-gate.js';
import { openRow, type LaneRows, type OpenRow } from './open-row.js';
import { Punctuality } from './punctuality.js';
import { createReader } from './reader.js';
import { memoryFor, type RowMemory } from './row-memory.js';
import { RowPool } from './row-pool.js';
import { RowRecovery } from './row-recovery.js';
import type {
  Decision,
  EngineStats,
  InteractionModel,
  InteractionStream,
  LeaseId,
  MicroTurn,
  ModelInfo,
  Provider,
  ProviderChoice,
  StreamOptions,
} from './types.js';

/**
 * Micro-turns of one row that may wait for a step. More than that is an engine too slow: the oldest is passed over, so
 * that a decision is never later than this many micro-turns and one step.
 */
const MAX_WAITING = 3;
/** Bad steps of one row, one after the other, after which it goes back to what is kept of it, then to nothing. */
const MAX_FAULTS = 3;
/** Sound steps that a row takes alone after its thread ended in one of its steps. */
const PROBATION_STEPS = 5;

/** Calls `run` once, `ms` from now; the result calls it off. */
export type After = (ms: number, run: () => void) => () => void;

const afterTimeout: After = (ms, run) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

export interface OnnxModelOptions {
  /** Rows that can be open at once. */
  readonly rows: number;
  /** Rows that step together. 1 decides soonest; more take less CPU for each row. */
  readonly laneSize?: number;
  /** How long a lane waits for the micro-turns of its other rows. */
  readonly gatherMs?: number;
  readonly clock?: Clock;
  readonly after?: After;
  /** Makes the calls into ONNX Runtime. */
  readonly native?: NativeCall;
  /** The memory of a thread before this one: rows go on from there. */
  readonly left?: SharedArrayBuffer | undefined;
  /** Opens the graph anew, elsewhere, when the device that it ran on is lost. */
  readonly fallback?: () => Promise<StepGraph>;
  /** The device was lost, and the fallback is loaded now. */
  readonly onDeviceLost?: () => void;
  /** The device was lost: every row goes on from what is kept of it, on this provider. */
  readonly onFallback?: (provider: Provider, cause: unknown) => void;
}

/** How a stream of this model is opened, also by main for the thread that it runs on. */
export interface OnnxStreamOptions extends StreamOptions {
  /** Another thread had this lease, and is gone for this reason: the row goes on from what is kept of it. */
  readonly again?: MicroturnError | undefined;
  /** That thread ended in one of its steps: it steps by itself until it is known not to be the cause. */
  readonly alone?: boolean | undefined;
}

type StepTimes = Pick<Decision, 'stepMs' | 'stepRows' | 'lagMs'>;

/** A bundle on ONNX Runtime. `session.run` blocks its thread, so this lives on the engine thread. */
export class OnnxModel implements InteractionModel {
  readonly info: ModelInfo;
  readonly rows: number;
  /** What is kept of its rows: it outlives the thread. */
  readonly memory: RowMemory;
  readonly #manifest: Manifest;
  #graph: StepGraph;
  #fallback: OnnxModelOptions['fallback'];
  readonly #onDeviceLost: OnnxModelOptions['onDeviceLost'];
  readonly #onFallback: OnnxModelOptions['onFallback'];
  readonly #lanes: readonly LaneRows[];
  readonly #laneSize: number;
  readonly #gatherMs: number;
  readonly #pool: RowPool;
  readonly #recovery: RowRecovery;
  readonly #clock: Clock;
  readonly #after: After;
  readonly #punctuality: Punctuality;
  readonly #open = new Map<LeaseId, OpenRow>();
  readonly #ready: LaneRows[] = [];
  #running = false;
  /** Settles when the steps that are ready have been taken. */
  #idle: Promise<void> = Promise.resolve();
  #closed = false;

  /**
   * Loads the bundle's graph and makes the lanes.
   * @param provider the CPU where none is given
   * @throws {MicroturnError} `bundle/graph` where ONNX Runtime does not take it, `engine/provider` where the provider
   *   does not open
   */
  static async load(bundle: Bundle, options: OnnxModelOptions, provider: ProviderChoice = 'cpu'): Promise<OnnxModel> {
    const graph = await openGraphOn(bundle, provider, options.native);
    // Only a device can be lost: on the CPU nothing keeps the bundle's bytes beside the runtime's own.
    const fallback = graph.provider === 'cpu' ? undefined : () => openGraph(bundle, 'cpu', options.native);
    return new OnnxModel(bundle.manifest, graph, { ...(fallback && { fallback }), ...options });
  }

  /** @param graph closed with the model */
  constructor(manifest: Manifest, graph: StepGraph, options: OnnxModelOptions) {
    const { rows, laneSize = 1, gatherMs = 4, clock = monotonicClock, after = afterTimeout } = options;
    this.#fallback = options.fallback;
    this.#onDeviceLost = options.onDeviceLost;
    this.#onFallback = options.onFallback;
    this.#pool = new RowPool(rows);
    // States that a graph keeps on a device cannot be copied.
    this.memory = memoryFor(manifest, rows, { copies: !graph.createStates, left: options.left });
    this.#recovery = new RowRecovery(this.memory, manifest, clock);
    if (!Number.isInteger(laneSize) || laneSize < 1) {
      throw new RangeError(`laneSize must be a whole number above 0, got ${laneSize}`);
    }
    this.info = modelInfo(manifest);
    this.#punctuality = new Punctuality(manifest.microTurnMs);
    this.rows = rows;
    this.#manifest = manifest;
    this.#graph = graph;
    this.#laneSize = laneSize;
    this.#gatherMs = gatherMs;
    this.#clock = clock;
    this.#after = after;
    this.#lanes = Array.from({ length: Math.ceil(rows / laneSize) }, (_, index) => ({
      first: index * laneSize,
      lane: new Lane(graph, manifest, laneSize),
      rows: new Map<number, OpenRow>(),
      stopWaiting: undefined,
      ready: false,
    }));
  }

  get provider(): Provider {
    return this.#graph.provider ?? 'cpu';
  }

  get stats(): EngineStats {
    return { leases: this.#open.size, ...this.#punctuality.stats };
  }

  open(
    lease: LeaseId,
    onDecision: (decision: Decision) => void,
    { row: wanted, again, alone, ...listeners }: OnnxStreamOptions = {},
  ): InteractionStream {
    if (this.#closed) throw new MicroturnError('engine/failed', 'the model is closed');
    if (this.#open.has(lease)) throw new RangeError(`lease ${lease} is open already`);
    const place = this.#pool.lease((free) => free === wanted);
    const lane = this.#lanes[Math.floor(place.row / this.#laneSize)]!;
    const index = place.row % this.#laneSize;
    const row = openRow({
      ...listeners,
      lease,
      place,
      lane,
      index,
      onDecision,
      reader: createReader(this.#manifest),
      probation: alone ? PROBATION_STEPS : 0,
    });
    this.#open.set(lease, row);
    lane.rows.set(index, row);
    if (again) {
      this.#recovery.goBack(row, again);
      this.#wake();
    }
    return {
      push: (turn) => this.#push(row, turn),
      perceive: (perceived) => row.reader.perceive(perceived),
      close: () => this.#close(row),
    };
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      for (const row of this.#open.values()) this.#close(row);
      await this.#idle;
      await this.#graph.close();
    }
  }

  #push(row: OpenRow, turn: MicroTurn): void {
    if (this.#open.get(row.lease) !== row) throw new MicroturnError('engine/failed', 'the stream is closed');
    const samples = this.#manifest.inputs.pcm.shape[1];
    for (const part of ['pcm', 'ref'] as const) {
      const pcm = turn[part];
      if (pcm && pcm.length !== samples) {
        throw new RangeError(`${part} must hold one micro-turn of ${String(samples)} samples, got ${pcm.length}`);
      }
    }
    if (row.waiting.length === MAX_WAITING) {
      row.missed.push(row.waiting.shift()!);
      this.#punctuality.dropped++;
      // No step will come by soon.
      if (row.replay) this.#concealMissed(row, turn.index, this.#clock.now());
    }
    row.waiting.push(turn);
    row.expected = true;
    this.#consider(row.lane);
  }

  #close(row: OpenRow): void {
    if (this.#open.get(row.lease) !== row) return;
    this.#open.delete(row.lease);
    const { lane, index } = row;
    lane.rows.delete(index);
    lane.lane.clear(index);
    row.waiting.length = 0;
    row.place.release();
    this.#consider(lane); // the others may have waited for this row
  }

  /** Lets a lane step once all rows that it expects have a micro-turn, or the first has waited long enough for them. */
  #consider(lane: LaneRows): void {
    if (lane.ready) return;
    let filled = 0;
    let missing = 0;
    for (const { waiting, expected, replay } of lane.rows.values()) {
      if (replay) continue;
      if (waiting.length > 0) filled++;
      else if (expected) missing++;
    }
    if (filled > 0 && missing > 0) {
      lane.stopWaiting ??= this.#after(this.#gatherMs, () => this.#makeReady(lane));
      return;
    }
    lane.stopWaiting?.();
    lane.stopWaiting = undefined;
    if (filled > 0) this.#makeReady(lane);
  }

  #makeReady(lane: LaneRows): void {
    lane.stopWaiting = undefined;
    lane.ready = true;
    this.#ready.push(lane);
    this.#wake();
  }

  #wake(): void {
    if (this.#running) return;
    this.#running = true;
    this.#idle = this.#run();
  }

  /**
   * Steps the lanes that are ready, in the order in which they became so; and while none is, rows that hear again, which
   * thus make another wait for one step at most. Steps never overlap.
   */
  async #run(): Promise<void> {
    try {
      for (;;) {
        const ready = this.#ready.shift();
        const replaying = ready ? undefined : this.#recovery.nextLane();
        if (ready) await this.#stepReady(ready);
        else if (replaying) await this.#stepReplay(replaying);
        else break;
      }
    } finally {
      this.#running = false;
    }
  }

  async #stepReady(lane: LaneRows): Promise<void> {
    const gathered = new Map<number, { row: OpenRow; turn: MicroTurn }>();
    for (const [index, row] of lane.rows) {
      if (row.replay) continue;
      const turn = row.waiting.shift();
      if (turn) gathered.set(index, { row, turn });
      else row.expected = false;
    }
    lane.ready = false;
    for (const [index, one] of gathered) {
      if (one.row.probation === 0) continue;
      gathered.delete(index);
      await this.#step(lane, new Map([[index, one]]));
    }
    if (gathered.size > 0) await this.#step(lane, gathered);
    this.#consider(lane);
  }

  /** One step of rows that hear again what they have heard. */
  async #stepReplay(lane: LaneRows): Promise<void> {
    const again = new Map<number, { row: OpenRow; turn: HeardTurn }>();
    for (const [index, row] of lane.rows) {
      if (row.probation > 0 && again.size > 0) continue;
      const turn = this.#recovery.next(row);
      if (turn) again.set(index, { row, turn });
      if (turn && row.probation > 0) break;
    }
    const inputs = new Map([...again].map(([index, { turn }]) => [index, turn.inputs]));
    for (const result of inputs.size > 0 ? await this.#advance(lane, inputs) : []) {
      const { row, turn } = again.get(result.row)!;
      this.#recovery.heardAgain(row, turn, result.outputs);
    }
    this.#consider(lane); // one that is done hears what has come meanwhile
  }

  async #step(lane: LaneRows, gathered: ReadonlyMap<number, { row: OpenRow; turn: MicroTurn }>): Promise<void> {
    const turns = new Map<number, FedTurn>();
    for (const [index, { row, turn }] of gathered) {
      // Given back while another of its lane stepped alone: its place may be lent anew, to one who has heard none of this.
      if (this.#open.get(row.lease) !== row) continue;
      turns.set(index, { ...turn, ...row.reader.read(), play: playFed(this.#manifest, row.decoder, turn.play) });
    }
    if (turns.size === 0) return;
    const startMs = this.#clock.now();
    const results = await this.#advance(lane, turns);
    const endMs = this.#clock.now();
    this.#punctuality.step(endMs - startMs);
    for (const result of results) {
      const { row, turn } = gathered.get(result.row)!;
      // Given back while the step ran: what it was about belongs to nobody any more.
      if (this.#open.get(row.lease) !== row) continue;
      this.#concealMissed(row, turn.index, endMs);
      const lagMs = this.#punctuality.lag(endMs - turn.dueMs);
      this.#deliver(row, turn, result, { stepMs: endMs - startMs, stepRows: results.length, lagMs });
    }
  }

  async #advance({ lane, first }: LaneRows, turns: ReadonlyMap<number, RowInputs>): Promise<RowResult[]> {
    this.memory.mark(turns.keys(), true, first);
    try {
      return await lane.step(turns);
    } catch (cause) {
      await this.#fallBack(cause);
      return [...turns.keys()].map((row) => ({ row, outputs: undefined }));
    } finally {
      this.memory.mark(turns.keys(), false, first);
    }
  }

  /**
   * The device is gone, and the states with it. Its lanes are made anew where there is another, and rows go on from what is
   * kept of them. Where there is none, each bad step counts against its lease.
   */
  async #fallBack(cause: unknown): Promise<void> {
    const fallback = this.#fallback;
    this.#fallback = undefined;
    if (!fallback) return;
    this.#onDeviceLost?.();
    const lost = this.#graph;
    this.#graph = await fallback();
    for (const lane of this.#lanes) lane.lane = new Lane(this.#graph, this.#manifest, this.#laneSize);
    await lost.close().catch(() => {}); // of a device that is gone
    this.#onFallback?.(this.provider, cause);
    const error = new MicroturnError('engine/failed', 'the device that the model ran on was lost', { cause });
    for (const row of this.#open.values()) this.#recovery.goBack(row, error);
  }

  /** A micro-turn that was passed over keeps its index, and is decided as silence: the grid never shifts. */
  #concealMissed(row: OpenRow, beforeIndex: number, nowMs: number): void {
    while (row.missed.length > 0 && row.missed[0]!.index < beforeIndex) {
      const { index, dueMs } = row.missed.shift()!;
      const lagMs = this.#punctuality.lag(nowMs - dueMs);
      row.onDecision({ lease: row.lease, index, ...undecided(row.floor), stepMs: 0, lagMs });
    }
  }

  #deliver(row: OpenRow, turn: MicroTurn, { outputs }: RowResult, times: StepTimes): void {
    const { lease } = row;
    const { index } = turn;
    if (outputs) {
      const { decoded, state } = decode(this.#manifest, row.decoder, outputs, turn);
      row.decoder = state;
      row.floor = decoded.floor;
      row.faults = 0;
      row.wentBack = 'nowhere';
      row.probation = Math.max(0, row.probation - 1);
      row.onDecision({ lease, index, ...decoded, ...times });
      this.#recovery.keep(row, turn);
      return;
    }
    this.#punctuality.muted++;
    row.faults++;
    row.onDecision({ lease, index, ...undecided(row.floor), ...times, muted: true });
    if (row.faults === MAX_FAULTS) this.#goBack(row);
  }

  /** Its numbers are not usable: perhaps those that it remembers are not either, and then nothing it could remember. */
  #goBack(row: OpenRow): void {
    const error = new MicroturnError('engine/failed', `${MAX_FAULTS} steps in a row gave no usable numbers`);
    row.faults = 0;
    if (row.wentBack === 'nowhere') {
      row.wentBack = this.#recovery.goBack(row, error);
    } else if (row.wentBack === 'kept') {
      row.wentBack = 'nothing';
      this.#recovery.forget(row, error);
    } else {
      this.#close(row);
      row.onFailed?.(error);
    }
  }
}
