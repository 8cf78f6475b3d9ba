import { MicroturnError } from '@microturn/protocol';
import { describe, expect, it, vi } from 'vitest';
import { hum } from '../testing/interaction-model.contract.js';
import { ManualClock } from '../testing/manual-clock.js';
import { FakeGraph, fakeManifest, type FakeGraphOptions } from './fixtures/fake-graph.js';
import { OnnxModel, type OnnxModelOptions } from './onnx-model.js';
import { RowMemory } from './row-memory.js';
import type { Decision } from './types.js';

describe('OnnxModel', () => {
  function fake(options: Partial<OnnxModelOptions> = {}, graphOptions?: FakeGraphOptions) {
    const clock = new ManualClock();
    const graph = new FakeGraph(graphOptions);
    const model = new OnnxModel(fakeManifest, graph, { rows: 4, clock, after: clock.after, ...options });
    return { clock, graph, model };
  }
  /** Long enough for the fake graph to have taken every step that is ready. */
  const idle = async () => {
    for (let turns = 0; turns < 40; turns++) await new Promise((resolve) => setImmediate(resolve));
  };

  it('gives a row that is let again nothing of the last lease', async () => {
    const { model } = fake({ rows: 1 });
    const decisions: Decision[] = [];
    const first = model.open(1, (decision) => decisions.push(decision));
    for (let index = 0; index < 3; index++) first.push(hum(model, 1, index));
    await idle();
    first.close();
    const second = model.open(2, (decision) => decisions.push(decision));
    second.push(hum(model, 2, 0));
    await idle();
    const third = new OnnxModel(fakeManifest, new FakeGraph(), { rows: 1 });
    third.open(2, (decision) => decisions.push(decision)).push(hum(model, 2, 0));
    await idle();
    expect(decisions[3]!.confidence).toBe(decisions[4]!.confidence);
  });

  it('fault 26, bad numbers: mutes their micro-turns, goes back after three, and ends the lease where nothing helps', async () => {
    let bad = (_run: number) => false;
    const { model } = fake({ rows: 1 }, { spoil: (run, { floor }) => bad(run) && (floor!.data[0] = NaN) });
    const decisions: Decision[] = [];
    const [failed, reset] = [vi.fn(), vi.fn()];
    const stream = model.open(1, (decision) => decisions.push(decision), { onFailed: failed, onReset: reset });
    const push = async (index: number) => {
      stream.push(hum(model, 1, index));
      await idle();
    };
    bad = (run) => run === 1 || run === 2 || run >= 4;
    for (let index = 0; index < 6; index++) await push(index);
    expect(reset).not.toHaveBeenCalled(); // two, a good one, and two again
    expect(decisions.map(({ floor }) => floor)).toEqual(Array(6).fill('speaking')); // it stays as it was
    expect(decisions.map(({ muted }) => muted === true)).toEqual([false, true, true, false, true, true]);
    await push(6);
    expect(reset).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'engine/failed' }), {
      snapshotAgeMs: 0,
    });
    for (let index = 7; index < 10; index++) await push(index);
    expect(reset).toHaveBeenLastCalledWith(expect.objectContaining({ code: 'engine/failed' }), {});
    expect(failed).not.toHaveBeenCalled();
    for (let index = 10; index < 13; index++) await push(index);
    expect(reset).toHaveBeenCalledTimes(2);
    expect(failed).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'engine/failed' }));
    expect(model.stats).toMatchObject({ leases: 0, muted: 11 });
    model.open(2, () => {});
  });

  it('fault 26, bad numbers from a bad state: goes back to its last snapshot, and then to nothing', async () => {
    let bad = false;
    const { model, clock } = fake({ rows: 1 }, { spoil: (_, { floor }) => bad && (floor!.data[1] = Infinity) });
    const decisions: Decision[] = [];
    const reset = vi.fn();
    const stream = model.open(1, (decision) => decisions.push(decision), { onReset: reset });
    const count = async (index: number, value: number) => {
      const pcm = new Float32Array(160).fill(value);
      stream.push({ ...hum(model, 1, index), pcm, dueMs: clock.now() });
      await idle();
    };
    // Snapshots are of micro-turns 0 and 50: a second of 20 ms.
    for (const index of [0, 1, 50, 51]) await count(index, 1);
    clock.advance(400);
    bad = true;
    for (const index of [52, 53, 54]) await count(index, 1);
    expect(reset).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'engine/failed' }), {
      snapshotAgeMs: 400,
    });
    bad = false;
    await count(55, 0);
    // It counted 100 for its reset, and 1 each for 0, 1 and 50.
    const after = new OnnxModel(fakeManifest, new FakeGraph(), { rows: 1 });
    const expected: Decision[] = [];
    const same = after.open(1, (decision) => expected.push(decision));
    for (const [index, value] of [1, 1, 1, 0].entries()) {
      same.push({ ...hum(after, 1, index), pcm: new Float32Array(160).fill(value) });
      await idle();
    }
    expect(decisions.at(-1)!.confidence).toBe(expected.at(-1)!.confidence);
  });

  it('fault 26, a bad state that was copied: goes back to the snapshot before it', async () => {
    // Of micro-turns 0 and 50, a second of 20 ms: the second one's state is bad, and its outputs are not yet.
    const { model, clock } = fake(
      { rows: 1 },
      { spoil: (run, { next_count }) => run === 1 && (next_count!.data[0] = NaN) },
    );
    const decisions: Decision[] = [];
    const reset = vi.fn();
    const stream = model.open(1, (decision) => decisions.push(decision), { onReset: reset });
    for (const index of [0, 50, 51, 52, 53, 54]) {
      clock.advance(100);
      stream.push({ ...hum(model, 1, index), dueMs: clock.now() });
      await idle();
    }
    expect(decisions.map(({ muted }) => muted === true)).toEqual([false, false, true, true, true, false]);
    expect(reset).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'engine/failed' }), {
      snapshotAgeMs: 400,
    });
  });

  it('fault 26, steps that fail: says why', async () => {
    let bad = false;
    const spoil = () => {
      if (bad) throw new Error('MatMul: wrong shape');
    };
    const { model } = fake({ rows: 1 }, { spoil });
    const reset = vi.fn();
    const stream = model.open(1, () => {}, { onReset: reset });
    for (let index = 0; index < 4; index++) {
      bad = index > 0;
      stream.push(hum(model, 1, index));
      await idle();
    }
    const cause = expect.objectContaining({ message: 'MatMul: wrong shape' });
    expect(reset).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'engine/failed', cause }), {
      snapshotAgeMs: 0,
    });
  });

  it('fault 26, a probability that is none: muted', async () => {
    const { floor } = fakeManifest.outputs;
    const manifest = { ...fakeManifest, outputs: { floor: { ...floor!, values: 'probabilities' as const } } };
    for (const [share, muted] of [
      [0.3, undefined],
      [1.5, true],
      [-0.2, true],
      [NaN, true],
    ] as const) {
      const graph = new FakeGraph({ spoil: (_, fetches) => fetches['floor']!.data.set([share, 1 - share]) });
      const model = new OnnxModel(manifest, graph, { rows: 1 });
      const decisions: Decision[] = [];
      model.open(1, (decision) => decisions.push(decision)).push(hum(model, 1, 0));
      await idle();
      expect([share, decisions[0]!.muted]).toEqual([share, muted]);
    }
  });

  it('goes on where the thread before it was, row by row', async () => {
    const first = new OnnxModel(fakeManifest, new FakeGraph(), { rows: 2, laneSize: 2 });
    const streams = [1, 2].map((lease) => first.open(lease, () => {}));
    for (const [i, stream] of streams.entries()) {
      stream.push({ ...hum(first, i + 1, 0), pcm: new Float32Array(160).fill(5 * (i + 1)) });
    }
    await idle();
    const graph = new FakeGraph();
    const next = new OnnxModel(fakeManifest, graph, { rows: 2, laneSize: 2, left: first.memory.buffer });
    const counts: number[] = [];
    graph.bind = ((bind) => (feeds, fetches) => {
      const run = bind(feeds, fetches);
      return () => {
        counts.push(...feeds['count']!.data);
        return run();
      };
    })(graph.bind.bind(graph));
    const gone = new MicroturnError('engine/failed');
    const again = [1, 3].map((lease, row) => next.open(lease, () => {}, { row, again: gone }));
    for (const [i, stream] of again.entries()) stream.push(hum(next, [1, 3][i]!, 1));
    await idle();
    // Lease 1 had counted 100 for its reset and 5; the other row is let to somebody else.
    expect(counts).toEqual([105, 0]);
  });

  it('leaves word of which rows are in a step, in whichever lane', async () => {
    const marked: number[][] = [];
    const { model } = fake(
      { rows: 4, laneSize: 2, gatherMs: 0 },
      { work: () => marked.length < 2 && marked.push(memory.takeMarked()) },
    );
    const memory = new RowMemory(model.memory.buffer);
    const streams = [1, 2, 3].map((lease) => model.open(lease, () => {}));
    streams[2]!.push(hum(model, 3, 0));
    await idle();
    for (const i of [0, 1]) streams[i]!.push(hum(model, i + 1, 0));
    await idle();
    expect(marked).toEqual([[2], [0, 1]]);
    streams[2]!.push(hum(model, 3, 1));
    await idle();
    expect(memory.takeMarked()).toEqual([]);
  });

  it('steps a row alone that may have ended the thread before, until it has taken some steps', async () => {
    const { model, graph } = fake({ laneSize: 4, gatherMs: 0 });
    const decided = vi.fn();
    const streams = [1, 2, 3].map((lease) => model.open(lease, decided, { alone: lease === 2 }));
    const runs: number[] = [];
    for (let index = 0; index < 7; index++) {
      const before = graph.runs;
      for (const [i, stream] of streams.entries()) stream.push(hum(model, i + 1, index));
      await vi.waitFor(() => expect(decided).toHaveBeenCalledTimes(3 * (index + 1)));
      runs.push(graph.runs - before);
    }
    expect(runs).toEqual([2, 2, 2, 2, 2, 1, 1]);
  });

  it('gives a row that is let again while another of its lane steps alone nothing of the last lease', async () => {
    const decisions: Decision[] = [];
    const decide = (decision: Decision) => decisions.push(decision);
    let inStep = () => {};
    const counts: number[] = [];
    const { model } = fake(
      { rows: 2, laneSize: 2 },
      { work: () => inStep(), spoil: (_, { next_count }) => counts.push(next_count!.data[1]!) },
    );
    const pcm = (value: number) => new Float32Array(160).fill(value);
    const [suspect, leaving] = [model.open(1, decide, { alone: true }), model.open(2, decide)];
    let coming: ReturnType<typeof model.open> | undefined;
    inStep = () => {
      inStep = () => {};
      leaving.close();
      coming = model.open(3, decide);
    };
    suspect.push(hum(model, 1, 0));
    leaving.push({ ...hum(model, 2, 0), pcm: pcm(7) });
    await idle();
    suspect.close();
    coming!.push({ ...hum(model, 3, 0), pcm: pcm(1) });
    await idle();
    expect(decisions.map(({ lease }) => lease)).toEqual([1, 3]);
    // It counts from 100 for its reset.
    expect(counts.at(-1)).toBe(101);
  });

  it('steps a lane when all its rows have a micro-turn, without waiting', async () => {
    const { model, graph, clock } = fake({ laneSize: 4 });
    const streams = [1, 2, 3].map((lease) => model.open(lease, () => {}));
    for (const [i, stream] of streams.entries()) {
      await idle();
      expect(graph.runs).toBe(0);
      stream.push(hum(model, i + 1, 0));
    }
    await idle();
    expect(graph.runs).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('steps a lane without the rows that are missing when the gather window ends', async () => {
    const { model, graph, clock } = fake({ laneSize: 4, gatherMs: 4 });
    const decisions: Decision[] = [];
    const streams = [1, 2, 3].map((lease) => model.open(lease, (decision) => decisions.push(decision)));
    streams[0]!.push(hum(model, 1, 0));
    clock.advance(3);
    streams[1]!.push(hum(model, 2, 0));
    await idle();
    expect(graph.runs).toBe(0);
    clock.advance(1);
    await idle();
    expect(graph.runs).toBe(1);
    expect(decisions.map(({ lease }) => lease)).toEqual([1, 2]);
  });

  it('waits no longer for a row that was given back', async () => {
    const { model, graph, clock } = fake({ laneSize: 2, rows: 2 });
    const stream = model.open(1, () => {});
    const other = model.open(2, () => {});
    stream.push(hum(model, 1, 0));
    other.close();
    await idle();
    expect([graph.runs, clock.pending]).toEqual([1, 0]);
  });

  it('waits for a row no longer that sent nothing last time, until it sends again', async () => {
    const { model, graph, clock } = fake({ laneSize: 2, rows: 2 });
    const [one, two] = [1, 2].map((lease) => model.open(lease, () => {}));
    one!.push(hum(model, 1, 0));
    clock.advance(4);
    await idle();
    one!.push(hum(model, 1, 1)); // alone, and at once
    await idle();
    expect([graph.runs, clock.pending]).toEqual([2, 0]);
    two!.push(hum(model, 2, 2));
    await idle();
    expect([graph.runs, clock.pending]).toEqual([2, 1]);
    one!.push(hum(model, 1, 2));
    await idle();
    expect([graph.runs, clock.pending]).toEqual([3, 0]);
  });

  it('passes over the oldest micro-turns of a row that has too many waiting, and decides them as silence', async () => {
    const { model, clock } = fake({ rows: 1 });
    const decisions: Decision[] = [];
    const stream = model.open(1, (decision) => decisions.push(decision));
    clock.advance(1000);
    for (let index = 0; index < 10; index++) stream.push(hum(model, 1, index, 100 * index));
    await vi.waitFor(() => expect(decisions).toHaveLength(10));
    expect(decisions.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(decisions.map(({ confidence }) => confidence > 0)).toEqual([
      true,
      ...Array<boolean>(6).fill(false),
      true,
      true,
      true,
    ]);
    expect(decisions.slice(1, 7).every(({ say, words, stepMs }) => say === '' && !words.length && stepMs === 0)).toBe(
      true,
    );
    expect(model.stats).toMatchObject({ steps: 4, dropped: 6, late: 10 });
  });

  it('takes the row that it is told to, where that is free', async () => {
    const { model, graph } = fake({ rows: 4, laneSize: 2 });
    model.open(1, () => {}, { row: 2 }).push(hum(model, 1, 0));
    model.open(2, () => {}, { row: 0 }).push(hum(model, 2, 0));
    model.open(3, () => {}, { row: 0 }).push(hum(model, 3, 0));
    await idle();
    expect(graph.play.map((rows) => rows.length)).toEqual([1, 2]);
  });

  it('counts what comes more than a micro-turn late', async () => {
    const { model, clock } = fake({ rows: 1 });
    const stream = model.open(1, () => {});
    clock.advance(1000);
    stream.push(hum(model, 1, 0, 1000 - 20));
    stream.push(hum(model, 1, 1, 1000 - 21));
    await idle();
    expect(model.stats).toMatchObject({ late: 1, lagP50Ms: 21, lagP99Ms: 21 });
  });

  it('closes its graph once, after the step that is running', async () => {
    const { model, graph } = fake();
    model.open(1, () => {}).push(hum(model, 1, 0));
    await model.close();
    expect([graph.runs, graph.closed]).toEqual([1, true]);
  });

  it('takes a `ref` that is not one micro-turn long for a mistake', () => {
    const { model } = fake();
    const stream = model.open(1, () => {});
    expect(() => stream.push({ ...hum(model, 1, 0), ref: new Float32Array(7) })).toThrow('ref');
  });
});
