import type { StepGraph } from './graph.js';
import { Lane } from './lane.js';
import { inputBytes, type RowInputs, type RowResult } from './lane-io.js';
import type { Manifest } from './manifest.js';
import type { LaneRows } from './open-row.js';
import type { RowMemory } from './row-memory.js';
import type { Provider } from './types.js';

export interface GraphLanesParts {
  readonly manifest: Manifest;
  /** Closed with the lanes. */
  readonly graph: StepGraph;
  readonly rows: number;
  readonly laneSize: number;
  /** Is told which rows are in a step. */
  readonly memory: RowMemory;
  /** Opens the graph anew, elsewhere, when the device that it ran on is lost. */
  readonly fallback: (() => Promise<StepGraph>) | undefined;
  readonly onDeviceLost: (() => void) | undefined;
  /** The lanes are on the fallback, and remember nothing. */
  readonly onFallback: (cause: unknown) => void;
}

/** The lanes of a model on the graph that they run on, which is another once its device is lost. */
export class GraphLanes {
  readonly #parts: GraphLanesParts;
  readonly #lanes: readonly LaneRows[];
  #graph: StepGraph;
  #fallback: GraphLanesParts['fallback'];

  constructor(parts: GraphLanesParts) {
    const { manifest, graph, rows, laneSize, fallback } = parts;
    this.#parts = parts;
    this.#graph = graph;
    this.#fallback = fallback;
    this.#lanes = Array.from({ length: Math.ceil(rows / laneSize) }, (_, index) => ({
      first: index * laneSize,
      lane: new Lane(graph, manifest, laneSize),
      rows: new Map(),
      stopWaiting: undefined,
      ready: false,
    }));
  }

  get provider(): Provider {
    return this.#graph.provider ?? 'cpu';
  }

  /** Where a row of the model is: its lane, and its row of that. */
  of(row: number): { readonly lane: LaneRows; readonly index: number } {
    const { laneSize } = this.#parts;
    return { lane: this.#lanes[Math.floor(row / laneSize)]!, index: row % laneSize };
  }

  /**
   * Steps on silence, and forgets that: a device compiles what it runs when it first does, which may take longer than a thread may
   * hang. For one lane, since all run the same.
   * @throws what the graph throws
   */
  async warmUp(): Promise<void> {
    const { lane } = this.#lanes[0]!;
    const silence = new Uint8Array(inputBytes(this.#parts.manifest));
    // Each number of rows may be compiled by itself, and so is what has rows begin anew that have stepped before.
    for (const count of [1, ...Array.from({ length: lane.rows }, (_, index) => index + 1)]) {
      const rows = Array.from({ length: count }, (_, row) => row);
      await lane.step(new Map(rows.map((row) => [row, silence])));
      for (const row of rows) lane.clear(row);
    }
  }

  /** Steps rows of one lane. @returns no outputs for any of them where the step failed, as on a device that was lost */
  async advance({ lane, first }: LaneRows, turns: ReadonlyMap<number, RowInputs>): Promise<RowResult[]> {
    this.#parts.memory.mark(turns.keys(), true, first);
    try {
      return await lane.step(turns);
    } catch (cause) {
      await this.#fallBack(cause);
      return [...turns.keys()].map((row) => ({ row, outputs: undefined, cause }));
    } finally {
      this.#parts.memory.mark(turns.keys(), false, first);
    }
  }

  async close(): Promise<void> {
    await this.#graph.close();
  }

  /**
   * The device is gone, and the states with it. Its lanes are made anew where there is another. Where there is none, as on the
   * CPU, each bad step counts against its lease.
   */
  async #fallBack(cause: unknown): Promise<void> {
    const fallback = this.#fallback;
    this.#fallback = undefined;
    if (!fallback) return;
    const { manifest, laneSize, onDeviceLost, onFallback } = this.#parts;
    onDeviceLost?.();
    const lost = this.#graph;
    this.#graph = await fallback();
    for (const lane of this.#lanes) lane.lane = new Lane(this.#graph, manifest, laneSize);
    await lost.close().catch(() => {}); // of a device that is gone
    onFallback(cause);
  }
}
