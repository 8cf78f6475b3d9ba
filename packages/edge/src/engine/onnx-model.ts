import { MicroturnError } from '@microturn/protocol';
import { monotonicClock, type Clock } from '../clock.js';
import { modelInfo, type Bundle } from './bundle.js';
import { playFed } from './decode.js';
import { openGraph, openGraphOn, type StepGraph } from './graph.js';
import { GraphLanes } from './graph-lanes.js';
import type { FedTurn } from './lane-io.js';
import { afterTimeout, LaneSchedule, type After, type Gathered } from './lane-schedule.js';
import type { Manifest } from './manifest.js';
import type { NativeCall } from './native-gate.js';
import { openRow, type LaneRows, type OpenRow } from './open-row.js';
import { Punctuality } from './punctuality.js';
import { createReader } from './reader.js';
import { memoryFor, type RowMemory } from './row-memory.js';
import { PROBATION_STEPS, RowOutcome } from './row-outcome.js';
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
  readonly openOn?: typeof openGraphOn;
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

export interface OnnxStream extends InteractionStream {
  /** Goes on from what was put into `memory` for its row, where that is sound; before the first micro-turn. */
  recall(): void;
}

/** A bundle on ONNX Runtime. `session.run` blocks its thread, so this lives on the engine thread. */
export class OnnxModel implements InteractionModel {
  readonly info: ModelInfo;
  readonly rows: number;
  /** What is kept of its rows: it outlives the thread. */
  readonly memory: RowMemory;
  readonly #manifest: Manifest;
  readonly #onFallback: OnnxModelOptions['onFallback'];
  readonly #lanes: GraphLanes;
  readonly #schedule: LaneSchedule;
  readonly #outcome: RowOutcome;
  readonly #pool: RowPool;
  readonly #recovery: RowRecovery;
  readonly #clock: Clock;
  readonly #punctuality: Punctuality;
  readonly #open = new Map<LeaseId, OpenRow>();
  #closed = false;

  /**
   * Loads the bundle's graph and makes the lanes, which then step as quickly as they will.
   * @param provider the CPU where none is given
   * @throws {MicroturnError} `bundle/graph` where ONNX Runtime does not take it, `engine/provider` where the provider
   *   does not open, or does not run it
   */
  static async load(bundle: Bundle, options: OnnxModelOptions, provider: ProviderChoice = 'cpu'): Promise<OnnxModel> {
    const { openOn = openGraphOn, native } = options;
    const graph = await openOn(bundle, provider, native);
    // Only a device can be lost: on the CPU nothing keeps the bundle's bytes beside the runtime's own.
    const fallback = graph.provider === 'cpu' ? undefined : () => openGraph(bundle, 'cpu', native);
    const model = new OnnxModel(bundle.manifest, graph, { ...(fallback && { fallback }), ...options });
    try {
      if (model.provider !== 'cpu') await model.#lanes.warmUp();
      return model;
    } catch (cause) {
      await model.close().catch(() => {}); // what does not run may not close either
      if (provider === 'auto') return OnnxModel.load(bundle, options, 'cpu');
      throw new MicroturnError('engine/provider', `${model.provider}: ${(cause as Error).message}`, { cause });
    }
  }

  /** @param graph closed with the model */
  constructor(manifest: Manifest, graph: StepGraph, options: OnnxModelOptions) {
    const { rows, laneSize = 1, gatherMs = 4, clock = monotonicClock, after = afterTimeout } = options;
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
    this.#clock = clock;
    const { memory } = this;
    const recovery = this.#recovery;
    this.#lanes = new GraphLanes({
      manifest,
      graph,
      rows,
      laneSize,
      memory,
      fallback: options.fallback,
      onDeviceLost: options.onDeviceLost,
      onFallback: (cause) => this.#goOnElsewhere(cause),
    });
    this.#outcome = new RowOutcome({
      manifest,
      recovery,
      punctuality: this.#punctuality,
      giveUp: (row) => this.#close(row),
    });
    this.#schedule = new LaneSchedule({
      lanes: this.#lanes,
      recovery,
      gatherMs,
      after,
      step: (lane, gathered) => this.#step(lane, gathered),
    });
  }

  get provider(): Provider {
    return this.#lanes.provider;
  }

  get stats(): EngineStats {
    return { leases: this.#open.size, ...this.#punctuality.stats };
  }

  open(
    lease: LeaseId,
    onDecision: (decision: Decision) => void,
    { row: wanted, again, alone, ...listeners }: OnnxStreamOptions = {},
  ): OnnxStream {
    if (this.#closed) throw new MicroturnError('engine/failed', 'the model is closed');
    if (this.#open.has(lease)) throw new RangeError(`lease ${lease} is open already`);
    const place = this.#pool.lease((free) => free === wanted);
    const { lane, index } = this.#lanes.of(place.row);
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
      this.#schedule.wake();
    }
    return {
      push: (turn) => this.#push(row, turn),
      perceive: (perceived) => row.reader.perceive(perceived),
      recall: () => void this.#recovery.recall(row),
      close: () => this.#close(row),
    };
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      for (const row of this.#open.values()) this.#close(row);
      await this.#schedule.idle;
      await this.#lanes.close();
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
      if (row.replay) this.#outcome.concealMissed(row, turn.index, this.#clock.now());
    }
    row.waiting.push(turn);
    row.expected = true;
    this.#schedule.consider(row.lane);
  }

  #close(row: OpenRow): void {
    if (this.#open.get(row.lease) !== row) return;
    this.#open.delete(row.lease);
    const { lane, index } = row;
    lane.rows.delete(index);
    lane.lane.clear(index);
    row.waiting.length = 0;
    row.place.release();
    this.#schedule.consider(lane); // the others may have waited for this row
  }

  async #step(lane: LaneRows, gathered: Gathered): Promise<void> {
    const turns = new Map<number, FedTurn>();
    for (const [index, { row, turn }] of gathered) {
      // Given back while another of its lane stepped alone: its place may be lent anew, to one who has heard none of this.
      if (this.#open.get(row.lease) !== row) continue;
      turns.set(index, { ...turn, ...row.reader.read(), play: playFed(this.#manifest, row.decoder, turn.play) });
    }
    if (turns.size === 0) return;
    const startMs = this.#clock.now();
    const results = await this.#lanes.advance(lane, turns);
    const endMs = this.#clock.now();
    this.#punctuality.step(endMs - startMs);
    for (const result of results) {
      const { row, turn } = gathered.get(result.row)!;
      // Given back while the step ran: what it was about belongs to nobody any more.
      if (this.#open.get(row.lease) !== row) continue;
      // Once: what is read may be why the step was bad.
      if (!result.outputs && row.faults === 0) row.reader.putBack(turns.get(result.row)!);
      this.#outcome.concealMissed(row, turn.index, endMs);
      const lagMs = this.#punctuality.lag(endMs - turn.dueMs);
      this.#outcome.deliver(row, turn, result, { stepMs: endMs - startMs, stepRows: results.length, lagMs });
    }
  }

  /** The device is gone: rows go on from what is kept of them, on the provider that there is now. */
  #goOnElsewhere(cause: unknown): void {
    this.#onFallback?.(this.provider, cause);
    const error = new MicroturnError('engine/failed', 'the device that the model ran on was lost', { cause });
    for (const row of this.#open.values()) this.#recovery.goBack(row, error);
  }
}
