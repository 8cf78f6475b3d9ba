import { describe, expect, it } from 'vitest';
import { loadBundle } from './bundle.js';
import { decoderSizes, tinyDecoder } from './fixtures/decoder-bundle.js';
import { FakeGraph, fakeManifest, type FakeGraphOptions } from './fixtures/fake-graph.js';
import { bursts, hasEspeak, seeded, speech } from './fixtures/speech.js';
import { openGraph } from './graph.js';
import { laneContract } from './lane.contract.js';
import { Lane } from './lane.js';
import type { RowResult } from './lane-io.js';
import { rowElements } from './manifest.js';
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

  it('has a row go on from exactly what it is told to, also where that comes while a step is running', async () => {
    const two = lane(2);
    const both = () => new Map([0, 1].map((row) => [row, pcm(row + 1)]));
    await two.step(both());
    const copy = new Float32Array(1);
    expect(two.read(0, copy)).toBe(true);
    await two.step(both());
    const running = two.step(both());
    two.clear(0);
    expect(two.restore(0, copy)).toBe(true);
    copy.fill(7); // it is the caller's again
    await running;
    expect(counts(await two.step(both()))).toEqual([102, 108]);
    // Cleared once more: what was to come back is of nobody any more.
    const again = two.step(both());
    two.restore(0, copy);
    two.clear(0);
    await again;
    expect(counts(await two.step(both()))).toEqual([101, 112]);
  });

  it.each([[NaN], [Infinity], [-Infinity]])(
    'mutes a row with an output of %d, puts it back, and leaves its neighbours alone',
    async (value) => {
      const spoil: FakeGraphOptions['spoil'] = (run, { floor }) => {
        if (run === 1) floor!.data[floor!.dims[1]!] = value; // the second row
      };
      const three = lane(3, { spoil });
      const all = () => new Map([0, 1, 2].map((row) => [row, pcm(1)]));
      await three.step(all());
      expect(counts(await three.step(all()))).toEqual([102, undefined, 102]);
      expect(counts(await three.step(all()))).toEqual([103, 102, 103]);
    },
  );

  it.each([NaN, -Infinity])('goes on from no copy of a state of %d, which shows in the next step', async (value) => {
    const one = lane(1, { spoil: (run, { next_count }) => run === 1 && (next_count!.data[0] = value) });
    const copy = new Float32Array(fakeManifest.states.reduce((sum, { shape }) => sum + rowElements(shape), 0));
    const step = async () => counts(await one.step(new Map([[0, pcm(1)]])));
    const bad = new Float32Array(copy.length);
    expect(await step()).toEqual([101]);
    expect(one.read(0, copy)).toBe(true);
    expect(await step()).toEqual([102]);
    expect(one.read(0, bad)).toBe(true);
    expect(await step()).toEqual([undefined]);
    expect(one.restore(0, copy)).toBe(true);
    expect(one.restore(0, bad)).toBe(false);
    expect(await step()).toEqual([102]);
  });

  it('starts a row anew again whose first step was bad', async () => {
    const one = lane(1, { spoil: (run, { floor }) => run === 0 && (floor!.data[0] = NaN) });
    expect(counts(await one.step(new Map([[0, pcm(1)]])))).toEqual([undefined]);
    expect(counts(await one.step(new Map([[0, pcm(1)]])))).toEqual([101]);
  });

  it('throws what the graph throws, and goes on from before that', async () => {
    const two = lane(2, {
      spoil: (run) => {
        if (run === 1) throw new Error('wrong shape');
      },
    });
    const both = () => new Map([0, 1].map((row) => [row, pcm(row + 1)]));
    await two.step(both());
    await expect(two.step(both())).rejects.toThrow('wrong shape');
    expect(counts(await two.step(both()))).toEqual([102, 104]);
  });

  it('takes one step at a time', async () => {
    const one = lane(1);
    const first = one.step(new Map([[0, pcm(1)]]));
    await expect(one.step(new Map([[0, pcm(1)]]))).rejects.toThrow('one step at a time');
    await first;
  });
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

laneContract('Nano', {
  open: async () => {
    const bundle = await loadBundle(nano);
    return { graph: await openGraph(bundle), manifest: bundle.manifest };
  },
  sounds: voices.map((voice, i) =>
    hasEspeak ? speech(sentence, voice, 200 + 70 * i) : bursts(seeded(i + 1), 6 * 16_000),
  ),
  steps: 30,
});

laneContract('a decoder with a ring', {
  open: async () => {
    const bundle = await tinyDecoder();
    return { graph: await openGraph(bundle), manifest: bundle.manifest };
  },
  sounds: voices.map((_, i) => bursts(seeded(i + 1), 10_240)),
  // Three times around the ring.
  steps: 3 * decoderSizes.tiny.window,
});
