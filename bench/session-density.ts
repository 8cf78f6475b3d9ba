import { freemem } from 'node:os';
import type { Benchmark, Context, Figure } from './lib/benchmark.js';
import type { DensityReport } from './lib/density-messages.js';
import { SessionProcess } from './lib/session-process.js';
import { round } from './lib/stats.js';

const CORE = 0;
const MICRO_TURN_MS = 200;
const LATE_SHARE = 0.001;
const ROWS = [32, 64, 128, 192, 256, 320, 384, 448, 512, 640, 768, 1024];
const PROCESSES = [4, 8, 16, 24, 32, 48, 64, 96, 128];
/** Of the memory that is free; processes take it by the hundred MB. */
const MEMORY_SHARE = 0.6;
const MB = 1e6;

/**
 * What: sessions that the model carries on one core to 0.1 % late micro-turns, counted in real time and not extrapolated;
 * memory per session.
 * How: processes that may run on core 0 only, each with the model, its rows and a timer that pushes micro-turns when they
 * are due; more and more sessions, until in two windows of 8 s after one another more than 0.1 % come late. In one process
 * with lanes of 1, 8 and 32; then in a process for each session, as agents on other stacks run, which have WebRTC and
 * sockets besides. The harness itself has nothing to do meanwhile.
 * Against: the process for each session, same program, same core, same run. Memory is PSS: what processes share counts once.
 */
export const sessionDensity: Benchmark = {
  name: 'session-density',
  about: 'sessions on one core, to 0.1 % late: lanes in one process, against a process for each session',
  async run(context) {
    const shared = new Map<number, Carried>();
    for (const laneSize of context.quick ? [8] : [1, 8, 32]) shared.set(laneSize, await inOne(context, laneSize));
    const apart = await inMany(context);
    const figures = [...shared].map(([laneSize, carried]): Figure => ({
      name: `sessions on one core, lanes of ${laneSize}`,
      value: carried.sessions,
      unit: 'sessions',
      lowerIsBetter: false,
      baseline: { name: 'a process for each session', value: apart.sessions },
      conditions: {
        n: carried.turns,
        lateAllowed: LATE_SHARE,
        endedBy: carried.endedBy,
        windows: carried.windows,
        apart: { endedBy: apart.endedBy, windows: apart.windows },
      },
    }));
    const lanes = shared.get(8)!;
    return [
      ...figures,
      {
        name: 'memory per session, lanes of 8 in one process',
        value: round(lanes.mbPerSession, 2),
        unit: 'MB',
        baseline: { name: 'a process for each session', value: round(apart.mbPerSession, 1) },
        conditions: { n: lanes.sessions, memory: 'PSS', apartSessions: apart.sessions },
      },
    ];
  },
};

interface Carried {
  /** The most that were on time. */
  readonly sessions: number;
  readonly endedBy: 'lateness' | 'memory' | 'the largest number that is tried';
  readonly mbPerSession: number;
  readonly turns: number;
  readonly windows: readonly object[];
}

async function inOne(context: Context, laneSize: number): Promise<Carried> {
  const levels = context.quick ? [8] : ROWS;
  using all = await SessionProcess.start(CORE, levels.at(-1)!, laneSize, 0);
  return await carry(context, `lanes of ${laneSize}`, levels, {
    grow: async (sessions) => {
      await all.grow(sessions);
      return true;
    },
    measure: (ms) => all.measure(ms),
    pssBytes: () => all.pssBytes,
  });
}

async function inMany(context: Context): Promise<Carried> {
  const processes: SessionProcess[] = [];
  const carrier: Carrier = {
    grow: async (sessions) => {
      while (processes.length < sessions) {
        const [one] = processes;
        if (one && (sessions - processes.length) * one.pssBytes > MEMORY_SHARE * freemem()) return false;
        const phaseMs = (processes.length * 0.618 * MICRO_TURN_MS) % MICRO_TURN_MS;
        const started = await SessionProcess.start(CORE, 1, 1, phaseMs);
        processes.push(started);
        await started.grow(1);
      }
      return true;
    },
    measure: async (ms) => {
      const reports = await Promise.all(processes.map((each) => each.measure(ms)));
      const sum = (of: (report: DensityReport) => number) => reports.reduce((total, report) => total + of(report), 0);
      return {
        turns: sum(({ turns }) => turns),
        late: sum(({ late }) => late),
        cpuMs: sum(({ cpuMs }) => cpuMs),
        lagP99Ms: Math.max(...reports.map(({ lagP99Ms }) => lagP99Ms)),
      };
    },
    pssBytes: () => processes.reduce((sum, { pssBytes }) => sum + pssBytes, 0),
  };
  try {
    return await carry(context, 'processes', context.quick ? [2] : PROCESSES, carrier);
  } finally {
    for (const each of processes) each[Symbol.dispose]();
  }
}

interface Carrier {
  /** False where there is no memory for so many. */
  grow(sessions: number): Promise<boolean>;
  measure(ms: number): Promise<DensityReport>;
  pssBytes(): number;
}

async function carry(
  { quick, note }: Context,
  what: string,
  levels: readonly number[],
  carrier: Carrier,
): Promise<Carried> {
  const ms = quick ? 1_500 : 8_000;
  const windows: object[] = [];
  let carried = { sessions: 0, mbPerSession: 0 };
  let turns = 0;
  let endedBy: Carried['endedBy'] = 'the largest number that is tried';
  for (const sessions of levels) {
    note(`${what}: ${sessions} sessions`);
    if (!(await carrier.grow(sessions))) {
      endedBy = 'memory';
      break;
    }
    await carrier.measure(1_000); // settles
    let onTime = false;
    // A pause of the machine may spoil one window, and not two.
    for (let attempt = 0; attempt < 2 && !onTime; attempt++) {
      const report = await carrier.measure(ms);
      const lateShare = report.late / report.turns;
      onTime = lateShare <= LATE_SHARE;
      turns += report.turns;
      windows.push({
        sessions,
        lateShare: round(lateShare, 5),
        lagP99Ms: round(report.lagP99Ms, 1),
        busy: round(report.cpuMs / ms, 2),
      });
    }
    if (!onTime) {
      endedBy = 'lateness';
      break;
    }
    carried = { sessions, mbPerSession: carrier.pssBytes() / sessions / MB };
  }
  return { ...carried, endedBy, turns, windows };
}
