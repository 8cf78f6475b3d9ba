import { getPriority, setPriority } from 'node:os';
import type { Benchmark, Figure } from './lib/benchmark.js';
import { Load } from './lib/load.js';
import { MeasuredEdge, type StationOf } from './lib/measured-edge.js';
import { threadTimes } from './lib/process-figures.js';
import { median, quantile, round } from './lib/stats.js';

const SESSIONS = 8;
const STEP_P99_BUDGET_MS = 5;

/**
 * What: the model's step in a live edge, p99, and what the engine thread waits for a core in each micro-turn, as the edge runs:
 * its media and engine threads before others, where it may.
 * How: one real edge, 8 libwebrtc callers on the same cores; blocks of 10 s in ABBA order, in which this script gives the two
 * threads the niceness of the others or leaves them as they are. What the kernel says of the engine thread (schedstat) tells
 * waiting from computing. Median of the blocks.
 * Against: the blocks without. Left out where the edge may not ask for it.
 */
export const threadPriority: Benchmark = {
  name: 'thread-priority',
  about: 'the step in a live edge, with its threads before others and without',
  async run({ quick, note }) {
    await using edge = await MeasuredEdge.start({ path: true });
    await using load = await Load.start(edge);
    await load.growTo(SESSIONS);
    const threads = new Map(
      (await edge.stations()).flatMap((station) =>
        station.is === 'thread' ? [[station.role, station.tid] as const] : [],
      ),
    );
    const engine = threads.get('engine')!;
    const urgent = [engine, threads.get('media')!];
    const favoured = getPriority(engine);
    if (favoured >= 0) {
      note('left out: the edge may not raise its threads here (root, CAP_SYS_NICE or RLIMIT_NICE)');
      return [];
    }
    await load.run(quick ? 1_000 : 4_000);

    const order = quick ? 'FN' : 'FNNFFNNF';
    const blocks = { F: [] as Block[], N: [] as Block[] };
    for (const [i, kind] of [...order].entries()) {
      note(`block ${i + 1} of ${order.length}: ${kind === 'F' ? 'before others' : 'like others'}`);
      for (const tid of urgent) setPriority(tid, kind === 'F' ? favoured : 0);
      const fromMs = Number(process.hrtime.bigint()) / 1e6;
      const before = threadTimes(edge.process.pid).get(engine)!;
      await load.run(quick ? 2_000 : 10_000);
      const after = threadTimes(edge.process.pid).get(engine)!;
      const decisions = (await edge.stations()).filter(
        (station): station is StationOf<'decision'> => station.is === 'decision' && station.atMs >= fromMs,
      );
      blocks[kind as 'F' | 'N'].push({
        turns: decisions.length,
        stepP99Ms: quantile(
          decisions.map(({ stepMs }) => stepMs),
          0.99,
        ),
        lagP99Ms: quantile(
          decisions.map(({ lagMs }) => lagMs),
          0.99,
        ),
        cpuMs: (after.cpuMs - before.cpuMs) / decisions.length,
        waitMs: (after.waitMs - before.waitMs) / decisions.length,
      });
    }
    const of = (kind: 'F' | 'N', what: keyof Block) => round(median(blocks[kind].map((block) => block[what])), 2);
    const figure = (name: string, what: keyof Block, budget?: number): Figure => ({
      name,
      value: of('F', what),
      unit: 'ms',
      baseline: { name: 'its threads like all others', value: of('N', what) },
      ...(budget !== undefined && { budget }),
      conditions: {
        n: blocks.F.reduce((sum, { turns }) => sum + turns, 0),
        blocks: blocks.F.length,
        sessions: SESSIONS,
        niceness: favoured,
        engineCpuMsPerTurn: of('F', 'cpuMs'),
      },
    });
    return [
      figure('engine-step, its thread before others, p99', 'stepP99Ms', STEP_P99_BUDGET_MS),
      figure('engine-thread lag, before others, p99', 'lagP99Ms'),
      figure('engine thread’s wait for a core per micro-turn', 'waitMs'),
    ];
  },
};

interface Block {
  readonly turns: number;
  readonly stepP99Ms: number;
  readonly lagP99Ms: number;
  readonly cpuMs: number;
  readonly waitMs: number;
}
