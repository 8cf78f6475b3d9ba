/** Decisions are counted by the second, for this many: what was before says nothing of now. */
const WINDOW_S = 10;
/** Late ones in a window that make no trend: a pause of the machine. */
const FORGIVEN = 2;
/**
 * How long an edge that fell behind lets no more in than it could serve, before it tries again: the longer, the more of the
 * last seconds had a late micro-turn. A minute where all had.
 */
const HOLD_MS = 20_000;
const HOLD_PER_SECOND_MS = 4_000;
/** Lags are counted in bins of a fiftieth of a micro-turn, up to two micro-turns. */
const BINS = 100;
const BINS_PER_TURN = 50;

export interface AdmissionBounds {
  /** Share of micro-turns that may be late. */
  readonly lateShare: number;
  /** What the 99th percentile of the lag may be, as a share of the micro-turn. */
  readonly lagShare: number;
  /** Share of the micro-turn that steps may take for one more to be let in before all of them were measured. */
  readonly busyShare: number;
}

export const defaultBounds: AdmissionBounds = { lateShare: 0.01, lagShare: 0.6, busyShare: 0.7 };

/** How a micro-turn was decided. */
export interface Timing {
  /** After its end, ms. */
  readonly lagMs: number;
  /** The step, ms; absent or 0 where it was passed over. */
  readonly stepMs?: number;
  /** Rows that shared the step. */
  readonly stepRows?: number | undefined;
}

interface Second {
  at: number;
  total: number;
  late: number;
  /** Micro-turns that were stepped, and what that took. */
  stepped: number;
  stepMs: number;
  readonly lags: Uint32Array;
}

/**
 * Whether one engine thread takes another lease, by how it keeps time with those it has: no figure of a machine's speed
 * is asked for, or believed. One that falls behind closes, and remembers how many leases were too many.
 *
 * What a lease takes shows only once it steps, and in a storm a hundred more are asked for until then. So each is counted at
 * what a step takes: while those that there are fit, one more may come, and where all of them have stepped, it may in any case.
 */
export class Admission {
  readonly #microTurnMs: number;
  readonly #bounds: AdmissionBounds;
  readonly #laneSize: number;
  readonly #seconds: Second[];
  #capacity = Infinity;
  #heldUntilMs = 0;

  constructor(microTurnMs: number, { bounds = defaultBounds, laneSize = 1 } = {}) {
    this.#microTurnMs = microTurnMs;
    this.#bounds = bounds;
    this.#laneSize = laneSize;
    this.#seconds = Array.from({ length: WINDOW_S }, () => ({
      at: -1,
      total: 0,
      late: 0,
      stepped: 0,
      stepMs: 0,
      lags: new Uint32Array(BINS),
    }));
  }

  /** A decision came. */
  note({ lagMs, stepMs = 0, stepRows = 1 }: Timing, nowMs: number): void {
    const at = Math.floor(nowMs / 1000);
    const second = this.#seconds[at % WINDOW_S]!;
    if (second.at !== at) {
      second.at = at;
      second.total = second.late = second.stepped = second.stepMs = 0;
      second.lags.fill(0);
    }
    second.total++;
    if (lagMs > this.#microTurnMs) second.late++;
    if (stepMs > 0) {
      second.stepped++;
      second.stepMs += stepMs / stepRows;
    }
    const bin = Math.floor((Math.max(0, lagMs) / this.#microTurnMs) * BINS_PER_TURN);
    second.lags[Math.min(BINS - 1, bin)]!++;
  }

  /**
   * Leases that the thread keeps time with, as far as was measured: `Infinity` where nothing was.
   * @param leases  that it has now
   * @param stepped of them, those that have stepped
   */
  capacity(leases: number, stepped: number, nowMs: number): number {
    // Those of one lane share a step, so its first says little of what the next adds.
    const fit = Math.max(this.#laneSize, Math.max(this.#fit(nowMs), stepped) + 1);
    return Math.min(this.#keptTimeWith(leases, nowMs), fit);
  }

  #keptTimeWith(leases: number, nowMs: number): number {
    if (this.#behind(nowMs)) {
      // While it stays behind it has too many, however many they are now. One caller is always worth a try.
      this.#capacity = Math.max(1, Math.min(this.#heldUntilMs > nowMs ? this.#capacity : Infinity, leases - 1));
      const lateSeconds = this.#recent(nowMs).filter(({ late }) => late > 0).length;
      this.#heldUntilMs = Math.max(this.#heldUntilMs, nowMs + HOLD_MS + lateSeconds * HOLD_PER_SECOND_MS);
    } else if (nowMs >= this.#heldUntilMs) {
      this.#capacity = Infinity;
    }
    return this.#capacity;
  }

  /** How it kept time in the last seconds: the share that was late, and the 99th percentile of the lag. */
  lateness(nowMs: number): { late: number; lateShare: number; lagP99Ms: number } {
    const recent = this.#recent(nowMs);
    const total = recent.reduce((sum, second) => sum + second.total, 0);
    const late = recent.reduce((sum, second) => sum + second.late, 0);
    if (total === 0) return { late: 0, lateShare: 0, lagP99Ms: 0 };
    let bin = BINS - 1;
    for (let above = 0; bin > 0; bin--) {
      above += recent.reduce((sum, { lags }) => sum + lags[bin]!, 0);
      if (above > Math.max(FORGIVEN, total * 0.01)) break;
    }
    return { late, lateShare: late / total, lagP99Ms: ((bin + 1) / BINS_PER_TURN) * this.#microTurnMs };
  }

  /** Leases whose steps fit into a micro-turn by what one took in the median second: `Infinity` where none was taken. */
  #fit(nowMs: number): number {
    const rowMs = this.#recent(nowMs)
      .flatMap(({ stepped, stepMs }) => (stepped > 0 ? stepMs / stepped : []))
      .sort((a, b) => a - b);
    if (rowMs.length === 0) return Infinity;
    // Of two seconds the faster one: nothing makes a step faster than it is.
    return Math.floor((this.#bounds.busyShare * this.#microTurnMs) / rowMs[Math.floor((rowMs.length - 1) / 2)]!);
  }

  #behind(nowMs: number): boolean {
    const { late, lateShare, lagP99Ms } = this.lateness(nowMs);
    if (late > FORGIVEN && lateShare > this.#bounds.lateShare) return true;
    return lagP99Ms > this.#bounds.lagShare * this.#microTurnMs;
  }

  #recent(nowMs: number): Second[] {
    const now = Math.floor(nowMs / 1000);
    return this.#seconds.filter(({ at }) => at > now - WINDOW_S && at <= now);
  }
}
