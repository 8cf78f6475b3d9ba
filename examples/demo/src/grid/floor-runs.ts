import type { Floor } from '@microturn/sdk';
import type { Cell } from './grid.js';

export interface FloorRun {
  /** Undefined where there was no line. */
  readonly floor: Floor | undefined;
  readonly from: number;
  /** Last micro-turn of the run. */
  readonly to: number;
}

/** Neighbouring cells with one floor, so that it is named once. */
export function floorRuns(cells: readonly Cell[]): FloorRun[] {
  const runs: FloorRun[] = [];
  for (const { floor, turn } of cells) {
    const run = runs.at(-1);
    if (run && run.floor === floor) runs[runs.length - 1] = { ...run, to: turn };
    else runs.push({ floor, from: turn, to: turn });
  }
  return runs;
}
