import { loadBundle } from '../packages/edge/src/engine/bundle.js';
import { decoderSizes, parametersOf } from '../packages/edge/src/engine/fixtures/decoder-bundle.js';
import { openGraphOn } from '../packages/edge/src/engine/graph.js';
import { Lane } from '../packages/edge/src/engine/lane.js';
import type { MicroTurn } from '../packages/edge/src/engine/types.js';
import { SeededRandom } from '../test/support/random.js';
import type { Benchmark, Context, Figure } from './lib/benchmark.js';
import { decoderFolder, growthOfControl, type DecoderSizeName } from './lib/decoder.js';
import { copyMsPerByte } from './lib/machine.js';
import { median, quantile, round } from './lib/stats.js';

const WARM_UP = 8;
/** A control that grows less shows nothing. */
const CONTROL_GROWS = 1.5;
/** Steps that a reading is made of. */
const READING = 24;
const MB = 1e6;

/**
 * What: one row of a decoder with 299 M random parameters, as the engine runs it, while its context outgrows the window of its
 * ring: step time with 0, half a window, one and ten windows heard; resident memory. On the CPU, one thread, or with
 * `--provider webgpu` or `cuda` on a GPU.
 * How: the bundle is written once per machine (`lib/decoder.ts`), loaded as every bundle is; micro-turns of seeded noise, one
 * after the other; 24 steps to a reading; CPU time of the process on the CPU, wall time on a GPU.
 * Against: the time in which its weights can be read once from memory, at the speed of a copy in this run (on the CPU; a GPU
 * has other memory). The control, which must grow: a small decoder that keeps all it hears. Where it does not, `holds` is
 * false.
 */
export const largeBundle: Benchmark = {
  name: 'large-bundle',
  about: 'a decoder of 299 M random parameters: step cost and memory as the context outgrows its window',
  async run(context) {
    context.note('control: a small decoder that forgets nothing');
    const control = await growthOfControl();
    return large(context, context.quick ? 'small' : '300M', control);
  },
};

interface Reading {
  /** Micro-turns heard before it. */
  readonly heard: number;
  readonly wallMs: readonly number[];
  readonly cpuMs: number;
  readonly rssBytes: number;
}

async function large({ note, provider }: Context, name: DecoderSizeName, control: number): Promise<Figure[]> {
  const { window } = decoderSizes[name];
  note(`the bundle (${name})`);
  const folder = await decoderFolder(name);
  const before = process.memoryUsage.rss();
  const row = await openRow(folder, provider);
  const contexts = [0, window / 2, window, 10 * window];
  const readings: Reading[] = [];
  let heard = 0;
  for (const until of contexts) {
    note(`${until} of ${contexts.at(-1)} micro-turns heard`);
    for (; heard < until; heard++) await row.step();
    readings.push(await read(row.step, heard));
    heard += READING;
  }
  await row.close();

  const [first, last] = [readings[0]!, readings.at(-1)!];
  const cost = ({ cpuMs, wallMs }: Reading) => (row.provider === 'cpu' ? cpuMs : median(wallMs));
  const label = `decoder ${round(parametersOf(decoderSizes[name]) / MB, 0)}M`;
  const conditions = {
    n: READING,
    provider: row.provider,
    rows: 1,
    window,
    readings: readings.map((reading) => ({
      heard: reading.heard,
      stepP50Ms: round(median(reading.wallMs), 1),
      stepP99Ms: round(quantile(reading.wallMs, 0.99), 1),
      cpuMs: round(reading.cpuMs, 1),
      rssMb: round(reading.rssBytes / MB, 0),
    })),
  };
  return [
    {
      name: `${label} step after 10 windows p50`,
      value: round(median(last.wallMs), 1),
      unit: 'ms',
      baseline: {
        name: 'its weights read once from this machine’s memory',
        value: round(row.weightBytes * copyMsPerByte() * 0.5, 1),
      },
      conditions,
    },
    {
      name: `${label} step after 10 windows over the first`,
      value: round(cost(last) / cost(first)),
      unit: 'ratio',
      baseline: { name: 'control: a small decoder that forgets nothing', value: round(control) },
      conditions: {
        ...conditions,
        holds: control > CONTROL_GROWS,
      },
    },
    {
      name: `${label} RSS after 10 windows`,
      value: round((last.rssBytes - before) / MB, 0),
      unit: 'MB',
      baseline: { name: 'its weights', value: round(row.weightBytes / MB, 0) },
      conditions: { ...conditions, statesMb: round((2 * row.stateBytes) / MB, 1) },
    },
  ];
}

async function read(step: () => Promise<unknown>, heard: number): Promise<Reading> {
  const wallMs: number[] = [];
  const before = process.cpuUsage();
  for (let i = 0; i < READING; i++) {
    const startMs = performance.now();
    await step();
    wallMs.push(performance.now() - startMs);
  }
  const { user, system } = process.cpuUsage(before);
  return { heard, wallMs, cpuMs: (user + system) / 1000 / READING, rssBytes: process.memoryUsage.rss() };
}

/** A row that has forgotten the micro-turns it was warmed up with. */
async function openRow(folder: string, provider: Context['provider']) {
  const bundle = await loadBundle(folder);
  const { manifest, files } = bundle;
  const graph = await openGraphOn(bundle, provider);
  const lane = new Lane(graph, manifest, 1);
  const samples = manifest.inputs.pcm.shape[1] as number;
  const random = new SeededRandom(3);
  let index = 0;
  const step = async () => {
    const pcm = Float32Array.from({ length: samples }, () => random.next() - 0.5);
    const turn: MicroTurn = { lease: 1, index: index++, pcm, lost: 0, play: 0, dueMs: 0 };
    const [result] = await lane.step(new Map([[0, turn]]));
    if (!result?.outputs) throw new Error('a step gave no usable numbers');
  };
  for (let i = 0; i < WARM_UP; i++) await step();
  lane.clear(0);
  const rowBytes = (shape: readonly (string | number)[]) => 4 * (shape.slice(1) as number[]).reduce((a, b) => a * b, 1);
  return {
    step,
    provider: graph.provider ?? 'cpu',
    weightBytes: [...files.values()].reduce((sum, file) => sum + file.length, 0),
    stateBytes: manifest.states.reduce((sum, { shape }) => sum + rowBytes(shape), 0),
    close: () => graph.close(),
  };
}
