import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadBundle, type Bundle } from '../packages/edge/src/engine/bundle.js';
import { int32Roles } from '../packages/edge/src/engine/manifest.js';
import { lanePhaseMs } from '../packages/edge/src/engine/lane-phase.js';
import { OnnxModel } from '../packages/edge/src/engine/onnx-model.js';
import { SeededRandom } from '../test/support/random.js';
import { root } from '../test/support/root.js';
import type { Benchmark, Figure } from './lib/benchmark.js';
import { median, round } from './lib/stats.js';

const nano = join(root, 'models/nano/bundle');
const MICRO_TURN_MS = 200;
const SIZES = [1, 8, 32];
const LATE_SHARE = 0.001;
const MB = 1e6;

/**
 * What: rows that one engine thread carries to 0.1 % late micro-turns, alone and in lanes of 8 and 32; CPU time per row
 * in a lane over CPU time alone; resident memory per row, in a lane and in a process of its own.
 * How: steps of the model, of every lane size in turn, CPU time of the process. Capacity is counted in virtual time: one
 * thread, lanes on the phases that the edge gives them, the cost of each step drawn from those measured (seeded), ten
 * minutes of micro-turns for each number of rows. Media, decisions on main and other processes are not in it. Memory: the
 * process with all rows open and stepped, less the process before they were; a child process with one row.
 * Against: the same rows in lanes of one, which is also what a process for each session would cost in CPU at best.
 */
export const engineLanes: Benchmark = {
  name: 'engine-lanes',
  about: 'rows that one engine thread carries, alone and in lanes, and their memory',
  async run({ quick, note }) {
    const bundle = await loadBundle(nano);
    const costs = await stepCosts(bundle, quick ? 5 : 30, note);
    const perRow = new Map(SIZES.map((size) => [size, median(costs.get(size)!) / size]));
    const carried = new Map(SIZES.map((size) => [size, capacity(size, costs.get(size)!, quick ? 60 : 600)]));
    const figures = SIZES.slice(1).flatMap((size): Figure[] => [
      {
        name: `rows per engine thread, lanes of ${size}`,
        value: carried.get(size)!,
        unit: 'sessions',
        lowerIsBetter: false,
        baseline: { name: 'lanes of 1, same run', value: carried.get(1)! },
        conditions: { n: costs.get(size)!.length, lateAllowed: LATE_SHARE, time: 'virtual', seed: 1 },
      },
      {
        name: `CPU per row, lanes of ${size} over alone`,
        value: round(perRow.get(size)! / perRow.get(1)!),
        unit: 'ratio',
        baseline: { name: 'ms per row alone', value: round(perRow.get(1)!) },
        conditions: { n: costs.get(size)!.length },
      },
    ]);
    note('memory');
    return [...figures, await memory(bundle)];
  },
};

/** CPU time of a step by lane size, ms. The sizes take turns, so that what disturbs one disturbs all. */
async function stepCosts(bundle: Bundle, blocks: number, note: (text: string) => void): Promise<Map<number, number[]>> {
  const lanes = await Promise.all(SIZES.map((size) => openLane(bundle, size)));
  const costs = new Map(SIZES.map((size) => [size, [] as number[]]));
  for (let block = 0; block <= blocks; block++) {
    note(`steps, block ${block} of ${blocks}`);
    for (const { size, step } of lanes) {
      for (let i = 0; i < 10; i++) {
        const before = process.cpuUsage();
        await step();
        const { user, system } = process.cpuUsage(before);
        if (block > 0) costs.get(size)!.push((user + system) / 1000); // the first one warms up
      }
    }
  }
  for (const { close } of lanes) await close();
  return costs;
}

/** The largest number of rows, by whole lanes, of which no more than `LATE_SHARE` come late. */
function capacity(size: number, costs: readonly number[], seconds: number): number {
  let fits = 0;
  for (let lanes = 1; ; lanes++) {
    if (lateShare(lanes, costs, seconds) > LATE_SHARE) return fits * size;
    fits = lanes;
  }
}

/** One thread that steps lanes in the order in which they are due; a lane that is late is stepped late. */
function lateShare(lanes: number, costs: readonly number[], seconds: number): number {
  const random = new SeededRandom(1);
  const phases = Array.from({ length: lanes }, (_, lane) => lanePhaseMs(0, lane, MICRO_TURN_MS)).sort((a, b) => a - b);
  const turns = (seconds * 1000) / MICRO_TURN_MS;
  let freeMs = 0;
  let late = 0;
  for (let turn = 0; turn < turns; turn++) {
    for (const phaseMs of phases) {
      const dueMs = turn * MICRO_TURN_MS + phaseMs;
      freeMs = Math.max(freeMs, dueMs) + random.pick(costs);
      if (freeMs - dueMs > MICRO_TURN_MS) late++;
    }
  }
  return late / (turns * lanes);
}

async function openLane(bundle: Bundle, size: number) {
  const random = new SeededRandom(7);
  const sounds = Array.from({ length: 20 }, (_, turn) =>
    Float32Array.from({ length: 3_200 }, () => (random.next() - 0.5) * (turn % 5 === 4 ? 0.002 : 0.3)),
  );
  const model = await OnnxModel.load(bundle, { rows: size, laneSize: size });
  let left = 0;
  let done = () => {};
  const streams = Array.from({ length: size }, (_, lease) => model.open(lease, () => --left === 0 && done()));
  let index = 0;
  const step = () =>
    new Promise<void>((resolve) => {
      left = size;
      done = resolve;
      const pcm = sounds[index % sounds.length]!;
      for (const [lease, stream] of streams.entries()) stream.push({ lease, index, pcm, lost: 0, play: 0, dueMs: 0 });
      index++;
    });
  return { size, step, close: () => model.close() };
}

async function memory(bundle: Bundle): Promise<Figure> {
  const rows = 128;
  const one = await openLane(bundle, 1);
  for (let i = 0; i < 20; i++) await one.step();
  const before = process.memoryUsage.rss();
  const all = await openLane(bundle, rows);
  for (let i = 0; i < 20; i++) await all.step();
  // The second model holds the weights again: as much as a row of a process of its own has to hold, and no row here.
  const weights = [...bundle.files.values()].reduce((sum, file) => sum + file.length, 0);
  const perRow = (process.memoryUsage.rss() - before - weights) / rows;
  await one.close();
  await all.close();
  return {
    name: 'engine RSS per row, in lanes',
    value: round(perRow / MB, 2),
    unit: 'MB',
    baseline: { name: 'a process for each row', value: round((await processRss()) / MB, 1) },
    conditions: { n: 1, rows, weightsMB: round(weights / MB, 1) },
  };
}

/** Resident memory of a Node process that has the runtime and one row of the model, and nothing else. */
async function processRss(): Promise<number> {
  const program = `
    const { InferenceSession, Tensor } = require('onnxruntime-node');
    const { inputs, states, graph } = require('${nano}/bundle.json');
    (async () => {
      const session = await InferenceSession.create('${nano}/' + graph.file, { intraOpNumThreads: 1, interOpNumThreads: 1 });
      const int32 = new Set(${JSON.stringify([...int32Roles])});
      const zeros = ({ shape }, role) => {
        const data = new (int32.has(role) ? Int32Array : Float32Array)(shape.slice(1).reduce((a, b) => a * b, 1));
        return new Tensor(int32.has(role) ? 'int32' : 'float32', data, [1, ...shape.slice(1)]);
      };
      const feeds = Object.fromEntries([
        ...Object.entries(inputs).map(([role, input]) => [input.tensor, zeros(input, role)]),
        ...states.map((state) => [state.input, zeros(state)]),
      ]);
      for (let i = 0; i < 20; i++) await session.run(feeds);
      console.log(process.memoryUsage.rss());
    })();`;
  const cwd = join(root, 'packages/edge');
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', program], { cwd, timeout: 60_000 });
  return Number(stdout);
}
