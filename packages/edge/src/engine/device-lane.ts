import { type InferenceSession, Tensor } from 'onnxruntime-node';
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
import { graphName, input, model, node, output } from './onnx-write.js';
import type { MicroTurn } from './types.js';

/** What the lanes of one model on a device share. */
export interface DeviceSessions {
  /** The bundle's graph; its next states stay on the device. */
  readonly step: InferenceSession;
  /** `selectGraph`, on the same device. */
  readonly select: InferenceSession;
}

/**
 * Rows that step together with their states on the device: what comes out of one step goes into the next, and only
 * inputs and outputs cross. All rows run in every step, for the states keep their size.
 *
 * Where some rows must keep what they had, or start anew, a second small graph picks each row's state from two; a step
 * of all rows, which is the usual one, does without. States are not looked at, as that would fetch them: one that is
 * not finite shows in the outputs of the next step.
 */
export class DeviceLane implements StepLane {
  readonly rows: number;
  readonly #sessions: DeviceSessions;
  readonly #manifest: Manifest;
  readonly #inputs: LaneInputs;
  readonly #feeds: Record<string, Tensor>;
  readonly #fetches: readonly string[];
  readonly #zeros: Record<string, Tensor>;
  readonly #cleared: Uint8Array;
  /** By input name. */
  #states: Record<string, Tensor>;
  #stepping = false;

  constructor(sessions: DeviceSessions, manifest: Manifest, rows: number) {
    this.rows = rows;
    this.#sessions = sessions;
    this.#manifest = manifest;
    this.#inputs = new LaneInputs(manifest, rows);
    this.#feeds = Object.fromEntries(
      Object.entries(this.#inputs.feeds).map(([name, { data, dims }]) => [
        name,
        data instanceof Int32Array ? new Tensor('int32', data, dims) : new Tensor('float32', data, dims),
      ]),
    );
    const heads = outputRoles.flatMap((role) => manifest.outputs[role]?.tensor ?? []);
    this.#fetches = [...heads, ...manifest.states.map(({ output }) => output)];
    this.#zeros = Object.fromEntries(
      manifest.states.map(({ input, shape }) => {
        const { data, dims } = bufferOf(shape, rows);
        return [input, new Tensor('float32', data as Float32Array, dims)];
      }),
    );
    this.#states = this.#zeros;
    this.#cleared = new Uint8Array(rows).fill(1);
  }

  clear(row: number): void {
    this.#cleared[row] = 1;
  }

  async step(turns: ReadonlyMap<number, MicroTurn>): Promise<RowResult[]> {
    if (this.#stepping) throw new Error('a lane takes one step at a time');
    if (turns.size === 0) return [];
    this.#stepping = true;
    try {
      return await this.#step(turns);
    } finally {
      this.#stepping = false;
    }
  }

  async #step(turns: ReadonlyMap<number, MicroTurn>): Promise<RowResult[]> {
    for (let row = 0; row < this.rows; row++) this.#inputs.fill(row, turns.get(row), this.#cleared[row] === 1);
    const begins = (row: number) => this.#inputs.wasReset(row) && turns.has(row);
    if (this.#states !== this.#zeros && this.#some(begins)) await this.#become(begins, this.#zeros, this.#states);
    for (const row of turns.keys()) this.#cleared[row] = 0;

    const results = await this.#sessions.step.run({ ...this.#feeds, ...this.#states }, [...this.#fetches]);
    const next = Object.fromEntries(this.#manifest.states.map(({ input, output }) => [input, results[output]!]));
    const unsound = new Set<number>();
    const out = [...turns.keys()].map((row): RowResult => {
      const outputs = this.#outputsOf(results, row);
      if (Object.values(outputs).every((head: Float32Array) => finite(head))) return { row, outputs };
      unsound.add(row);
      if (this.#inputs.wasReset(row)) this.#cleared[row] = 1;
      return { row, outputs: undefined };
    });
    const stays = (row: number) => (!turns.has(row) || unsound.has(row)) && !this.#cleared[row];
    if (this.#some(stays)) {
      await this.#become(stays, this.#states, next);
      dispose(next);
    } else {
      this.#replace(next);
    }
    return out;
  }

  /** The rows of `is` get their state from `one`, the others from `other`. */
  async #become(
    is: (row: number) => boolean,
    one: Record<string, Tensor>,
    other: Record<string, Tensor>,
  ): Promise<void> {
    const mask = Uint8Array.from({ length: this.rows }, (_, row) => (is(row) ? 1 : 0));
    const feeds: Record<string, Tensor> = {};
    for (const { input, shape } of this.#manifest.states) {
      feeds[`${input}/is`] = new Tensor('bool', mask, [this.rows, ...shape.slice(1).map(() => 1)]);
      feeds[`${input}/one`] = one[input]!;
      feeds[`${input}/other`] = other[input]!;
    }
    const picked = await this.#sessions.select.run(feeds);
    this.#replace(Object.fromEntries(this.#manifest.states.map(({ input }) => [input, picked[`${input}/picked`]!])));
  }

  #replace(states: Record<string, Tensor>): void {
    const before = this.#states;
    this.#states = states;
    if (before !== this.#zeros) dispose(before);
  }

  #outputsOf(results: InferenceSession.OnnxValueMapType, row: number): RowOutputs {
    return Object.fromEntries(
      outputRoles.flatMap((role) => {
        const output = this.#manifest.outputs[role];
        if (!output) return [];
        return [[role, rowOf(results[output.tensor]!.data as Float32Array, row, rowElements(output.shape))]];
      }),
    );
  }

  #some(is: (row: number) => boolean): boolean {
    for (let row = 0; row < this.rows; row++) if (is(row)) return true;
    return false;
  }
}

/** For each state, `picked = is ? one : other`, row by row: what is not taken may be anything, also not a number. */
export function selectGraph({ graph: { batch }, states }: Manifest): Uint8Array {
  return model([
    ...states.flatMap(({ input: name }) =>
      node('Where', [`${name}/is`, `${name}/one`, `${name}/other`], `${name}/picked`),
    ),
    ...graphName('select'),
    ...states.flatMap(({ input: name, shape }) => {
      const dims = [batch, ...shape.slice(1)];
      return [
        ...input(`${name}/is`, [batch, ...shape.slice(1).map(() => 1)], 'bool'),
        ...input(`${name}/one`, dims),
        ...input(`${name}/other`, dims),
        ...output(`${name}/picked`, dims),
      ];
    }),
  ]);
}

function dispose(tensors: Record<string, Tensor>): void {
  for (const tensor of Object.values(tensors)) tensor.dispose();
}
