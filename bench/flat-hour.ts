import { loadBundle } from '../packages/edge/src/engine/bundle.js';
import type { Benchmark } from './lib/benchmark.js';
import { growthOfControl } from './lib/decoder.js';
import { nanoBundle, ourModel, speechLike } from './lib/steppers.js';
import { median, quantile, round, theilSen } from './lib/stats.js';

/** An hour has as many micro-turns of 200 ms. */
const TURNS = 18_000;
const WARM_UP = 100;
const PARTS = 10;
const RATIO_BUDGET = 1.05;
const MB = 1e6;

/**
 * What: how much longer a step of Nano takes at the end of an hour than at its beginning, and what an hour adds to memory.
 * How: one row, 18 000 micro-turns as fast as they go; CPU time of the process by tenths, the last two over the first two;
 * Theil-Sen slope of resident memory over the tenths after the first two.
 * Against: the control, which must grow: a small decoder that keeps all it hears. Where it does not, `holds` is false.
 */
export const flatHour: Benchmark = {
  name: 'flat-hour',
  about: 'a step at the end of an hour of micro-turns over one at its beginning, and what the hour leaves in memory',
  async run({ quick, note }) {
    const turns = quick ? 1_500 : TURNS;
    const model = await ourModel(await loadBundle(nanoBundle), 1, speechLike());
    for (let i = 0; i < WARM_UP; i++) await model.step();
    const cpuMs: number[] = [];
    const rssMb: number[] = [];
    const wallMs: number[] = [];
    for (let part = 0; part < PARTS; part++) {
      note(`part ${part + 1} of ${PARTS}`);
      const before = process.cpuUsage();
      for (let i = 0; i < turns / PARTS; i++) wallMs.push(await model.step());
      const { user, system } = process.cpuUsage(before);
      cpuMs.push((user + system) / 1000 / (turns / PARTS));
      rssMb.push(process.memoryUsage.rss() / MB);
    }
    await model.close();
    note('control: a small decoder that forgets nothing');
    const control = await growthOfControl();
    const ratio = (cpuMs.at(-1)! + cpuMs.at(-2)!) / (cpuMs[0]! + cpuMs[1]!);
    const slope = theilSen(rssMb.slice(2).map((y, x) => ({ x, y }))).slope;
    const conditions = {
      n: turns,
      cpuMsPerStep: cpuMs.map((ms) => round(ms)),
      rssMb: rssMb.map((mb) => round(mb, 1)),
      wallP50Ms: round(median(wallMs)),
      wallP99Ms: round(quantile(wallMs, 0.99)),
    };
    return [
      {
        name: 'Nano’s step after an hour over the first',
        value: round(ratio),
        unit: 'ratio',
        baseline: { name: 'control: a small decoder that forgets nothing', value: round(control) },
        budget: RATIO_BUDGET,
        conditions: { ...conditions, holds: control > 1.5 },
      },
      {
        name: 'RSS that an hour of micro-turns adds',
        value: round(slope * PARTS, 2),
        unit: 'MB',
        baseline: { name: 'at its beginning', value: round(rssMb[0]!, 0) },
        conditions,
      },
    ];
  },
};
