import type { StepGraph } from './graph.js';
import { HostStates } from './host-states.js';
import { finite, LaneInputs, type LaneStates, type RowInputs, type RowResult } from './lane-io.js';
import type { Manifest } from './manifest.js';

/**
 * Rows that step together: gather, step, scatter. Where their states are is the graph's choice: in the process's memory,
 * or on a device.
 *
 * A row that is not in a step keeps its state exactly, whether or not the graph has an `active` input. A cleared row
 * begins its next step from zero states with `reset` at 1.
 */
export class Lane {
  readonly rows: number;
  readonly #inputs: LaneInputs;
  readonly #states: LaneStates;
  readonly #cleared: Uint8Array;
  /** Copies that rows go on from once the step is over which is running. */
  readonly #toRestore = new Map<number, Float32Array>();
  #stepping = false;

  constructor(graph: StepGraph, manifest: Manifest, rows: number) {
    this.rows = rows;
    this.#inputs = new LaneInputs(manifest, rows);
    this.#states = graph.createStates?.(this.#inputs) ?? new HostStates(graph, manifest, this.#inputs);
    this.#cleared = new Uint8Array(rows).fill(1);
  }

  /** Forgets what a row has heard. Takes effect at the lane's next step, and wins over everything else in it. */
  clear(row: number): void {
    this.#cleared[row] = 1;
    this.#toRestore.delete(row);
  }

  /** Copies a row's states, where they can be copied. @returns false where `into` was not written */
  read(row: number, into: Float32Array): boolean {
    if (!this.#states.copies || this.#cleared[row]) return false;
    this.#states.copies.read(row, into);
    return true;
  }

  /**
   * Has a row go on from states that were copied, in the lane's next step.
   * @returns false, and nothing changes, where they are not finite, or cannot be written
   */
  restore(row: number, from: Float32Array): boolean {
    if (!this.#states.copies || !finite(from)) return false;
    if (this.#stepping) {
      // What the running step makes of the row would take their place: it hears what was said before.
      this.#toRestore.set(row, from.slice());
      return true;
    }
    this.#states.copies.write(row, from);
    this.#cleared[row] = 0;
    return true;
  }

  /** Copies what the last step fed for a row. @param into [inputBytes] */
  copyInputs(row: number, into: Uint8Array): void {
    this.#inputs.copyRow(row, into);
  }

  /**
   * Advances the rows in `turns` by one micro-turn, and no other.
   * @param turns by row; each `pcm` is one micro-turn long, which the caller has checked
   * @returns the rows of `turns`, in its order
   * @throws what the graph throws; every row is then as it was
   */
  async step(turns: ReadonlyMap<number, RowInputs>): Promise<RowResult[]> {
    if (this.#stepping) throw new Error('a lane takes one step at a time');
    if (turns.size === 0) return [];
    const fresh = this.#gather(turns);
    const stepped = new Set<number>();
    this.#stepping = true;
    try {
      const outputsOf = await this.#states.run(Math.max(...turns.keys()) + 1, fresh);
      const results = [...turns.keys()].map((row): RowResult => {
        const outputs = outputsOf(row);
        if (outputs) stepped.add(row);
        else if (fresh.has(row)) this.#cleared[row] = 1;
        return { row, outputs };
      });
      const kept = new Set<number>();
      for (let row = 0; row < this.rows; row++) if (!stepped.has(row) && !this.#cleared[row]) kept.add(row);
      await this.#states.commit(kept);
      return results;
    } catch (error) {
      for (const row of fresh) this.#cleared[row] = 1;
      throw error;
    } finally {
      this.#stepping = false;
      for (const [row, from] of this.#toRestore) this.restore(row, from);
      this.#toRestore.clear();
    }
  }

  /** Fills the inputs. @returns the rows that begin with this step */
  #gather(turns: ReadonlyMap<number, RowInputs>): ReadonlySet<number> {
    const fresh = new Set<number>();
    for (let row = 0; row < this.rows; row++) {
      const turn = turns.get(row);
      const cleared = this.#cleared[row] === 1;
      this.#inputs.fill(row, turn, cleared);
      if (!turn || !cleared) continue;
      // The mark stays until the row has stepped with it: a graph may start from states of its own.
      fresh.add(row);
      this.#cleared[row] = 0;
    }
    return fresh;
  }
}
