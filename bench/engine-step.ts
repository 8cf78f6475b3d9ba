import { loadBundle, type Bundle } from '../packages/edge/src/engine/bundle.js';
import type { Benchmark, Figure } from './lib/benchmark.js';
import { bareSession, nanoBundle, ourModel, speechLike, type Step } from './lib/steppers.js';
import { median, quantile, ratioWithInterval, round } from './lib/stats.js';

const STEP_P99_BUDGET_MS = 5;
/** What our lane may cost over the bare runtime, where rows step alone. */
const RATIO_BUDGET = 1.05;
const STEPS_PER_BLOCK = 40;
/** In its first 2000 steps V8 compiles what they run, on threads of the process: an edge pays that once. */
const WARM_UP_BLOCKS = 50;
const AA_TOLERANCE = 0.03;
/** Every one of the three comes after every other as often: what a block leaves in the caches is the next one's gain. */
const ORDERS = [
  ['ours', 'bare', 'other'],
  ['other', 'bare', 'ours'],
  ['bare', 'other', 'ours'],
  ['ours', 'other', 'bare'],
  ['other', 'ours', 'bare'],
  ['bare', 'ours', 'other'],
] as const;

/**
 * What: one step of the model on one thread, at B=1 and at B=8: wall time p50 and p99, CPU time per row, and what our lane
 * (gather, checks, decoding) costs over the bare runtime.
 * How: our `OnnxModel` with one lane against onnxruntime-node's `session.run` with tensors made once and states that swap,
 * each on its own session with the same options; after 2000 steps each, blocks of 40 in all orders by turns, CPU time of the
 * process, the median of the pairs' ratios with its 95 % interval. A second bare session against the first (A/A) must come out at 1.
 * Against: the bare `session.run`.
 */
export const engineStep: Benchmark = {
  name: 'engine-step',
  about: 'one step of the model, ours against bare onnxruntime, at B=1 and B=8',
  async run({ quick, note }) {
    const bundle = await loadBundle(nanoBundle);
    const figures: Figure[] = [];
    for (const rows of [1, 8]) {
      note(`B=${rows}`);
      figures.push(
        ...(await measure(bundle, rows, quick ? { warmUp: 1, pairs: 6 } : { warmUp: WARM_UP_BLOCKS, pairs: 48 })),
      );
    }
    return figures;
  },
};

/** @param blocks how many of each, before and while they are measured */
async function measure(
  bundle: Bundle,
  rows: number,
  { warmUp, pairs }: { readonly warmUp: number; readonly pairs: number },
): Promise<Figure[]> {
  const pcm = speechLike();
  const ours = await ourModel(bundle, rows, pcm);
  const bare = await bareSession(bundle, rows, pcm);
  const other = await bareSession(bundle, rows, pcm);
  for (const { step } of [ours, bare, other]) for (let i = 0; i < warmUp; i++) await block(step);

  const samples = { ours: [] as Block[], bare: [] as Block[], other: [] as Block[] };
  for (let i = 0; i < pairs; i++) {
    for (const who of ORDERS[i % ORDERS.length]!) samples[who].push(await block({ ours, bare, other }[who].step));
  }
  await Promise.all([ours.close(), bare.close(), other.close()]);

  const cpu = (who: keyof typeof samples) => samples[who].map(({ cpuMs }) => cpuMs);
  const wall = (who: keyof typeof samples) => samples[who].flatMap(({ wallMs }) => wallMs);
  const ratio = ratioWithInterval(cpu('ours').map((ms, i) => ms / cpu('bare')[i]!));
  const same = ratioWithInterval(cpu('other').map((ms, i) => ms / cpu('bare')[i]!));
  // A harness that finds a difference where there is none says nothing of one.
  const holds = Math.abs(same.median - 1) <= AA_TOLERANCE && same.low <= 1 && same.high >= 1;
  const conditions = { n: pairs * STEPS_PER_BLOCK, pairs, rows, threads: 1 };
  const size = `B=${rows}`;
  const perStep = (share: number, budget?: number): Figure => ({
    name: `engine-step ${size} p${share * 100}`,
    value: round(quantile(wall('ours'), share)),
    unit: 'ms',
    baseline: { name: `bare session.run, p${share * 100}`, value: round(quantile(wall('bare'), share)) },
    ...(budget !== undefined && { budget }),
    conditions,
  });
  return [
    perStep(0.5),
    perStep(0.99, rows === 1 ? STEP_P99_BUDGET_MS : undefined),
    {
      name: `engine-step ${size} CPU per row`,
      value: round(median(cpu('ours')) / STEPS_PER_BLOCK / rows),
      unit: 'ms',
      baseline: { name: 'bare session.run', value: round(median(cpu('bare')) / STEPS_PER_BLOCK / rows) },
      conditions,
    },
    {
      name: `engine-step ${size} CPU, ours over bare`,
      value: round(ratio.median),
      unit: 'ratio',
      baseline: { name: 'the bare session over itself (A/A)', value: round(same.median) },
      ...(rows === 1 && { budget: RATIO_BUDGET }),
      conditions: {
        ...conditions,
        holds,
        interval95: [round(ratio.low), round(ratio.high)],
        aaInterval95: [round(same.low), round(same.high)],
      },
    },
  ];
}

interface Block {
  readonly cpuMs: number;
  readonly wallMs: readonly number[];
}

async function block(step: Step): Promise<Block> {
  const before = process.cpuUsage();
  const wallMs: number[] = [];
  for (let i = 0; i < STEPS_PER_BLOCK; i++) wallMs.push(await step());
  const { user, system } = process.cpuUsage(before);
  return { cpuMs: (user + system) / 1000, wallMs };
}
