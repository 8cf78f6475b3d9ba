import { loadBundle } from '../packages/edge/src/engine/bundle.js';
import type { Benchmark } from './lib/benchmark.js';
import { Load } from './lib/load.js';
import { MeasuredEdge } from './lib/measured-edge.js';
import { nanoBundle } from './lib/steppers.js';
import { median, round, theilSen } from './lib/stats.js';

const BUDGET_MB = 6;
const STEPS = [0, 4, 8, 12];
const SETTLE_MS = 6_000;
const READINGS = 8;
const MB = 1e6;

/**
 * What: resident memory that one audio session adds to the edge and its mediasoup worker.
 * How: a fresh edge in each run, warmed up by one call's worth of speech; 0, 4, 8 and 12 libwebrtc callers; the Theil-Sen
 * slope of resident memory over sessions, median of the runs. V8 grows its heap when it sees fit: one run says little.
 * Against: what a session cannot do without: its row's model states, twice, since a step reads one set and writes the other.
 */
export const rssPerSession: Benchmark = {
  name: 'rss-per-session',
  about: 'resident memory of edge and worker per audio session',
  async run({ quick, note }) {
    const runs = quick ? 1 : 3;
    const slopes: number[] = [];
    const curves: number[][] = [];
    for (let i = 0; i < runs; i++) {
      await using edge = await MeasuredEdge.start();
      const points: { x: number; y: number }[] = [];
      {
        // What is loaded with the first call is not a session's.
        await using first = await Load.start(edge);
        await first.growTo(1);
        await first.run(3_000);
      }
      await using load = await Load.start(edge);
      for (const sessions of STEPS) {
        note(`run ${i + 1} of ${runs}: ${sessions} sessions`);
        if (sessions > 0) await load.growTo(sessions);
        await load.run(quick ? 2_000 : SETTLE_MS);
        const readings: number[] = [];
        for (let k = 0; k < READINGS; k++) {
          readings.push(edge.rssBytes() / MB);
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        points.push({ x: sessions, y: median(readings) });
      }
      slopes.push(theilSen(points).slope);
      curves.push(points.map(({ y }) => round(y, 1)));
    }
    return [
      {
        name: 'rss-per-session',
        value: round(median(slopes), 2),
        unit: 'MB',
        baseline: { name: 'model states of one row, twice', value: round((2 * (await stateBytes())) / MB, 3) },
        budget: BUDGET_MB,
        conditions: {
          n: runs,
          slopes: slopes.map((slope) => round(slope, 2)),
          sessions: STEPS,
          rssMb: curves,
          settleMs: quick ? 2_000 : SETTLE_MS,
        },
      },
    ];
  },
};

async function stateBytes(): Promise<number> {
  const { manifest } = await loadBundle(nanoBundle);
  const numbers = manifest.states.map(({ shape }) =>
    (shape.slice(1) as number[]).reduce((product, size) => product * size, 1),
  );
  return 4 * numbers.reduce((sum, count) => sum + count, 0);
}
