import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Bundle } from '../../packages/edge/src/engine/bundle.js';
import { int32Roles } from '../../packages/edge/src/engine/manifest.js';
import { OnnxModel } from '../../packages/edge/src/engine/onnx-model.js';
import { SeededRandom } from '../../test/support/random.js';
import { root } from '../../test/support/root.js';

export const nanoBundle = join(root, 'models/nano/bundle');

/** Advances every row by one micro-turn; resolves with the wall time, ms. */
export type Step = () => Promise<number>;

export interface Stepper {
  readonly step: Step;
  close(): Promise<void>;
}

/** As the edge runs it: micro-turns in, decisions out. */
export async function ourModel(bundle: Bundle, rows: number, pcm: readonly Float32Array[]): Promise<Stepper> {
  const model = await OnnxModel.load(bundle, { rows, laneSize: rows });
  let left = 0;
  let done = () => {};
  const onDecision = () => {
    if (--left === 0) done();
  };
  const streams = Array.from({ length: rows }, (_, lease) => model.open(lease, onDecision));
  let index = 0;
  return {
    step: () =>
      new Promise((resolve) => {
        const startMs = performance.now();
        left = rows;
        done = () => resolve(performance.now() - startMs);
        const sound = pcm[index % pcm.length]!;
        streams.forEach((stream, lease) => stream.push({ lease, index, pcm: sound, lost: 0, play: 0, dueMs: 0 }));
        index++;
      }),
    close: () => model.close(),
  };
}

/** As little as the runtime can be asked for the same work with. */
export async function bareSession(
  { manifest, files }: Bundle,
  rows: number,
  pcm: readonly Float32Array[],
): Promise<Stepper> {
  const session = await InferenceSession.create(files.get(manifest.graph.file)!, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
    logSeverityLevel: 3,
  });
  const tensor = (shape: readonly (string | number)[], role?: string) => {
    const dims = [rows, ...(shape.slice(1) as number[])];
    const length = dims.reduce((a, b) => a * b, 1);
    return (int32Roles as ReadonlySet<string | undefined>).has(role)
      ? new Tensor('int32', new Int32Array(length), dims)
      : new Tensor('float32', new Float32Array(length), dims);
  };
  const feeds: Record<string, Tensor> = {};
  const fetches: Record<string, Tensor> = {};
  for (const [role, input] of Object.entries(manifest.inputs)) {
    if (input) feeds[input.tensor] = tensor(input.shape, role);
  }
  for (const output of Object.values(manifest.outputs)) if (output) fetches[output.tensor] = tensor(output.shape);
  const sets: [Record<string, Tensor>, Record<string, Tensor>][] = [
    [feeds, fetches],
    [{ ...feeds }, { ...fetches }],
  ];
  for (const { input, output, shape } of manifest.states) {
    const [a, b] = [tensor(shape), tensor(shape)];
    sets[0]![0][input] = sets[1]![1][output] = a;
    sets[1]![0][input] = sets[0]![1][output] = b;
  }
  const audio = feeds[manifest.inputs.pcm.tensor]!.data as Float32Array;
  let index = 0;
  return {
    async step() {
      const startMs = performance.now();
      const sound = pcm[index % pcm.length]!;
      for (let row = 0; row < rows; row++) audio.set(sound, row * sound.length);
      const [inputs, outputs] = sets[index++ % 2]!;
      await session.run(inputs, outputs);
      return performance.now() - startMs;
    },
    close: () => session.release(),
  };
}

/** A few seconds of micro-turns, loud and quiet by turns: steps over digital silence alone could be cheaper. */
export function speechLike(): Float32Array[] {
  const random = new SeededRandom(7);
  return Array.from({ length: 20 }, (_, turn) =>
    Float32Array.from({ length: 3_200 }, () => (random.next() - 0.5) * (turn % 5 === 4 ? 0.002 : 0.3)),
  );
}
