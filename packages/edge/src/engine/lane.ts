import type { StepGraph } from './graph.js';
import type { TensorBuffer, TensorBuffers } from './tensors.js';
import {
  LaneInputs,
  bufferOf,
  finite,
  outputRoles,
  rowOf,
  type RowOutputs,
  type RowResult,
  type StepLane,
} from './lane-io.js';
import { rowElements, type Manifest } from './manifest.js';
import type { MicroTurn } from './types.js';

interface State {
  /** Of one row. */
  readonly size: number;
  /** [rows, size], one that is read and one that is written, by turns. */
  readonly sets: readonly [Float32Array, Float32Array];
}

/**
 * Rows that step together, with their buffers. All memory is taken when the lane is made: a step reads one set of
 * states and writes the other, and swaps them. The graph runs as many rows as the highest one that steps, so a lane that
 * is half full costs half: rows are let from the lowest.
 *
 * A row that is not in a step keeps its state exactly, whether or not the graph has an `active` input. A cleared row
 * begins its next step from zero states with `reset` at 1.
 */
export class Lane implements StepLane {
  readonly rows: number;
  readonly #inputs: LaneInputs;
  readonly #states: readonly State[];
  readonly #rowOutputs: readonly RowOutputs[];
  /** A run of the first n rows, from either set, at n - 1: made when first needed. */
  readonly #runs: [() => Promise<void>, () => Promise<void>][] = [];
  readonly #bind: (rows: number, set: 0 | 1) => () => Promise<void>;
  readonly #cleared: Uint8Array;
  readonly #active: Uint8Array;
  /** The set that holds the states. */
  #current: 0 | 1 = 0;
  #stepping = false;

  constructor(graph: StepGraph, manifest: Manifest, rows: number) {
    this.rows = rows;
    this.#cleared = new Uint8Array(rows).fill(1);
    this.#active = new Uint8Array(rows);

    this.#inputs = new LaneInputs(manifest, rows);
    const { feeds } = this.#inputs;
    const fetches: Record<string, TensorBuffer> = {};
    const heads: [keyof RowOutputs, TensorBuffer][] = [];
    for (const role of outputRoles) {
      const output = manifest.outputs[role];
      if (output) heads.push([role, (fetches[output.tensor] = bufferOf(output.shape, rows))]);
    }
    this.#rowOutputs = Array.from({ length: rows }, (_, row) =>
      Object.fromEntries(heads.map(([role, { data }]) => [role, rowOf(data, row, data.length / rows)])),
    );

    const sets: [Record<string, TensorBuffer>, Record<string, TensorBuffer>] = [{}, {}];
    this.#states = manifest.states.map(({ input, output, shape }) => {
      const [a, b] = [bufferOf(shape, rows), bufferOf(shape, rows)];
      sets[0][input] = sets[1][output] = a;
      sets[1][input] = sets[0][output] = b;
      return { size: rowElements(shape), sets: [a.data as Float32Array, b.data as Float32Array] };
    });
    this.#bind = (count, set) => {
      const states: TensorBuffers = sets[set];
      const inputs = manifest.states.map(({ input }) => [input, states[input]!] as const);
      const outputs = manifest.states.map(({ output }) => [output, states[output]!] as const);
      return graph.bind(
        firstRows({ ...feeds, ...Object.fromEntries(inputs) }, count),
        firstRows({ ...fetches, ...Object.fromEntries(outputs) }, count),
      );
    };
  }

  /** Forgets what a row has heard. Takes effect at the lane's next step, and wins over everything else in it. */
  clear(row: number): void {
    this.#cleared[row] = 1;
  }

  /**
   * Advances the rows in `turns` by one micro-turn, and no other.
   * @param turns by row; each `pcm` is one micro-turn long, which the caller has checked
   * @returns the rows of `turns`, in its order
   */
  async step(turns: ReadonlyMap<number, MicroTurn>): Promise<RowResult[]> {
    if (this.#stepping) throw new Error('a lane takes one step at a time');
    if (turns.size === 0) return [];
    this.#stepping = true;
    try {
      this.#gather(turns);
      const rows = Math.max(...turns.keys()) + 1;
      const runs = (this.#runs[rows - 1] ??= [this.#bind(rows, 0), this.#bind(rows, 1)]);
      const ran = await runs[this.#current]().then(
        () => true,
        () => false,
      );
      return this.#scatter(turns, ran);
    } finally {
      this.#stepping = false;
    }
  }

  #gather(turns: ReadonlyMap<number, MicroTurn>): void {
    for (let row = 0; row < this.rows; row++) {
      const turn = turns.get(row);
      this.#active[row] = turn ? 1 : 0;
      if (this.#cleared[row]) {
        for (const { size, sets } of this.#states) sets[this.#current].fill(0, row * size, (row + 1) * size);
      }
      this.#inputs.fill(row, turn, this.#cleared[row] === 1);
      // The mark stays until the row has stepped with it: a graph may start from states of its own.
      if (turn) this.#cleared[row] = 0;
    }
  }

  #scatter(turns: ReadonlyMap<number, MicroTurn>, ran: boolean): RowResult[] {
    const next: 0 | 1 = this.#current === 0 ? 1 : 0;
    const results: RowResult[] = [];
    for (const row of turns.keys()) {
      const sound = ran && this.#sound(row, next);
      results.push({ row, outputs: sound ? this.#rowOutputs[row]! : undefined });
      if (sound) continue;
      this.#active[row] = 0;
      if (this.#inputs.wasReset(row)) this.#cleared[row] = 1;
    }
    if (!ran) return results;
    for (let row = 0; row < this.rows; row++) {
      if (this.#active[row] || this.#cleared[row]) continue;
      for (const { size, sets } of this.#states) {
        sets[next].set(rowOf(sets[this.#current], row, size), row * size);
      }
    }
    this.#current = next;
    return results;
  }

  /** Whether every number of a row's outputs and next states is finite. */
  #sound(row: number, next: 0 | 1): boolean {
    for (const output of Object.values(this.#rowOutputs[row]!) as Float32Array[]) {
      if (!finite(output, 0, output.length)) return false;
    }
    for (const { size, sets } of this.#states) {
      if (!finite(sets[next], row * size, (row + 1) * size)) return false;
    }
    return true;
  }
}

function firstRows(buffers: TensorBuffers, rows: number): TensorBuffers {
  return Object.fromEntries(
    Object.entries(buffers).map(([name, { data, dims }]) => {
      const length = (data.length / dims[0]!) * rows;
      return [name, { data: data.subarray(0, length), dims: [rows, ...dims.slice(1)] }];
    }),
  );
}
