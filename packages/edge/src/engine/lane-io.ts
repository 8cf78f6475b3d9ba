import type { TensorBuffer, TensorBuffers, TensorData } from './tensors.js';
import { int32Roles, rowElements, type Manifest, type Shape } from './manifest.js';
import type { InputRole, MicroTurn } from './types.js';

/** One row's outputs by role, valid until the lane's next step. */
export interface RowOutputs {
  readonly words?: Float32Array;
  readonly floor?: Float32Array;
  readonly say?: Float32Array;
  readonly act?: Float32Array;
}

/** A micro-turn, and what is read with it: token ids, at most as many as the role has room for. */
export interface FedTurn extends MicroTurn {
  readonly text?: Int32Array | undefined;
  readonly said?: Int32Array | undefined;
}

export interface RowResult {
  readonly row: number;
  /** Absent where the step failed or its numbers were not finite: the row is then as it was before. */
  readonly outputs: RowOutputs | undefined;
  /** What the graph threw, where the step failed. */
  readonly cause?: unknown;
}

/** Where the states of a lane's rows are between its steps. */
export interface LaneStates {
  /**
   * Runs the graph once on the lane's inputs.
   * @param rows  how many of the lane's rows must run, from the first
   * @param fresh those that begin from zeros
   * @returns a row's outputs, absent where its numbers are not finite; to be asked before `commit`
   * @throws what the graph throws; every row is then as it was
   */
  run(rows: number, fresh: ReadonlySet<number>): Promise<(row: number) => RowOutputs | undefined>;
  /** Goes on to the states that the run made, but for the rows of `kept`, which stay exactly as they were before it. */
  commit(kept: ReadonlySet<number>): void | Promise<void>;
  /** Copies of one row's states, [rowElements of all states]; absent where fetching them would take time. */
  readonly copies?: {
    read(row: number, into: Float32Array): void;
    write(row: number, from: Float32Array): void;
  };
}

/** What a lane fetches: native audio has no consumer yet. */
export const outputRoles = ['words', 'floor', 'say', 'act'] as const satisfies readonly (keyof RowOutputs)[];

/** What a row is fed in one step: a micro-turn, or what was fed in one before, as `LaneInputs.copyRow` copied it. */
export type RowInputs = FedTurn | Uint8Array;

/** Of what a row is fed in one step, `active` and `reset` aside: those say which rows step, and are no part of what is heard. */
export function inputBytes({ inputs }: Manifest): number {
  return heardInputs(inputs).reduce((sum, { shape }) => sum + 4 * rowElements(shape), 0);
}

function heardInputs({ active: _active, reset: _reset, ...heard }: Manifest['inputs']) {
  return Object.values(heard).filter((input) => input !== undefined);
}

/** What a lane feeds, states aside: one buffer for each role that the bundle has. */
export class LaneInputs {
  readonly rows: number;
  /** By tensor. */
  readonly feeds: TensorBuffers;
  /** What is heard, byte by byte: each [rows, bytes of a row]. */
  readonly #heard: readonly Uint8Array[];
  readonly #buffers: Partial<Record<InputRole, TensorBuffer>> = {};
  readonly #samples: number;

  constructor(manifest: Manifest, rows: number) {
    this.rows = rows;
    const feeds: Record<string, TensorBuffer> = {};
    for (const [role, input] of Object.entries(manifest.inputs) as [InputRole, Manifest['inputs'][InputRole]][]) {
      if (!input) continue;
      const buffer = bufferOf(input.shape, rows, int32Roles.has(role) ? Int32Array : Float32Array);
      this.#buffers[role] = feeds[input.tensor] = buffer;
    }
    this.feeds = feeds;
    this.#heard = heardInputs(manifest.inputs).map(({ tensor }) => {
      const { data } = feeds[tensor]!;
      return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    });
    this.#samples = rowElements(manifest.inputs.pcm.shape);
  }

  /** Copies what the last step fed for a row. @param into [inputBytes] */
  copyRow(row: number, into: Uint8Array): void {
    let at = 0;
    for (const bytes of this.#heard) {
      const size = bytes.length / this.rows;
      into.set(bytes.subarray(row * size, (row + 1) * size), at);
      at += size;
    }
  }

  /** Sets what the next step feeds for a row; without a micro-turn the row is not active in it. */
  fill(row: number, turn: RowInputs | undefined, cleared: boolean): void {
    const { active, reset } = this.#buffers;
    if (active) active.data[row] = turn ? 1 : 0;
    if (reset) reset.data[row] = cleared ? 1 : 0;
    if (turn instanceof Uint8Array) this.#pasteRow(row, turn);
    else this.#fillTurn(row, turn);
  }

  #pasteRow(row: number, from: Uint8Array): void {
    let at = 0;
    for (const bytes of this.#heard) {
      const size = bytes.length / this.rows;
      bytes.set(from.subarray(at, at + size), row * size);
      at += size;
    }
  }

  #fillTurn(row: number, turn: FedTurn | undefined): void {
    const { pcm, ref, lost, play, text, said } = this.#buffers;
    if (lost) lost.data[row] = turn ? turn.lost : 0;
    if (play) play.data[row] = turn ? turn.play : 0;
    if (pcm) fillRow(pcm.data, row, this.#samples, turn?.pcm);
    if (ref) fillRow(ref.data, row, this.#samples, turn?.ref);
    if (text) fillRow(text.data, row, text.data.length / this.rows, turn?.text);
    if (said) fillRow(said.data, row, said.data.length / this.rows, turn?.said);
  }
}

/** Zeros of a lane's tensor. */
export function bufferOf(
  shape: Shape,
  rows: number,
  Data: typeof Float32Array | typeof Int32Array = Float32Array,
): TensorBuffer {
  return { data: new Data(rows * rowElements(shape)), dims: [rows, ...(shape.slice(1) as number[])] };
}

export function rowOf(data: TensorData, row: number, size: number): Float32Array {
  return data.subarray(row * size, (row + 1) * size) as Float32Array;
}

export function finite(values: Float32Array): boolean {
  return within(values, -Number.MAX_VALUE, Number.MAX_VALUE);
}

/** Whether a row's outputs can be what their manifest says they are: finite, and probabilities between 0 and 1. */
export function soundOutputs({ outputs }: Manifest, row: RowOutputs): boolean {
  return outputRoles.every((role) => {
    const values = row[role];
    if (!values) return true;
    // To rounding.
    return outputs[role]?.values === 'probabilities' ? within(values, -1e-3, 1 + 1e-3) : finite(values);
  });
}

/** By index: a callback for each value would take ten times as long. What is not a number is within no bounds. */
function within(values: Float32Array, low: number, high: number): boolean {
  for (let i = 0; i < values.length; i++) if (!(values[i]! >= low && values[i]! <= high)) return false;
  return true;
}

function fillRow(data: TensorData, row: number, size: number, values: TensorData | undefined): void {
  data.fill(0, row * size + (values?.length ?? 0), (row + 1) * size);
  if (values) data.set(values, row * size);
}
