import { beforeAll, describe, expect, it } from 'vitest';
import { seeded, slice } from './fixtures/speech.js';
import type { StepGraph } from './graph.js';
import { Lane } from './lane.js';
import type { RowResult } from './lane-io.js';
import type { Manifest } from './manifest.js';
import type { MicroTurn } from './types.js';

export interface LaneContractOptions {
  /** Opened once for all tests, and closed after them. */
  readonly open: () => Promise<{ readonly graph: StepGraph; readonly manifest: Manifest }>;
  /** Eight, at the model's rate, each of at least `steps` micro-turns; what is missing is silence. */
  readonly sounds: readonly Float32Array[];
  readonly steps: number;
}

/**
 * The invariances that a lane keeps to with every model, bit for bit: a row's neighbours, its place, when it steps and who
 * had it before change nothing of what it decides.
 */
export function laneContract(name: string, { open, sounds, steps }: LaneContractOptions): void {
  describe(`${name}: the invariances of a lane`, () => {
    let graph: StepGraph;
    let manifest: Manifest;
    beforeAll(async () => {
      ({ graph, manifest } = await open());
      return () => graph.close();
    });

    const turn = (sound: number, index: number): MicroTurn => ({
      lease: 1,
      index,
      pcm: slice(sounds[sound]!, index, manifest.inputs.pcm.shape[1] as number),
      lost: 0,
      play: (index >> 3) & 1,
      dueMs: 0,
    });
    const copy = ({ outputs }: RowResult) => Object.values(outputs!).map((head: Float32Array) => Array.from(head));

    /** Everything the model puts out for one sound, alone in its lane. */
    async function alone(sound: number, { rows = 1, row = 0, turns = steps } = {}): Promise<number[][][]> {
      const lane = new Lane(graph, manifest, rows);
      const out: number[][][] = [];
      for (let i = 0; i < turns; i++) out.push(copy((await lane.step(new Map([[row, turn(sound, i)]])))[0]!));
      return out;
    }

    it.each([
      { rows: 8, turns: steps },
      { rows: 32, turns: Math.ceil(steps / 6) },
    ])('decides the same for a row alone, in a full lane of $rows, and at another place', async ({ rows, turns }) => {
      const full = new Lane(graph, manifest, rows);
      const together: number[][][][] = Array.from({ length: rows }, () => []);
      for (let i = 0; i < turns; i++) {
        const all = new Map(together.map((_, row) => [row, turn(row % sounds.length, i)]));
        for (const result of await full.step(all)) together[result.row]!.push(copy(result));
      }
      expect(together[0]).toEqual(await alone(0, { turns }));
      expect(together[5]).toEqual(await alone(5, { turns }));
      expect(together[5]).toEqual(await alone(5, { turns, rows: 3, row: 1 }));
      expect(together.at(-3)).toEqual(together[5]);
    });

    it('decides the same for rows that step at random as for each alone', async () => {
      const random = seeded(42);
      const lane = new Lane(graph, manifest, 4);
      const heard: number[][][][] = [[], [], [], []];
      while (heard.some((done) => done.length < steps)) {
        const turns = new Map<number, MicroTurn>();
        for (const [row, done] of heard.entries()) {
          if (done.length < steps && random() < 0.6) turns.set(row, turn(row, done.length));
        }
        for (const result of await lane.step(turns)) heard[result.row]!.push(copy(result));
      }
      for (const row of [0, 3]) expect(heard[row]).toEqual(await alone(row));
    });

    it('leaves nothing of one lease to the next', async () => {
      const lane = new Lane(graph, manifest, 2);
      const before = Math.floor(steps / 2);
      for (let i = 0; i < before; i++) await lane.step(new Map([0, 1].map((row) => [row, turn(6 + row, i)])));
      lane.clear(0);
      const second: number[][][] = [];
      for (let i = 0; i < steps; i++) {
        const turns = new Map([
          [0, turn(2, i)],
          [1, turn(7, before + i)],
        ]);
        second.push(copy((await lane.step(turns))[0]!));
      }
      expect(second).toEqual(await alone(2));
    });
  });
}
