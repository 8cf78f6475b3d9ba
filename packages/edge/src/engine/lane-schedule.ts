import type { GraphLanes } from './graph-lanes.js';
import type { HeardTurn } from './heard-turns.js';
import type { LaneRows, OpenRow } from './open-row.js';
import type { RowRecovery } from './row-recovery.js';
import type { MicroTurn } from './types.js';

/** Calls `run` once, `ms` from now; the result calls it off. */
export type After = (ms: number, run: () => void) => () => void;

export const afterTimeout: After = (ms, run) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

/** What rows of one lane hear in a step. */
export type Gathered = ReadonlyMap<number, { row: OpenRow; turn: MicroTurn }>;

export interface LaneScheduleParts {
  readonly lanes: GraphLanes;
  readonly recovery: RowRecovery;
  /** How long a lane waits for the micro-turns of its other rows. */
  readonly gatherMs: number;
  readonly after: After;
  /** One step of a lane, for the rows that have a micro-turn. */
  readonly step: (lane: LaneRows, gathered: Gathered) => Promise<void>;
}

/** When lanes step, and which of their rows do: one step of one lane at a time. */
export class LaneSchedule {
  readonly #lanes: GraphLanes;
  readonly #recovery: RowRecovery;
  readonly #gatherMs: number;
  readonly #after: After;
  readonly #step: LaneScheduleParts['step'];
  readonly #ready: LaneRows[] = [];
  #running = false;
  #idle: Promise<void> = Promise.resolve();

  constructor({ lanes, recovery, gatherMs, after, step }: LaneScheduleParts) {
    this.#lanes = lanes;
    this.#recovery = recovery;
    this.#gatherMs = gatherMs;
    this.#after = after;
    this.#step = step;
  }

  /** Settles when the steps that are ready have been taken. */
  get idle(): Promise<void> {
    return this.#idle;
  }

  /** Lets a lane step once all rows that it expects have a micro-turn, or the first has waited long enough for them. */
  consider(lane: LaneRows): void {
    if (lane.ready) return;
    let filled = 0;
    let missing = 0;
    for (const { waiting, expected, replay } of lane.rows.values()) {
      if (replay) continue;
      if (waiting.length > 0) filled++;
      else if (expected) missing++;
    }
    if (filled > 0 && missing > 0) {
      lane.stopWaiting ??= this.#after(this.#gatherMs, () => this.#makeReady(lane));
      return;
    }
    lane.stopWaiting?.();
    lane.stopWaiting = undefined;
    if (filled > 0) this.#makeReady(lane);
  }

  /** Takes the steps that there are: for a lane that is ready, or rows that hear again. */
  wake(): void {
    if (this.#running) return;
    this.#running = true;
    this.#idle = this.#run();
  }

  #makeReady(lane: LaneRows): void {
    lane.stopWaiting = undefined;
    lane.ready = true;
    this.#ready.push(lane);
    this.wake();
  }

  /**
   * Steps the lanes that are ready, in the order in which they became so; and while none is, rows that hear again, which
   * thus make another wait for one step at most. Steps never overlap.
   */
  async #run(): Promise<void> {
    try {
      for (;;) {
        const ready = this.#ready.shift();
        const replaying = ready ? undefined : this.#recovery.nextLane();
        if (ready) await this.#stepReady(ready);
        else if (replaying) await this.#stepReplay(replaying);
        else break;
      }
    } finally {
      this.#running = false;
    }
  }

  async #stepReady(lane: LaneRows): Promise<void> {
    const gathered = new Map<number, { row: OpenRow; turn: MicroTurn }>();
    for (const [index, row] of lane.rows) {
      if (row.replay) continue;
      const turn = row.waiting.shift();
      if (turn) gathered.set(index, { row, turn });
      else row.expected = false;
    }
    lane.ready = false;
    for (const [index, one] of gathered) {
      if (one.row.probation === 0) continue;
      gathered.delete(index);
      await this.#step(lane, new Map([[index, one]]));
    }
    if (gathered.size > 0) await this.#step(lane, gathered);
    this.consider(lane);
  }

  /** One step of rows that hear again what they have heard. */
  async #stepReplay(lane: LaneRows): Promise<void> {
    const again = new Map<number, { row: OpenRow; turn: HeardTurn }>();
    for (const [index, row] of lane.rows) {
      if (row.probation > 0 && again.size > 0) continue;
      const turn = this.#recovery.next(row);
      if (turn) again.set(index, { row, turn });
      if (turn && row.probation > 0) break;
    }
    const inputs = new Map([...again].map(([index, { turn }]) => [index, turn.inputs]));
    for (const result of inputs.size > 0 ? await this.#lanes.advance(lane, inputs) : []) {
      const { row, turn } = again.get(result.row)!;
      this.#recovery.heardAgain(row, turn, result.outputs);
    }
    this.consider(lane); // one that is done hears what has come meanwhile
  }
}
