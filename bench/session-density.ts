import { freemem } from 'node:os';
import type { Benchmark, Context, Figure } from './lib/benchmark.js';
import type { DensityReport } from './lib/density-messages.js';
import { contention } from './lib/machine.js';
import { SessionProcess } from './lib/session-process.js';
import { median, round } from './lib/stats.js';

const CORE = 0;
const LANES = [1, 8, 32];
/** For CPU and memory: full lanes of each size, and as many processes as show what one takes. */
const ROWS = 32;
const PROCESSES = 8;
const CPU_WINDOWS = 3;
const CPU_WINDOW_MS = 4_000;
/** For the count: where it begins, and how far it goes. */
const ROWS_RANGE = { first: 64, most: 1024 };
const PROCESSES_RANGE = { first: 16, most: 192 };
const LATE_SHARE = 0.001;
const LATE_WINDOW_MS = 6_000;
const SETTLE_MS = 1_000;
/** It ends where the least that was late is so little above the most that was on time. */
const RESOLUTION = 0.06;
/** Above this the core is somebody else's too, and a count says as much of them. */
const CONTENTION = 1.3;
/** Of the memory that is free; processes take it by the hundred MB. */
const MEMORY_SHARE = 0.6;
const MICRO_TURN_MS = 200;
const MB = 1e6;

/**
 * What: CPU of a session's micro-turn, and memory per session; and, where the core is free, the sessions that it carries
 * to 0.1 % late micro-turns, counted in real time.
 * How: processes that may run on core 0 only, each with the model, its rows and a timer that pushes micro-turns when they
 * are due. In one process with lanes of 1, 8 and 32; then in a process for each session, as agents on other stacks run,
 * which have WebRTC and sockets besides. The count: twice as many sessions each time, until in two windows of 6 s after one
 * another more than 0.1 % come late, then halfway between what was late and what was not, to 6 %.
 * Against: the process for each session, same program, same core, same run. `coreAlone` is for how many the CPU of a whole
 * core would do. Memory is PSS: what processes share counts once.
 */
export const sessionDensity: Benchmark = {
  name: 'session-density',
  about: 'CPU of a session, and sessions on one core to 0.1 % late: lanes in one process, against a process for each',
  async run(context) {
    const lanes = context.quick ? [8] : LANES;
    const shared: (Cost & { readonly laneSize: number })[] = [];
    for (const laneSize of lanes) {
      shared.push({ laneSize, ...(await inOne(laneSize, ROWS, (carrier) => costOf(context, carrier, ROWS))) });
    }
    const apart = await inMany((carrier) => costOf(context, carrier, PROCESSES));
    const figures = shared.flatMap(({ laneSize, ...cost }): Figure[] => [
      {
        name: `CPU of a session's micro-turn, lanes of ${laneSize}`,
        value: round(cost.cpuMs, 2),
        unit: 'ms',
        baseline: { name: 'a process for each session', value: round(apart.cpuMs, 2) },
        conditions: { ...conditionsOf(cost), apart: conditionsOf(apart) },
      },
      {
        name: `memory per session, lanes of ${laneSize} in one process`,
        value: round(cost.mbPerSession, 2),
        unit: 'MB',
        baseline: { name: 'a process for each session', value: round(apart.mbPerSession, 1) },
        conditions: { n: ROWS, memory: 'PSS', apartSessions: PROCESSES },
      },
    ]);
    const seen = contention();
    if (context.quick || seen > CONTENTION) {
      context.note(`not counted in real time: ${context.quick ? 'quick' : `the core is not free (${seen})`}`);
      return figures;
    }
    const processes = await inMany((carrier) => count(context, 'processes', PROCESSES_RANGE, carrier));
    for (const laneSize of lanes) {
      const search = (carrier: Carrier) => count(context, `lanes of ${laneSize}`, ROWS_RANGE, carrier);
      const counted = await inOne(laneSize, ROWS_RANGE.most, search);
      figures.push({
        name: `sessions on one core, lanes of ${laneSize}`,
        value: counted.sessions,
        unit: 'sessions',
        lowerIsBetter: false,
        baseline: { name: 'a process for each session', value: processes.sessions },
        conditions: { n: counted.turns, lateAllowed: LATE_SHARE, ...counted, apart: processes },
      });
    }
    return figures;
  },
};

interface Carrier {
  /** False where there is no memory for so many. */
  carry(sessions: number): Promise<boolean>;
  measure(ms: number): Promise<DensityReport>;
  pssBytes(): number;
}

async function inOne<T>(laneSize: number, rows: number, use: (carrier: Carrier) => Promise<T>): Promise<T> {
  using all = await SessionProcess.start(CORE, rows, laneSize, 0);
  return await use({
    carry: async (sessions) => {
      await all.carry(sessions);
      return true;
    },
    measure: (ms) => all.measure(ms),
    pssBytes: () => all.pssBytes,
  });
}

async function inMany<T>(use: (carrier: Carrier) => Promise<T>): Promise<T> {
  const processes: SessionProcess[] = [];
  let carried = 0;
  try {
    return await use({
      carry: async (sessions) => {
        while (processes.length < sessions) {
          const [one] = processes;
          if (one && (sessions - processes.length) * one.pssBytes > MEMORY_SHARE * freemem()) return false;
          const phaseMs = (processes.length * 0.618 * MICRO_TURN_MS) % MICRO_TURN_MS;
          processes.push(await SessionProcess.start(CORE, 1, 1, phaseMs));
        }
        for (const [i, each] of processes.entries()) await each.carry(i < sessions ? 1 : 0);
        carried = sessions;
        return true;
      },
      measure: async (ms) => {
        const reports = await Promise.all(processes.slice(0, carried).map((each) => each.measure(ms)));
        const sum = (of: (report: DensityReport) => number) => reports.reduce((total, report) => total + of(report), 0);
        return {
          turns: sum(({ turns }) => turns),
          late: sum(({ late }) => late),
          cpuMs: sum(({ cpuMs }) => cpuMs),
          lagP99Ms: Math.max(...reports.map(({ lagP99Ms }) => lagP99Ms)),
        };
      },
      pssBytes: () => processes.slice(0, carried).reduce((sum, { pssBytes }) => sum + pssBytes, 0),
    });
  } finally {
    for (const each of processes) each[Symbol.dispose]();
  }
}

interface Cost {
  /** Of one micro-turn of one session, by the median window. */
  readonly cpuMs: number;
  readonly windowsCpuMs: readonly number[];
  readonly turns: number;
  readonly mbPerSession: number;
}

async function costOf({ quick }: Context, carrier: Carrier, sessions: number): Promise<Cost> {
  await carrier.carry(sessions);
  await carrier.measure(SETTLE_MS);
  const windows: DensityReport[] = [];
  for (let i = 0; i < CPU_WINDOWS; i++) windows.push(await carrier.measure(quick ? 1_000 : CPU_WINDOW_MS));
  const windowsCpuMs = windows.map(({ cpuMs, turns }) => cpuMs / turns);
  return {
    cpuMs: median(windowsCpuMs),
    windowsCpuMs,
    turns: windows.reduce((sum, { turns }) => sum + turns, 0),
    mbPerSession: carrier.pssBytes() / sessions / MB,
  };
}

function conditionsOf({ cpuMs, windowsCpuMs, turns }: Cost) {
  return {
    n: turns,
    windowsMs: windowsCpuMs.map((ms) => round(ms, 2)),
    coreAlone: Math.floor(MICRO_TURN_MS / cpuMs),
  };
}

interface Counted {
  /** The most that were on time. */
  readonly sessions: number;
  readonly endedBy: 'lateness' | 'memory' | 'the largest number that is tried';
  readonly turns: number;
  readonly windows: readonly object[];
}

async function count(
  { note }: Context,
  what: string,
  range: { readonly first: number; readonly most: number },
  carrier: Carrier,
): Promise<Counted> {
  const windows: object[] = [];
  let turns = 0;
  const measure = async (sessions: number) => {
    const { late, lagP99Ms, cpuMs, ...seen } = await carrier.measure(LATE_WINDOW_MS);
    turns += seen.turns;
    const lateShare = round(late / seen.turns, 5);
    windows.push({ sessions, lateShare, lagP99Ms: round(lagP99Ms, 1), busy: round(cpuMs / LATE_WINDOW_MS, 2) });
    return lateShare <= LATE_SHARE;
  };
  let onTime = 0;
  /** The least that is too many. */
  let tooMany = range.most + 1;
  let endedBy: Counted['endedBy'] = 'the largest number that is tried';
  for (let sessions = range.first; sessions < tooMany && sessions > onTime;) {
    note(`${what}: ${sessions} sessions`);
    const fits = await carrier.carry(sessions);
    if (fits) await carrier.measure(SETTLE_MS);
    // A pause of the machine may spoil one window, and not two.
    if (fits && ((await measure(sessions)) || (await measure(sessions)))) onTime = sessions;
    else {
      tooMany = sessions;
      endedBy = fits ? 'lateness' : 'memory';
    }
    if (tooMany > range.most) sessions = Math.min(range.most, 2 * sessions);
    else if (tooMany - onTime > RESOLUTION * tooMany) sessions = Math.round((onTime + tooMany) / 2);
    else break;
  }
  return { sessions: onTime, endedBy, turns, windows };
}
