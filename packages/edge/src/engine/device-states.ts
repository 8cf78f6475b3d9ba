import { Tensor } from 'onnxruntime-node';
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
import type { NativeSession, Results } from './native-session.js';
import { graphName, input, model, node, output } from './onnx-write.js';

/** What the lanes of one model on a device share. */
export interface DeviceSessions {
  /** The bundle's graph; its next states stay on the device. */
  readonly step: NativeSession;
  /** `selectGraph`, on the same device. */
  readonly select: NativeSession;
}

/**
 * States on the device: what comes out of one step goes into the next, and only inputs and outputs cross. All rows run
 * in every step, for the states keep their size.
 *
 * Where some rows must keep what they had, or start anew, a second small graph picks each row's state from two; a step
 * of all rows, which is the usual one, does without. States are not looked at, as that would fetch them: one that is
 * not finite shows in the outputs of the next step.
 */
export class DeviceStates implements LaneStates {
  readonly #sessions: DeviceSessions;
  readonly #manifest: Manifest;
  readonly #rows: number;
  readonly #feeds: Record<string, Tensor>;
  readonly #fetches: readonly string[];
  readonly #zeros: Record<string, Tensor>;
  /** By input name. */
  #states: Record<string, Tensor>;
  #next: Record<string, Tensor> = {};

  constructor(sessions: DeviceSessions, manifest: Manifest, { feeds, rows }: LaneInputs) {
    this.#sessions = sessions;
    this.#manifest = manifest;
    this.#rows = rows;
    this.#feeds = Object.fromEntries(
      Object.entries(feeds).map(([name, { data, dims }]) => [
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
  }

  /** @throws where the device is lost */
  async run(_rows: number, fresh: ReadonlySet<number>): Promise<(row: number) => RowOutputs | undefined> {
    if (fresh.size > 0 && this.#states !== this.#zeros) {
      this.#replace(await this.#pick(fresh, this.#zeros, this.#states));
    }
    const results = await this.#sessions.step.run({ ...this.#feeds, ...this.#states }, [...this.#fetches]);
    this.#next = Object.fromEntries(this.#manifest.states.map(({ input, output }) => [input, results[output]!]));
    return (row) => {
      const outputs = this.#outputsOf(results, row);
      return outputs && soundOutputs(this.#manifest, outputs) ? outputs : undefined;
    };
  }

  async commit(kept: ReadonlySet<number>): Promise<void> {
    if (kept.size === 0) return this.#replace(this.#next);
    const picked = await this.#pick(kept, this.#states, this.#next);
    dispose(this.#next);
    this.#replace(picked);
  }

  /** The rows of `which` from `one`, the others from `other`. */
  async #pick(
    which: ReadonlySet<number>,
    one: Record<string, Tensor>,
    other: Record<string, Tensor>,
  ): Promise<Record<string, Tensor>> {
    const mask = Uint8Array.from({ length: this.#rows }, (_, row) => (which.has(row) ? 1 : 0));
    const feeds: Record<string, Tensor> = {};
    for (const { input, shape } of this.#manifest.states) {
      feeds[`${input}/is`] = new Tensor('bool', mask, [this.#rows, ...shape.slice(1).map(() => 1)]);
      feeds[`${input}/one`] = one[input]!;
      feeds[`${input}/other`] = other[input]!;
    }
    const picked = await this.#sessions.select.run(feeds);
    return Object.fromEntries(this.#manifest.states.map(({ input }) => [input, picked[`${input}/picked`]!]));
  }

  #replace(states: Record<string, Tensor>): void {
    const before = this.#states;
    this.#states = states;
    if (before !== this.#zeros) dispose(before);
  }

  /** Undefined where one has another size than it should. */
  #outputsOf(results: Results, row: number): RowOutputs | undefined {
    const outputs: { -readonly [role in keyof RowOutputs]: RowOutputs[role] } = {};
    for (const role of outputRoles) {
      const output = this.#manifest.outputs[role];
      if (!output) continue;
      const size = rowElements(output.shape);
      const data = results[output.tensor]?.data as Float32Array | undefined;
      if (data?.length !== this.#rows * size) return undefined;
      outputs[role] = rowOf(data, row, size);
    }
    return outputs;
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
