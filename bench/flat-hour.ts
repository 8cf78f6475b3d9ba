import { loadBundle } from '../packages/edge/src/engine/bundle.js';
import type { Benchmark } from './lib/benchmark.js';
import { growthOfControl } from './lib/decoder.js';
import { nanoBundle, ourModel, speechLike, type Stepper } from './lib/steppers.js';
import { ratioWithInterval, round, theilSen } from './lib/stats.js';

/** An hour has as many micro-turns of 200 ms. */
const TURNS = 18_000;
const WARM_UP = 100;
const PARTS = 10;
const PAIRS = 24;
const STEPS_PER_BLOCK = 50;
const RATIO_BUDGET = 1.05;
/** A control that grows less shows nothing. */
const CONTROL_GROWS = 1.5;
const MB = 1e6;

/**
 * What: what a step of Nano takes after an hour over one of a row that has just begun, and what an hour adds to memory.
 * How: one row, 18 000 micro-turns as fast as they go; then it and a fresh one in turns, blocks of 50 steps in ABBA order, CPU
 * time of the process, the median of the pairs' ratios with its 95 % interval. Theil-Sen slope of resident memory over the
 * tenths of the hour after the first two.
 * Against: the control, which must grow: a small decoder that keeps all it hears. Where it does not, `holds` is false.
 */
export const flatHour: Benchmark = {
  name: 'flat-hour',
  about: 'a step after an hour of micro-turns over one of a fresh row, and what the hour leaves in memory',
  async run({ quick, note }) {
    const turns = quick ? 1_500 : TURNS;
    const bundle = await loadBundle(nanoBundle);
    const old = await ourModel(bundle, 1, speechLike());
    const rssMb: number[] = [];
    for (let part = 0; part < PARTS; part++) {
      note(`part ${part + 1} of ${PARTS}`);
      for (let i = 0; i < turns / PARTS; i++) await old.step();
      rssMb.push(process.memoryUsage.rss() / MB);
    }
    note('against a fresh row');
    const fresh = await ourModel(bundle, 1, speechLike());
    for (let i = 0; i < WARM_UP; i++) await fresh.step();
    const ratios: number[] = [];
    for (let pair = 0; pair < (quick ? 6 : PAIRS); pair++) {
      const order = pair % 2 === 0 ? [old, fresh] : [fresh, old];
      const cpuMs = new Map<Stepper, number>();
      for (const row of order) cpuMs.set(row, await block(row));
      ratios.push(cpuMs.get(old)! / cpuMs.get(fresh)!);
    }
    await old.close();
    await fresh.close();
    note('control: a small decoder that forgets nothing');
    const control = await growthOfControl();
    const ratio = ratioWithInterval(ratios);
    return [
      {
        name: 'Nano’s step after an hour over a fresh row’s',
        value: round(ratio.median),
        unit: 'ratio',
        baseline: { name: 'control: a small decoder that forgets nothing', value: round(control) },
        budget: RATIO_BUDGET,
        conditions: {
          n: ratios.length,
          interval95: [round(ratio.low), round(ratio.high)],
          turns,
          holds: control > CONTROL_GROWS,
        },
      },
      {
        name: 'RSS that an hour of micro-turns adds',
        value: round(theilSen(rssMb.slice(2).map((y, x) => ({ x, y }))).slope * PARTS, 2),
        unit: 'MB',
        baseline: { name: 'at its beginning', value: round(rssMb[0]!, 0) },
        conditions: { n: turns, rssMb: rssMb.map((mb) => round(mb, 1)) },
      },
    ];
  },
};

async function block({ step }: Stepper): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < STEPS_PER_BLOCK; i++) await step();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
