import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Benchmark, Figure } from './lib/benchmark.js';
import { engineOnMain, engineOnThread, type EngineLoad } from './lib/engine-load.js';
import { median, round } from './lib/stats.js';

const ROWS = 40;
/** What the monitor waits between its looks, which it counts as delay. */
const RESOLUTION_MS = 1;
const P99_BUDGET_MS = 5;
const MAX_BUDGET_MS = 20;

/**
 * What: how long the event loop of main is held up while the engine steps for 40 sessions: p99 and longest, of each block,
 * median over the blocks.
 * How: a thread that posts 200 micro-turns a second as the media thread does; `monitorEventLoopDelay` on main, less the 1 ms
 * that it waits by itself; blocks of 4 s in ABBA order. Main does nothing else here: signaling adds to both alike.
 * Against: the control, which must be worse: the same engine on main under the same load.
 */
export const loopDelay: Benchmark = {
  name: 'loop-delay',
  about: 'event-loop delay of main, engine on its thread against engine on main',
  async run({ quick, note }) {
    const order = quick ? 'TM' : 'TMMTTMMT';
    const blocks = { T: [] as Delay[], M: [] as Delay[] };
    for (const [i, kind] of [...order].entries()) {
      note(`block ${i + 1} of ${order.length}: engine on ${kind === 'T' ? 'its thread' : 'main'}`);
      const load = await (kind === 'T' ? engineOnThread(ROWS) : engineOnMain(ROWS));
      blocks[kind as 'T' | 'M'].push(await measure(load, quick ? 2_000 : 4_000));
      await load.close();
    }
    const figure = (what: 'p99' | 'max', budget: number): Figure => ({
      name: `main loop-delay ${what}`,
      value: round(median(blocks.T.map((delay) => delay[what]))),
      unit: 'ms',
      baseline: { name: 'control: the engine on main', value: round(median(blocks.M.map((delay) => delay[what]))) },
      budget,
      conditions: {
        n: blocks.T.length,
        rows: ROWS,
        onThread: blocks.T.map((delay) => round(delay[what])),
        onMain: blocks.M.map((delay) => round(delay[what])),
        decisions: blocks.T.map(({ decisions }) => decisions),
        decisionsOnMain: blocks.M.map(({ decisions }) => decisions),
      },
    });
    return [figure('p99', P99_BUDGET_MS), figure('max', MAX_BUDGET_MS)];
  },
};

interface Delay {
  readonly p99: number;
  readonly max: number;
  readonly decisions: number;
}

async function measure(load: EngineLoad, ms: number): Promise<Delay> {
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  monitor.enable();
  const decisions = await load.run(ms);
  monitor.disable();
  const delay = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  return { p99: delay(monitor.percentile(99)), max: delay(monitor.max), decisions: decisions.length };
}
