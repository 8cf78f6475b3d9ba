import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import {
  decoderSizes,
  growingDecoder,
  recipeOf,
  writeDecoderBundle,
} from '../../packages/edge/src/engine/fixtures/decoder-bundle.js';
import { SeededRandom } from '../../test/support/random.js';

export type DecoderSizeName = keyof typeof decoderSizes;

/**
 * A folder with a decoder of random weights. It is written once per machine and recipe, beside what else of Microturn is
 * cached: the large one has 1.2 GB, and no place in the repository.
 */
export async function decoderFolder(name: DecoderSizeName): Promise<string> {
  const size = decoderSizes[name];
  const base = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'microturn/bundles');
  const folder = join(base, `decoder-${name}-${recipeOf(size)}`);
  if (existsSync(folder)) return folder;
  await mkdir(base, { recursive: true });
  const fresh = await mkdtemp(join(base, 'making-'));
  await writeDecoderBundle(fresh, `decoder-${name}`, size);
  await rename(fresh, folder);
  return folder;
}

/** Steps that compile code and fill caches, and what a reading is made of. */
const WARM_UP = 100;
const READING = 24;

/**
 * The control of what must stay flat: how much longer a step of a small decoder takes, in CPU time, that keeps all it
 * hears, after ten windows of the one with a ring over its first steps.
 */
export async function growthOfControl(): Promise<number> {
  const decoder = await openGrowingDecoder();
  const cost = async () => {
    const before = process.cpuUsage();
    for (let i = 0; i < READING; i++) await decoder.step();
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  for (let i = 0; i < WARM_UP; i++) await decoder.step();
  decoder.forget();
  const first = await cost();
  for (let i = READING; i < 10 * decoderSizes.small.window; i++) await decoder.step();
  const last = await cost();
  await decoder.close();
  return last / first;
}

async function openGrowingDecoder() {
  const size = decoderSizes.small;
  const { onnx, states } = growingDecoder(size);
  const session = await InferenceSession.create(onnx, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const zeros = (...dims: number[]) => new Tensor('float32', new Float32Array(dims.reduce((a, b) => a * b, 1)), dims);
  const nothing = (): Record<string, Tensor> =>
    Object.fromEntries(
      states.map(({ input, shape }) => [input, zeros(1, ...shape.map((dim) => (typeof dim === 'string' ? 0 : dim)))]),
    );
  const samples = (size.microTurnMs * size.inputHz) / 1000;
  const random = new SeededRandom(3);
  let held = nothing();
  return {
    async step() {
      const pcm = Float32Array.from({ length: samples }, () => random.next() - 0.5);
      const made = await session.run({
        pcm: new Tensor('float32', pcm, [1, samples]),
        play: zeros(1, 1),
        reset: zeros(1, 1),
        ...held,
      });
      held = Object.fromEntries(states.map(({ input, output }) => [input, made[output] as Tensor]));
    },
    forget() {
      held = nothing();
    },
    close: () => session.release(),
  };
}
