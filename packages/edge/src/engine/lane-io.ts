import type { TensorBuffer, TensorBuffers, TensorData } from './tensors.js';
import { int32Roles, rowElements, type InputRole, type Manifest, type Shape } from './manifest.js';
import type { MicroTurn } from './types.js';

/** One row's outputs by role, valid until the lane's next step. */
export interface RowOutputs {
  readonly words?: Float32Array;
  readonly floor?: Float32Array;
  readonly say?: Float32Array;
  readonly act?: Float32Array;
}

export interface RowResult {
  readonly row: number;
  /** Absent where the step failed or its numbers were not finite: the row is then as it was before. */
  readonly outputs: RowOutputs | undefined;
}

/** Rows that step together, wherever their states are. */
export interface StepLane {
  readonly rows: number;
  /** Forgets what a row has heard. Takes effect at the lane's next step, and wins over everything else in it. */
  clear(row: number): void;
  /**
   * Advances the rows in `turns` by one micro-turn, and no other.
   * @param turns by row; each `pcm` is one micro-turn long, which the caller has checked
   * @returns the rows of `turns`, in its order
   */
  step(turns: ReadonlyMap<number, MicroTurn>): Promise<RowResult[]>;
}

/** What a lane fetches: native audio has no consumer yet. */
export const outputRoles = ['words', 'floor', 'say', 'act'] as const satisfies readonly (keyof RowOutputs)[];

/** What a lane feeds, states aside: one buffer for each role that the bundle has. */
export class LaneInputs {
  /** By tensor. */
  readonly feeds: TensorBuffers;
  readonly #buffers: Partial<Record<InputRole, TensorBuffer>> = {};
  readonly #samples: number;
  readonly #reset: Uint8Array;

  constructor(manifest: Manifest, rows: number) {
    const feeds: Record<string, TensorBuffer> = {};
    for (const [role, input] of Object.entries(manifest.inputs) as [InputRole, Manifest['inputs'][InputRole]][]) {
      if (!input) continue;
      const buffer = bufferOf(input.shape, rows, int32Roles.has(role) ? Int32Array : Float32Array);
      this.#buffers[role] = feeds[input.tensor] = buffer;
    }
    this.feeds = feeds;
    this.#samples = rowElements(manifest.inputs.pcm.shape);
    this.#reset = new Uint8Array(rows);
  }

  /** Sets what the next step feeds for a row; without a micro-turn the row is not active in it. */
  fill(row: number, turn: MicroTurn | undefined, cleared: boolean): void {
    const { pcm, ref, lost, play, active, reset } = this.#buffers;
    this.#reset[row] = cleared ? 1 : 0;
    if (active) active.data[row] = turn ? 1 : 0;
    if (reset) reset.data[row] = cleared ? 1 : 0;
    if (lost) lost.data[row] = turn ? turn.lost : 0;
    if (play) play.data[row] = turn ? turn.play : 0;
    if (pcm) fillRow(pcm.data, row, this.#samples, turn?.pcm);
    if (ref) fillRow(ref.data, row, this.#samples, turn?.ref);
  }

  /** Whether the row was filled as cleared. */
  wasReset(row: number): boolean {
    return this.#reset[row] === 1;
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

export function finite(values: Float32Array, start = 0, end = values.length): boolean {
  for (let i = start; i < end; i++) if (!Number.isFinite(values[i]!)) return false;
  return true;
}

function fillRow(data: TensorData, row: number, size: number, values: Float32Array | undefined): void {
  if (values) data.set(values, row * size);
  else data.fill(0, row * size, (row + 1) * size);
}
