import type { StepGraph } from './graph.js';
import {
  bufferOf,
  outputRoles,
  rowOf,
  soundOutputs,
  type LaneInputs,
  type LaneStates,
  type RowOutputs,
} from './lane-io.js';
import { rowElements, type Manifest } from './manifest.js';
import type { TensorBuffer, TensorBuffers } from './tensors.js';

interface State {
  /** Of one row. */
  readonly size: number;
  /** [rows, size], one that is read and one that is written, by turns. */
  readonly sets: readonly [Float32Array, Float32Array];
}

/**
 * States in the process's memory, all of it taken at once: a step reads one set of states and writes the other, and they
 * are swapped. The graph runs as many rows as the highest one that steps, so a lane that is half full costs half: rows
 * are let from the lowest.
 *
 * States are not looked at: for a model that remembers a minute that would take a tenth of the step. One that is not finite
 * shows in the outputs of the next step.
 */
export class HostStates implements LaneStates {
  readonly #states: readonly State[];
  readonly #manifest: Manifest;
  readonly #rowOutputs: readonly RowOutputs[];
  /** A run of the first n rows, from either set, at n - 1: made when first needed. */
  readonly #runs: [() => Promise<unknown>, () => Promise<unknown>][] = [];
  readonly #bind: (rows: number, set: 0 | 1) => () => Promise<unknown>;
  /** The set that holds the states. */
  #current: 0 | 1 = 0;

  constructor(graph: StepGraph, manifest: Manifest, { feeds, rows }: LaneInputs) {
    this.#manifest = manifest;
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

  /** @throws what the graph throws; no state has changed then */
  async run(rows: number, fresh: ReadonlySet<number>): Promise<(row: number) => RowOutputs | undefined> {
    for (const row of fresh) {
      for (const { size, sets } of this.#states) sets[this.#current].fill(0, row * size, (row + 1) * size);
    }
    const runs = (this.#runs[rows - 1] ??= [this.#bind(rows, 0), this.#bind(rows, 1)]);
    await runs[this.#current]();
    return (row) => {
      const outputs = this.#rowOutputs[row]!;
      return soundOutputs(this.#manifest, outputs) ? outputs : undefined;
    };
  }

  commit(kept: ReadonlySet<number>): void {
    for (const row of kept) {
      for (const { size, sets } of this.#states) {
        sets[this.#next].set(rowOf(sets[this.#current], row, size), row * size);
      }
    }
    this.#current = this.#next;
  }

  readonly copies = {
    read: (row: number, into: Float32Array): void => {
      let at = 0;
      for (const { size, sets } of this.#states) {
        into.set(rowOf(sets[this.#current], row, size), at);
        at += size;
      }
    },
    write: (row: number, from: Float32Array): void => {
      let at = 0;
      for (const { size, sets } of this.#states) {
        sets[this.#current].set(from.subarray(at, at + size), row * size);
        at += size;
      }
    },
  };

  get #next(): 0 | 1 {
    return this.#current === 0 ? 1 : 0;
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
