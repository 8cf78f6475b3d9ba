import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Benchmark, Figure } from './lib/benchmark.js';
import { engineOnMain, engineOnThread, type EngineLoad } from './lib/engine-load.js';
import { median, round } from './lib/stats.js';

/** What one engine thread carries with ease (`sessions-per-core`): with a small model and few rows, the control looks well too. */
const ROWS = 160;
/** What the monitor waits between its looks, which it counts as delay. */
const RESOLUTION_MS = 1;
const P99_BUDGET_MS = 5;
const MAX_BUDGET_MS = 20;

/**
 * What: how long the event loop of main is held up while the engine steps for 160 sessions, p99 and longest of each block,
 * and the share of its time in which main is busy; medians over the blocks.
 * How: a thread that posts 800 micro-turns a second as the media thread does; `monitorEventLoopDelay` on main, less the 1 ms
 * that it waits by itself, and `eventLoopUtilization`; blocks of 4 s in ABBA order. Main does nothing else here: signaling
 * adds to both alike. A neighbour that takes the core adds to both as well, to the longest most.
 * Against: the control, which must be worse: the same engine on main under the same load. Where it is not, `holds` is false.
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
    const figure = (what: 'p99' | 'max' | 'busy', name: string, unit: Figure['unit'], budget?: number): Figure => {
      const onThread = blocks.T.map((delay) => delay[what]);
      const onMain = blocks.M.map((delay) => delay[what]);
      return {
        name,
        value: round(median(onThread)),
        unit,
        baseline: { name: 'control: the engine on main', value: round(median(onMain)) },
        ...(budget !== undefined && { budget }),
        conditions: {
          n: blocks.T.length,
          holds: median(onMain) > median(onThread),
          rows: ROWS,
          onThread: onThread.map((each) => round(each)),
          onMain: onMain.map((each) => round(each)),
          decisions: blocks.T.map(({ decisions }) => decisions),
          decisionsOnMain: blocks.M.map(({ decisions }) => decisions),
        },
      };
    };
    return [
      figure('p99', 'main loop-delay p99', 'ms', P99_BUDGET_MS),
      figure('max', 'main loop-delay max', 'ms', MAX_BUDGET_MS),
      figure('busy', 'main busy', 'share'),
    ];
  },
};

interface Delay {
  readonly p99: number;
  readonly max: number;
  /** Share of the time. */
  readonly busy: number;
  readonly decisions: number;
}

async function measure(load: EngineLoad, ms: number): Promise<Delay> {
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  monitor.enable();
  const before = performance.eventLoopUtilization();
  const decisions = await load.run(ms);
  monitor.disable();
  const busy = performance.eventLoopUtilization(before).utilization;
  const delay = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  return { p99: delay(monitor.percentile(99)), max: delay(monitor.max), busy, decisions: decisions.length };
}
