import { loadBundle } from '../packages/edge/src/engine/bundle.js';
import type { Benchmark } from './lib/benchmark.js';
import { Load } from './lib/load.js';
import type { TurnLag } from './lib/load-messages.js';
import { copyMsPerByte } from './lib/machine.js';
import { MeasuredEdge } from './lib/measured-edge.js';
import { nanoBundle } from './lib/steppers.js';
import { median, quantile, round, spread } from './lib/stats.js';

const SESSIONS = 8;
const STEP_P99_BUDGET_MS = 5;

/**
 * What: from the end of a micro-turn to its decision on main, p50 and p99; and the model's step in it, which takes longer
 * than in the tight loop of `engine-step`: between two steps other work takes the caches that the weights were in.
 * How: a real edge and 8 libwebrtc callers; every fifth micro-turn of each session sends `stats` from its decision, and that
 * event's place on the session clock, past the last multiple of 200 ms, is the lag. The late share is of all micro-turns.
 * Against: the model's own step in those micro-turns, p50: the lag cannot be shorter. The step against a physical limit: its
 * weights read once from memory, at the speed of a copy in this run.
 */
export const turnLag: Benchmark = {
  name: 'turn-lag',
  about: 'from the end of a micro-turn to its decision on main: p50 and p99',
  async run({ quick, note }) {
    const runs = quick ? 1 : 3;
    const lags: TurnLag[] = [];
    let turns = 0;
    let late = 0;
    for (let i = 0; i < runs; i++) {
      note(`run ${i + 1} of ${runs}`);
      await using edge = await MeasuredEdge.start();
      await using load = await Load.start(edge);
      await load.growTo(SESSIONS);
      lags.push(...(await load.run(quick ? 6_000 : 20_000)).lags);
      const metrics = await edge.process.metrics();
      turns += metrics.get('microturn_turns_total') ?? 0;
      late += metrics.get('microturn_turns_late_total') ?? 0;
    }
    const mainMs = lags.map((lag) => lag.mainMs);
    const stepMs = lags.map((lag) => lag.stepMs);
    const baseline = { name: 'the step itself, p50', value: round(median(stepMs)) };
    const weights = { name: 'its weights read once from memory', value: round(await weightsMs()) };
    const conditions = {
      n: lags.length,
      runs,
      sessions: SESSIONS,
      engineThreadMs: spread(lags.map(({ engineMs }) => engineMs)),
      threadToMainMs: spread(lags.map((lag) => lag.mainMs - lag.engineMs)),
      turns,
      lateTurns: late,
    };
    return [
      { name: 'micro-turn-lag p50', value: round(median(mainMs)), unit: 'ms', baseline, conditions },
      { name: 'micro-turn-lag p99', value: round(quantile(mainMs, 0.99)), unit: 'ms', baseline, conditions },
      {
        name: 'engine-step in a live edge p50',
        value: round(median(stepMs)),
        unit: 'ms',
        baseline: weights,
        conditions,
      },
      {
        name: 'engine-step in a live edge p99',
        value: round(quantile(stepMs, 0.99)),
        unit: 'ms',
        baseline: weights,
        budget: STEP_P99_BUDGET_MS,
        conditions,
      },
    ];
  },
};

/** Reading alone takes half of a copy. */
async function weightsMs(): Promise<number> {
  const { manifest, files } = await loadBundle(nanoBundle);
  return copyMsPerByte() * files.get(manifest.graph.file)!.length * 0.5;
}
