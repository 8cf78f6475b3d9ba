import { beforeAll, describe, expect, it } from 'vitest';
import { loadBundle, type Bundle } from './bundle.js';
import { FakeGraph, fakeManifest, type FakeGraphOptions } from './fixtures/fake-graph.js';
import { hasEspeak, seeded, slice, speech } from './fixtures/speech.js';
import { openGraph, type StepGraph } from './graph.js';
import { Lane } from './lane.js';
import type { RowResult } from './lane-io.js';
import type { MicroTurn } from './types.js';

const nano = new URL('../../../../models/nano/bundle/', import.meta.url).pathname;

const turn = (pcm: Float32Array, play = 0): MicroTurn => ({ lease: 1, index: 0, pcm, lost: 0, play, dueMs: 0 });

describe('Lane', () => {
  const pcm = (first: number) => turn(new Float32Array(160).fill(first, 0, 1));
  const lane = (rows: number, options?: FakeGraphOptions) => new Lane(new FakeGraph(options), fakeManifest, rows);
  /** The state of a row, which the fake shows as a logit. */
  const counts = (results: RowResult[]) => results.map(({ outputs }) => outputs?.floor?.[1]);

  it('steps the rows that have a micro-turn, and keeps the others exactly as they were', async () => {
    const three = lane(3);
    await three.step(new Map([0, 1, 2].map((row) => [row, pcm(row + 1)])));
    await three.step(new Map([[1, pcm(10)]]));
    await three.step(new Map([[1, pcm(10)]]));
    const results = await three.step(new Map([0, 1, 2].map((row) => [row, pcm(0)])));
    expect(counts(results)).toEqual([101, 122, 103]);
  });

  it('runs no more rows than the highest one that steps, and keeps the rest', async () => {
    const graph = new FakeGraph();
    const four = new Lane(graph, fakeManifest, 4);
    await four.step(new Map([0, 1, 2, 3].map((row) => [row, pcm(row + 1)])));
    await four.step(new Map([[1, pcm(10)]]));
    await four.step(new Map([[0, pcm(10)]]));
    const results = await four.step(new Map([0, 1, 2, 3].map((row) => [row, pcm(0)])));
    expect(graph.play.map((rows) => rows.length)).toEqual([4, 2, 1, 4]);
    expect(counts(results)).toEqual([111, 112, 103, 104]);
  });

  it('starts a cleared row anew in its next step, whenever that is, and no other', async () => {
    const two = lane(2);
    const both = () => new Map([0, 1].map((row) => [row, pcm(1)]));
    await two.step(both());
    await two.step(both());
    two.clear(0);
    await two.step(new Map([[1, pcm(1)]]));
    expect(counts(await two.step(both()))).toEqual([101, 104]);
    expect(counts(await two.step(both()))).toEqual([102, 105]);
  });

  it('starts a row anew that is cleared while a step is running', async () => {
    const one = lane(1);
    await one.step(new Map([[0, pcm(1)]]));
    const running = one.step(new Map([[0, pcm(1)]]));
    one.clear(0);
    await running;
    expect(counts(await one.step(new Map([[0, pcm(1)]])))).toEqual([101]);
  });

  it.each([
    ['an output', 'floor', NaN],
    ['an output', 'floor', Infinity],
    ['a state', 'next_count', NaN],
    ['a state', 'next_count', -Infinity],
  ])('mutes a row with %s (%s) of %d, puts it back, and leaves its neighbours alone', async (_, tensor, value) => {
    const spoil: FakeGraphOptions['spoil'] = (run, fetches) => {
      const { data, dims } = fetches[tensor]!;
      if (run === 1) data[dims[1]!] = value; // the second row
    };
    const three = lane(3, { spoil });
    const all = () => new Map([0, 1, 2].map((row) => [row, pcm(1)]));
    await three.step(all());
    expect(counts(await three.step(all()))).toEqual([102, undefined, 102]);
    expect(counts(await three.step(all()))).toEqual([103, 102, 103]);
  });

  it('starts a row anew again whose first step was bad', async () => {
    const one = lane(1, { spoil: (run, { next_count }) => run === 0 && (next_count!.data[0] = NaN) });
    expect(counts(await one.step(new Map([[0, pcm(1)]])))).toEqual([undefined]);
    expect(counts(await one.step(new Map([[0, pcm(1)]])))).toEqual([101]);
  });

  it('mutes every row of a step that fails, and goes on from before it', async () => {
    const two = lane(2, {
      spoil: (run) => {
        if (run === 1) throw new Error('wrong shape');
      },
    });
    const both = () => new Map([0, 1].map((row) => [row, pcm(row + 1)]));
    await two.step(both());
    expect(counts(await two.step(both()))).toEqual([undefined, undefined]);
    expect(counts(await two.step(both()))).toEqual([102, 104]);
  });

  it('takes one step at a time', async () => {
    const one = lane(1);
    const first = one.step(new Map([[0, pcm(1)]]));
    await expect(one.step(new Map([[0, pcm(1)]]))).rejects.toThrow('one step at a time');
    await first;
  });
});

describe('Lane with Nano', () => {
  let bundle: Bundle;
  let graph: StepGraph;
  beforeAll(async () => {
    bundle = await loadBundle(nano);
    graph = await openGraph(bundle);
    return () => graph.close();
  });

  const voices = [
    'en-us',
    'en-us+f4',
    'en-gb-scotland+m1',
    'en-gb-x-rp+f2',
    'en-029',
    'en-us+klatt4',
    'en-us+m7',
    'en-us-nyc',
  ];
  const sentence = 'count the animals. I saw a horse and a small goat and then my sheep ran away.';
  const sources = voices.map((voice, i) =>
    hasEspeak ? speech(sentence, voice, 200 + 70 * i) : noise(i + 1, 6 * 16_000),
  );
  const STEPS = 30;

  function noise(seed: number, length: number): Float32Array {
    const next = seeded(seed);
    return Float32Array.from({ length }, (_, i) => (next() - 0.5) * (Math.sin(i / 3000) > 0 ? 0.4 : 0.01));
  }

  const copy = ({ outputs }: RowResult) => Object.values(outputs!).map((head: Float32Array) => Array.from(head));

  /** Everything the model puts out for one source, alone in its lane. */
  async function alone(source: number, rows = 1, row = 0): Promise<number[][][]> {
    const lane = new Lane(graph, bundle.manifest, rows);
    const out: number[][][] = [];
    for (let i = 0; i < STEPS; i++) {
      const [result] = await lane.step(new Map([[row, turn(slice(sources[source]!, i), (i >> 3) & 1)]]));
      out.push(copy(result!));
    }
    return out;
  }

  it('decides the same for a row alone, in a full lane, and at another place in it, bit for bit', async () => {
    const full = new Lane(graph, bundle.manifest, 8);
    const together: number[][][][] = voices.map(() => []);
    for (let i = 0; i < STEPS; i++) {
      const turns = new Map(voices.map((_, row) => [row, turn(slice(sources[row]!, i), (i >> 3) & 1)]));
      for (const result of await full.step(turns)) together[result.row]!.push(copy(result));
    }
    expect(together[0]).toEqual(await alone(0));
    expect(together[5]).toEqual(await alone(5));
    expect(together[5]).toEqual(await alone(5, 3, 1));
  });

  it('decides the same for rows that step at random as for each alone, bit for bit', async () => {
    const random = seeded(42);
    const lane = new Lane(graph, bundle.manifest, 4);
    const heard: number[][][][] = [[], [], [], []];
    while (heard.some((steps) => steps.length < STEPS)) {
      const turns = new Map<number, MicroTurn>();
      for (const [row, steps] of heard.entries()) {
        const i = steps.length;
        if (i < STEPS && random() < 0.6) turns.set(row, turn(slice(sources[row]!, i), (i >> 3) & 1));
      }
      for (const result of await lane.step(turns)) heard[result.row]!.push(copy(result));
    }
    for (const row of [0, 3]) expect(heard[row]).toEqual(await alone(row));
  });

  it('leaves nothing of one lease to the next', async () => {
    const lane = new Lane(graph, bundle.manifest, 2);
    for (let i = 0; i < 12; i++) {
      await lane.step(new Map([0, 1].map((row) => [row, turn(slice(sources[6 + row]!, i), 1)])));
    }
    lane.clear(0);
    const second: number[][][] = [];
    for (let i = 0; i < STEPS; i++) {
      const turns = new Map([
        [0, turn(slice(sources[2]!, i), (i >> 3) & 1)],
        [1, turn(slice(sources[7]!, 12 + i), 1)],
      ]);
      second.push(copy((await lane.step(turns))[0]!));
    }
    expect(second).toEqual(await alone(2));
  });
});
