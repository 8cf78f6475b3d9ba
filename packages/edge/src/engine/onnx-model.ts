import { MicroturnError } from '@microturn/protocol';
import { monotonicClock, type Clock } from '../clock.js';
import { modelInfo, type Bundle } from './bundle.js';
import { decode, freshDecoder, playFed, undecided, type DecoderState } from './decode.js';
import { openGraph, openGraphOn, type StepGraph } from './graph.js';
import { Lane } from './lane.js';
import type { FedTurn, RowResult } from './lane-io.js';
import type { Manifest } from './manifest.js';
import { createReader, type Reader } from './reader.js';
import { RecentSamples } from './recent-samples.js';
import type { RowMemory } from './row-memory.js';
import { RowPool, type RowLease } from './row-pool.js';
import type {
  Decision,
  EngineStats,
  InteractionModel,
  InteractionStream,
  LeaseId,
  MicroTurn,
  ModelInfo,
  Perceived,
  Provider,
  ProviderChoice,
} from './types.js';

/**
 * Micro-turns of one row that may wait for a step. More than that is an engine too slow: the oldest is passed over, so
 * that a decision is never later than this many micro-turns and one step.
 */
const MAX_WAITING = 3;
/** Bad steps of one row, one after the other, after which it goes back to what it last remembered, then to nothing. */
const MAX_FAULTS = 3;
/** How often what a row remembers is copied. */
const SNAPSHOT_MS = 1000;
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
  /** Where rows leave what they remember; `open` goes on from there. */
  readonly memory?: RowMemory;
  /** Opens the graph anew, elsewhere, when the device that it ran on is lost. */
  readonly fallback?: () => Promise<StepGraph>;
  /** The device was lost, and the fallback is loaded now. */
  readonly onDeviceLost?: () => void;
  /** The device was lost: every row goes on from an empty state, on this provider. */
  readonly onFallback?: (provider: Provider, cause: unknown) => void;
}

/** One open stream: a row of a lane, for as long as it is leased. */
interface Row {
  readonly lease: LeaseId;
  readonly place: RowLease;
  readonly onDecision: (decision: Decision) => void;
  readonly onFailed: ((error: MicroturnError) => void) | undefined;
  readonly waiting: MicroTurn[];
  readonly reader: Reader;
  /** Those passed over, which no decision was made for yet: decisions come in order. */
  readonly missed: Pick<MicroTurn, 'index' | 'dueMs'>[];
  /** Whether the lane waits for it: not for one that sent nothing last time, such as a call that lost its network. */
  expected: boolean;
  decoder: DecoderState;
  floor: Decision['floor'];
  faults: number;
  /** How far back it went for the faults it has now. */
  wentBack: 'nowhere' | 'snapshot' | 'empty';
  readonly onReset: ((error: MicroturnError, snapshotAgeMs: number | undefined) => void) | undefined;
  /** Its last copy was of this micro-turn. */
  savedIndex: number;
  /** Steps that it still takes alone. */
  probation: number;
}

interface LaneRows {
  lane: Lane;
  /** By row of the lane. */
  readonly rows: Map<number, Row>;
  /** Calls off the wait for the other rows. */
  stopWaiting: (() => void) | undefined;
  ready: boolean;
}

/** A bundle on ONNX Runtime. `session.run` blocks its thread, so this lives on the engine thread. */
export class OnnxModel implements InteractionModel {
  readonly info: ModelInfo;
  readonly rows: number;
  readonly #manifest: Manifest;
  #graph: StepGraph;
  #fallback: OnnxModelOptions['fallback'];
  readonly #onDeviceLost: OnnxModelOptions['onDeviceLost'];
  readonly #onFallback: OnnxModelOptions['onFallback'];
  readonly #lanes: readonly LaneRows[];
  readonly #laneSize: number;
  readonly #gatherMs: number;
  readonly #pool: RowPool;
  readonly #memory: RowMemory | undefined;
  readonly #saveEvery: number;
  readonly #clock: Clock;
  readonly #after: After;
  readonly #open = new Map<LeaseId, Row>();
  readonly #ready: LaneRows[] = [];
  #running = false;
  /** Settles when the steps that are ready have been taken. */
  #idle: Promise<void> = Promise.resolve();
  #closed = false;

  #steps = 0;
  #late = 0;
  #dropped = 0;
  #muted = 0;
  readonly #stepMs = new RecentSamples();
  readonly #lagMs = new RecentSamples();

  /**
   * Loads the bundle's graph and makes the lanes.
   * @param provider the CPU where none is given
   * @throws {MicroturnError} `bundle/graph` where ONNX Runtime does not take it, `engine/provider` where the provider
   *   does not open
   */
  static async load(bundle: Bundle, options: OnnxModelOptions, provider: ProviderChoice = 'cpu'): Promise<OnnxModel> {
    const graph = await openGraphOn(bundle, provider);
    // Only a device can be lost: on the CPU nothing keeps the bundle's bytes beside the runtime's own.
    const fallback = graph.provider === 'cpu' ? undefined : () => openGraph(bundle);
    return new OnnxModel(bundle.manifest, graph, { ...(fallback && { fallback }), ...options });
  }

  /** @param graph closed with the model */
  constructor(manifest: Manifest, graph: StepGraph, options: OnnxModelOptions) {
    const { rows, laneSize = 1, gatherMs = 4, clock = monotonicClock, after = afterTimeout } = options;
    this.#fallback = options.fallback;
    this.#onDeviceLost = options.onDeviceLost;
    this.#onFallback = options.onFallback;
    this.#pool = new RowPool(rows);
    this.#memory = options.memory;
    this.#saveEvery = Math.ceil(SNAPSHOT_MS / manifest.microTurnMs);
    if (!Number.isInteger(laneSize) || laneSize < 1) {
      throw new RangeError(`laneSize must be a whole number above 0, got ${laneSize}`);
    }
    this.info = modelInfo(manifest);
    this.rows = rows;
    this.#manifest = manifest;
    this.#graph = graph;
    this.#laneSize = laneSize;
    this.#gatherMs = gatherMs;
    this.#clock = clock;
    this.#after = after;
    this.#lanes = Array.from({ length: Math.ceil(rows / laneSize) }, () => ({
      lane: new Lane(graph, manifest, laneSize),
      rows: new Map<number, Row>(),
      stopWaiting: undefined,
      ready: false,
    }));
  }

  get provider(): Provider {
    return this.#graph.provider ?? 'cpu';
  }

  get stats(): EngineStats {
    return {
      leases: this.#open.size,
      steps: this.#steps,
      late: this.#late,
      dropped: this.#dropped,
      muted: this.#muted,
      stepP50Ms: this.#stepMs.percentile(0.5),
      stepP99Ms: this.#stepMs.percentile(0.99),
      lagP50Ms: this.#lagMs.percentile(0.5),
      lagP99Ms: this.#lagMs.percentile(0.99),
    };
  }

  open(
    lease: LeaseId,
    onDecision: (decision: Decision) => void,
    onFailed?: (error: MicroturnError) => void,
    row?: number,
    onReset?: Row['onReset'],
    alone = false,
  ): InteractionStream {
    if (this.#closed) throw new MicroturnError('engine/failed', 'the model is closed');
    if (this.#open.has(lease)) throw new RangeError(`lease ${lease} is open already`);
    return this.#enter(
      lease,
      this.#pool.lease((free) => free === row),
      { onDecision, onFailed, onReset, probation: alone ? PROBATION_STEPS : 0 },
    );
  }

  #enter(
    lease: LeaseId,
    place: RowLease,
    options: Pick<Row, 'onDecision' | 'onFailed' | 'onReset' | 'probation'>,
  ): InteractionStream {
    const row: Row = {
      lease,
      place,
      ...options,
      waiting: [],
      reader: createReader(this.#manifest),
      missed: [],
      expected: true,
      decoder: freshDecoder,
      floor: 'silent',
      faults: 0,
      wentBack: 'nowhere',
      savedIndex: -Infinity,
    };
    this.#open.set(lease, row);
    this.#laneOf(row).rows.set(place.row % this.#laneSize, row);
    this.#recall(row);
    return {
      push: (turn) => this.#push(row, turn),
      perceive: (perceived: Perceived) => row.reader.perceive(perceived),
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

  #push(row: Row, turn: MicroTurn): void {
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
      this.#dropped++;
    }
    row.waiting.push(turn);
    row.expected = true;
    this.#consider(this.#laneOf(row));
  }

  #close(row: Row): void {
    if (this.#open.get(row.lease) !== row) return;
    this.#open.delete(row.lease);
    const lane = this.#laneOf(row);
    const index = row.place.row % this.#laneSize;
    lane.rows.delete(index);
    lane.lane.clear(index);
    row.waiting.length = 0;
    row.place.release();
    this.#consider(lane); // the others may have waited for this row
  }

  #laneOf(row: Row): LaneRows {
    return this.#lanes[Math.floor(row.place.row / this.#laneSize)]!;
  }

  /** Lets a lane step once all rows that it expects have a micro-turn, or the first has waited long enough for them. */
  #consider(lane: LaneRows): void {
    if (lane.ready) return;
    let filled = 0;
    let missing = 0;
    for (const { waiting, expected } of lane.rows.values()) {
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
    if (this.#running) return;
    this.#running = true;
    this.#idle = this.#run();
  }

  /** Steps the lanes that are ready, in the order in which they became so. Steps never overlap. */
  async #run(): Promise<void> {
    try {
      for (let lane = this.#ready.shift(); lane; lane = this.#ready.shift()) {
        const gathered = new Map<number, { row: Row; turn: MicroTurn }>();
        for (const [index, row] of lane.rows) {
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
    } finally {
      this.#running = false;
    }
  }

  async #step(lane: LaneRows, gathered: ReadonlyMap<number, { row: Row; turn: MicroTurn }>): Promise<void> {
    const turns = new Map<number, FedTurn>();
    for (const [index, { row, turn }] of gathered) {
      turns.set(index, { ...turn, ...row.reader.read(), play: playFed(this.#manifest, row.decoder, turn.play) });
    }
    const places = [...gathered.values()].map(({ row }) => row.place.row);
    this.#memory?.mark(places, true);
    const startMs = this.#clock.now();
    const results = await this.#advance(lane, turns);
    const endMs = this.#clock.now();
    this.#memory?.mark(places, false);
    this.#steps++;
    this.#stepMs.add(endMs - startMs);
    for (const result of results) {
      const { row, turn } = gathered.get(result.row)!;
      // Given back while the step ran: what it was about belongs to nobody any more.
      if (this.#open.get(row.lease) !== row) continue;
      this.#concealMissed(row, turn.index, endMs);
      this.#deliver(row, turn, result, { stepMs: endMs - startMs, lagMs: this.#noteLag(endMs - turn.dueMs) });
    }
  }

  async #advance({ lane }: LaneRows, turns: ReadonlyMap<number, FedTurn>): Promise<RowResult[]> {
    try {
      return await lane.step(turns);
    } catch (cause) {
      await this.#fallBack(cause);
      return [...turns.keys()].map((row) => ({ row, outputs: undefined }));
    }
  }

  /**
   * The device is gone, and the states with it. Its lanes are made anew where there is another: rows go on from an empty
   * state, and forget what they heard. Where there is none, each bad step counts against its lease.
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
  }

  /** A micro-turn that was passed over keeps its index, and is decided as silence: the grid never shifts. */
  #concealMissed(row: Row, beforeIndex: number, nowMs: number): void {
    while (row.missed.length > 0 && row.missed[0]!.index < beforeIndex) {
      const { index, dueMs } = row.missed.shift()!;
      const lagMs = this.#noteLag(nowMs - dueMs);
      row.onDecision({ lease: row.lease, index, ...undecided(row.floor), stepMs: 0, lagMs });
    }
  }

  #noteLag(lagMs: number): number {
    this.#lagMs.add(lagMs);
    if (lagMs > this.#manifest.microTurnMs) this.#late++;
    return lagMs;
  }

  #deliver(row: Row, turn: MicroTurn, { outputs }: RowResult, times: Pick<Decision, 'stepMs' | 'lagMs'>): void {
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
      this.#remember(row, turn);
      return;
    }
    this.#muted++;
    row.faults++;
    row.onDecision({ lease, index, ...undecided(row.floor), ...times, muted: true });
    if (row.faults === MAX_FAULTS) this.#goBack(row);
  }

  /** Copies what a row remembers, once a second. */
  #remember(row: Row, { index, dueMs }: MicroTurn): void {
    const memory = this.#memory;
    if (!memory || memory.stateSize === 0 || index < row.savedIndex + this.#saveEvery) return;
    const { lease, decoder, floor, place } = row;
    const { lane } = this.#laneOf(row);
    row.savedIndex = index;
    memory.save(place.row, { lease, index, dueMs, decoder, floor }, (into) =>
      lane.read(place.row % this.#laneSize, into),
    );
  }

  /** Has a row go on from its last copy. @returns how old that is; undefined where there is none */
  #recall(row: Row): number | undefined {
    const { lease, place } = row;
    const found = this.#memory?.stateSize ? this.#memory.load(place.row, lease) : undefined;
    if (!found || !this.#laneOf(row).lane.restore(place.row % this.#laneSize, found.state)) return undefined;
    row.decoder = found.saved.decoder;
    row.floor = found.saved.floor;
    row.savedIndex = found.saved.index;
    return Math.max(0, this.#clock.now() - found.saved.dueMs);
  }

  /** Its numbers are not usable: perhaps those that it remembers are not either, and then nothing it could remember. */
  #goBack(row: Row): void {
    const error = new MicroturnError('engine/failed', `${MAX_FAULTS} steps in a row gave no usable numbers`);
    if (row.wentBack === 'empty') {
      this.#close(row);
      row.onFailed?.(error);
      return;
    }
    row.faults = 0;
    const snapshotAgeMs = row.wentBack === 'nowhere' ? this.#recall(row) : undefined;
    row.wentBack = snapshotAgeMs === undefined ? 'empty' : 'snapshot';
    if (snapshotAgeMs === undefined) {
      this.#laneOf(row).lane.clear(row.place.row % this.#laneSize);
      row.decoder = freshDecoder;
    }
    row.onReset?.(error, snapshotAgeMs);
  }
}
