import { loadBundle } from '../packages/edge/src/engine/bundle.js';
import type { Benchmark, Context, Figure } from './lib/benchmark.js';
import { engineOnThread } from './lib/engine-load.js';
import { Load } from './lib/load.js';
import { MeasuredEdge, total, used } from './lib/measured-edge.js';
import { bareSession, nanoBundle, speechLike } from './lib/steppers.js';
import { median, quantile, round, theilSen } from './lib/stats.js';

const BUDGET_SESSIONS = 40;
const STEPS = [0, 4, 8, 12];
const TURNS_PER_SECOND = 5;
const MICRO_TURN_MS = 200;
const ROWS = [40, 80, 160, 240];
const LATE_SHARE = 0.001;

/**
 * What: how many audio sessions one core carries.
 * How, measured: CPU time of the edge's threads and of the mediasoup worker with 0, 4, 8 and 12 libwebrtc callers who talk
 * all the time while their agents speak a quarter of it, new sentences every time; the Theil-Sen slope over sessions.
 * How, extrapolated: 1000 ms divided by that slope, as if the path stayed linear to a full core: an upper bound. To be on
 * time, a core is to be planned half full.
 * Measured besides: the engine thread alone in real time with 40 and more rows in phases of their own, whose lateness is
 * counted and not extrapolated; a step in which more than 0.1 % of the micro-turns come late ends it. Where the value is the
 * largest that was tried, more would have been on time.
 * Against: what the graph alone allows, by the bare runtime's CPU time in the same run. One process per session, as agents
 * on other stacks run, is not measured here yet.
 */
export const sessionsPerCore: Benchmark = {
  name: 'sessions-per-core',
  about: 'audio sessions that one core carries: CPU of the whole path, and the engine in real time',
  async run(context) {
    const bareMs = await bareRowMs();
    const ceiling = {
      name: 'the graph alone, by bare session.run at B=1',
      value: round(1000 / (bareMs * TURNS_PER_SECOND), 0),
    };
    return [...(await wholePath(context, ceiling, bareMs)), await engineAlone(context, ceiling)];
  },
};

async function wholePath({ quick, note }: Context, ceiling: Figure['baseline'], bareMs: number): Promise<Figure[]> {
  const runs = quick ? 1 : 3;
  const seconds = quick ? 4 : 10;
  const slopes: number[] = [];
  const shares: Record<string, number>[] = [];
  const curves: number[][] = [];
  for (let i = 0; i < runs; i++) {
    await using edge = await MeasuredEdge.start();
    await using load = await Load.start(edge);
    const points: { x: number; parts: Record<string, number> }[] = [];
    for (const sessions of STEPS) {
      note(`run ${i + 1} of ${runs}: ${sessions} sessions`);
      if (sessions > 0) await load.growTo(sessions);
      await load.settle(1_500);
      const before = await edge.cpuMs();
      const startMs = performance.now();
      await load.run(seconds * 1000);
      const elapsed = (performance.now() - startMs) / 1000;
      const parts = used(before, await edge.cpuMs());
      points.push({
        x: sessions,
        parts: Object.fromEntries(Object.entries(parts).map(([role, ms]) => [role, ms / elapsed])),
      });
    }
    const slopeOf = (of: (parts: Record<string, number>) => number) =>
      theilSen(points.map(({ x, parts }) => ({ x, y: of(parts) }))).slope;
    slopes.push(slopeOf(total));
    shares.push(
      Object.fromEntries(Object.keys(points.at(-1)!.parts).map((role) => [role, slopeOf((parts) => parts[role] ?? 0)])),
    );
    curves.push(points.map(({ parts }) => round(total(parts), 1)));
  }
  const slope = median(slopes);
  const byThread = Object.fromEntries(
    Object.keys(shares[0]!).map((role) => [
      role,
      round(median(shares.map((share) => share[role] ?? 0)) / TURNS_PER_SECOND),
    ]),
  );
  const conditions = { n: runs, sessions: STEPS, secondsPerStep: seconds, cpuMsPerSecond: curves };
  return [
    {
      name: 'CPU per micro-turn, whole path',
      value: round(slope / TURNS_PER_SECOND),
      unit: 'ms',
      baseline: { name: 'bare session.run, one row', value: round(bareMs) },
      conditions: { ...conditions, runs: slopes.map((each) => round(each / TURNS_PER_SECOND)), byThread },
    },
    {
      name: 'sessions-per-core, extrapolated',
      value: Math.floor(1000 / slope),
      unit: 'sessions',
      lowerIsBetter: false,
      baseline: ceiling,
      budget: BUDGET_SESSIONS,
      conditions: { ...conditions, atHalfACore: Math.floor(500 / slope), method: 'linear, from at most 12 sessions' },
    },
  ];
}

async function engineAlone({ quick, note }: Context, ceiling: Figure['baseline']): Promise<Figure> {
  let carried = 0;
  const steps: object[] = [];
  let turns = 0;
  for (const rows of quick ? ROWS.slice(0, 1) : ROWS) {
    note(`the engine thread with ${rows} rows`);
    const load = await engineOnThread(rows);
    const seconds = quick ? 3 : 10;
    const decisions = await load.run(seconds * 1000);
    await load.close();
    const lags = decisions.map(({ lagMs }) => lagMs);
    const expected = rows * TURNS_PER_SECOND * seconds;
    const late = lags.filter((ms) => ms > MICRO_TURN_MS).length / lags.length;
    // A micro-turn more or less at both ends; what is missing beyond that was dropped.
    const lost = Math.max(0, expected - rows - lags.length) / expected;
    turns += lags.length;
    steps.push({
      rows,
      lateShare: round(late, 5),
      lostShare: round(lost, 5),
      lagP50Ms: round(quantile(lags, 0.5), 1),
      lagP99Ms: round(quantile(lags, 0.99), 1),
    });
    if (late + lost > LATE_SHARE) break;
    carried = rows;
  }
  return {
    name: 'engine rows on time, one thread',
    value: carried,
    unit: 'sessions',
    lowerIsBetter: false,
    baseline: ceiling,
    budget: BUDGET_SESSIONS,
    conditions: { n: turns, lateAllowed: LATE_SHARE, largestTried: Math.max(...ROWS), steps },
  };
}

async function bareRowMs(): Promise<number> {
  const bare = await bareSession(await loadBundle(nanoBundle), 1, speechLike());
  const perStep: number[] = [];
  for (let block = 0; block < 12; block++) {
    const before = process.cpuUsage();
    for (let i = 0; i < 40; i++) await bare.step();
    const { user, system } = process.cpuUsage(before);
    if (block > 1) perStep.push((user + system) / 1000 / 40);
  }
  await bare.close();
  return median(perStep);
}
