import { MicroturnError } from '@microturn/protocol';
import { describe, expect, it, vi } from 'vitest';
import { hum } from '../testing/interaction-model.contract.js';
import { ManualClock } from '../testing/manual-clock.js';
import { FakeDevice, FakeGraph, fakeManifest, type FakeGraphOptions } from './fixtures/fake-graph.js';
import { OnnxModel, type OnnxModelOptions } from './onnx-model.js';
import type { Decision, InteractionStream } from './types.js';

// On a device: the states of rows cannot be copied, and what they heard is heard again. A micro-turn has 20 ms, and the fake
// graph's state is 100 for its reset and the first sample of each micro-turn; `confidence` tells it.

const gone = new MicroturnError('engine/failed', 'the thread exited');

class Engine {
  readonly clock = new ManualClock();
  readonly graph: FakeGraph;
  readonly model: OnnxModel;
  constructor(options: Partial<OnnxModelOptions> = {}, graph: FakeGraph = new FakeDevice()) {
    this.graph = graph;
    this.model = new OnnxModel(fakeManifest, graph, {
      rows: 4,
      clock: this.clock,
      after: this.clock.after,
      ...options,
    });
  }
  /** A row that is opened, and what becomes of it. */
  row(lease: number, again?: MicroturnError, row?: number) {
    const [decisions, onReset, onFailed] = [[] as Decision[], vi.fn(), vi.fn()];
    const stream = this.model.open(lease, (decision) => decisions.push(decision), { onReset, onFailed, again, row });
    return { lease, stream, decisions, onReset, onFailed };
  }
  push({ lease, stream }: { lease: number; stream: InteractionStream }, index: number, sound = 0): void {
    const pcm = new Float32Array(160).fill(sound);
    stream.push({ ...hum(this.model, lease, index), pcm, dueMs: this.clock.now() });
  }
  async hear(row: ReturnType<Engine['row']>, index: number, sound = 0): Promise<Decision> {
    this.push(row, index, sound);
    await vi.waitFor(
      () => {
        this.clock.advance(0); // nobody else is waited for
        expect(row.decisions.at(-1)?.index).toBe(index);
      },
      { interval: 1 },
    );
    return row.decisions.at(-1)!;
  }
}

/** Small, and no two alike in what they add up to: the floor's probability must tell them apart. */
const sound = (index: number) => -0.02 * ((index % 7) + 1);
/** What the floor says of a state: of a graph that counts from 100, and is brought down to where probabilities differ. */
const DOWN = -99.6;
const likeliest = (count: number) => 1 / (1 + Math.exp(-2 * Math.abs(count)));

describe('a row on a device whose thread was lost', () => {
  it.each([1, 3])(
    'hears again what it heard, and decides on as if nothing had been, in lanes of %i',
    async (laneSize) => {
      const first = new Engine({ laneSize, gatherMs: 0 });
      const rows = [1, 2, 3].map((lease) => first.row(lease));
      for (const [i, row] of rows.entries()) {
        await first.hear(row, 0, DOWN);
        for (let index = 1; index <= 3 * i; index++) await first.hear(row, index, sound(index));
      }
      const next = new Engine({ laneSize, gatherMs: 0, left: first.model.memory.buffer });
      const again = [1, 2, 3].map((lease) => next.row(lease, gone));
      for (const [i, row] of again.entries()) {
        const index = 3 * i + 1;
        const decision = await next.hear(row, index, 0.01);
        expect(decision).toMatchObject(
          await first.hear(rows[i]!, index, 0.01).then(({ floor, confidence }) => ({ floor, confidence })),
        );
        expect(row.decisions).toHaveLength(1); // nothing is decided a second time
        expect(row.onReset).toHaveBeenCalledExactlyOnceWith(gone, { replayedMs: 20 * index });
      }
    },
  );

  it('hears the last 20 s, and no more', async () => {
    const first = new Engine();
    const row = first.row(1);
    await first.hear(row, 0, 50);
    for (let index = 1; index <= 1100; index++) await first.hear(row, index, index === 1 ? DOWN : 0);
    await first.hear(row, 1101, DOWN);
    const next = new Engine({ left: first.model.memory.buffer });
    const again = next.row(1, gone);
    const { confidence } = await next.hear(again, 1102);
    expect(again.onReset).toHaveBeenCalledExactlyOnceWith(gone, { replayedMs: 20_000 });
    // 100 for the reset, and one of the two that brought it down.
    expect(confidence).toBeCloseTo(likeliest(100 + DOWN), 5);
  });

  it('gets nothing of another lease, and says that it begins anew', async () => {
    const first = new Engine();
    await first.hear(first.row(1), 0, DOWN);
    const next = new Engine({ left: first.model.memory.buffer });
    const other = next.row(2, gone);
    expect(other.onReset).toHaveBeenCalledExactlyOnceWith(gone, {});
    await next.hear(other, 1);
    expect(next.graph.runs).toBe(1);
  });

  it('makes other rows wait for one step at most', async () => {
    const first = new Engine();
    const row = first.row(1);
    for (let index = 0; index < 200; index++) await first.hear(row, index);
    const due: number[] = [];
    let next: Engine | undefined = undefined;
    const work = () => {
      const { clock, graph } = next!;
      clock.advance(5);
      // Every 20 ms, at the worst time: when a step of the other has just begun.
      if (graph.runs % 4 !== 1 || due.length === 20) return;
      due.push(graph.runs);
      next!.push(live, due.length - 1);
    };
    next = new Engine({ left: first.model.memory.buffer }, new FakeDevice({ work }));
    const live = next.row(2, undefined, 1);
    const again = next.row(1, gone, 0);
    await vi.waitFor(() => expect(again.onReset).toHaveBeenCalled());
    expect(again.onReset).toHaveBeenCalledExactlyOnceWith(gone, { replayedMs: 4000 });
    expect(live.decisions).toHaveLength(20);
    expect(Math.max(...live.decisions.map(({ lagMs }) => lagMs))).toBeLessThanOrEqual(10);
  });

  it('leaves some of it out where that takes more than 1.5 s, and hears the newest', async () => {
    const first = new Engine();
    const row = first.row(1);
    for (let index = 0; index < 1000; index++) await first.hear(row, index, index === 999 ? DOWN : 0);
    const graph: FakeDevice = new FakeDevice({ work: () => next.clock.advance(10) });
    const next: Engine = new Engine({ left: first.model.memory.buffer }, graph);
    const again = next.row(1, gone);
    await vi.waitFor(() => expect(again.onReset).toHaveBeenCalled());
    const [, { replayedMs }] = again.onReset.mock.calls[0]!;
    // 10 ms for each.
    expect(Math.abs(replayedMs - 300 * 20)).toBeLessThanOrEqual(40);
    expect((await next.hear(again, 1000)).confidence).toBeCloseTo(likeliest(100 + DOWN), 5);
  });

  it('decides meanwhile on all that comes, in order: as silence, but for what may wait', async () => {
    const first = new Engine();
    const row = first.row(1);
    await first.hear(row, 0, 5);
    for (let index = 1; index < 100; index++) await first.hear(row, index);
    const graph: FakeDevice = new FakeDevice({
      work: () => {
        // While it hears 100 again, 10 come.
        if (graph.runs < 100 && graph.runs % 10 === 5) next.push(again, 100 + Math.floor(graph.runs / 10));
      },
    });
    const next: Engine = new Engine({ left: first.model.memory.buffer }, graph);
    const again = next.row(1, gone);
    await vi.waitFor(() => expect(again.decisions.at(-1)?.index).toBe(109));
    expect(again.decisions.map(({ index }) => index)).toEqual(Array.from({ length: 10 }, (_, i) => 100 + i));
    expect(again.decisions.map(({ stepMs, confidence }) => confidence > 0 || stepMs > 0)).toEqual([
      ...Array<boolean>(7).fill(false),
      true,
      true,
      true,
    ]);
    expect(again.decisions.slice(1).every(({ floor }) => floor === 'speaking')).toBe(true); // it knows the floor again
  });

  it('is closed while it hears again, without harm', async () => {
    const first = new Engine();
    const row = first.row(1);
    for (let index = 0; index < 50; index++) await first.hear(row, index);
    const graph: FakeDevice = new FakeDevice({ work: () => graph.runs === 4 && again.stream.close() });
    const next = new Engine({ left: first.model.memory.buffer }, graph);
    const again = next.row(1, gone);
    await vi.waitFor(() => expect(graph.runs).toBe(5));
    const after = next.row(2);
    expect((await next.hear(after, 0, DOWN)).confidence).toBeCloseTo(likeliest(100 + DOWN), 5);
    await next.model.close();
    expect(again.onReset).not.toHaveBeenCalled();
    expect(graph.runs).toBe(6);
  });
});

describe('rows whose device is lost', () => {
  const setUp = (options: FakeGraphOptions = {}) => {
    const [device, other, onFallback] = [new FakeDevice(options), new FakeGraph(), vi.fn()];
    const fallback = async () => other;
    const engine = new Engine({ rows: 2, laneSize: 2, gatherMs: 0, fallback, onFallback }, device);
    return { device, other, onFallback, engine };
  };

  it('fault 27: go on elsewhere, where they hear again what they heard', async () => {
    const { device, other, onFallback, engine } = setUp();
    const rows = [1, 2].map((lease) => engine.row(lease));
    for (const row of rows)
      for (const index of [0, 1]) await engine.hear(row, index, index === 0 ? DOWN : -0.1 * row.lease);
    device.lost = true;
    const lost = await engine.hear(rows[0]!, 2);
    expect(lost).toMatchObject({ muted: true });
    expect(onFallback).toHaveBeenCalledExactlyOnceWith('cpu', expect.objectContaining({ message: 'device lost' }));
    expect([device.closed, engine.model.provider]).toEqual([true, 'cpu']);
    for (const row of rows) {
      expect((await engine.hear(row, 3)).confidence).toBeCloseTo(likeliest(100 + DOWN - 0.1 * row.lease), 5);
      expect(row.onReset).toHaveBeenCalledExactlyOnceWith(
        expect.objectContaining({ code: 'engine/failed', message: expect.stringContaining('device') }),
        { replayedMs: 40 },
      );
      expect(row.onFailed).not.toHaveBeenCalled();
    }
    await engine.model.close();
    expect(other.closed).toBe(true);
  });

  it('fault 27, where states cross in every step: go on elsewhere from their last copy', async () => {
    let lost = false;
    class Cuda extends FakeGraph {
      readonly provider = 'cuda';
    }
    const work = () => {
      if (lost) throw new Error('CUDA failure 100');
    };
    const [cuda, other, onFallback] = [new Cuda({ work }), new FakeGraph(), vi.fn()];
    const engine = new Engine({ rows: 1, fallback: async () => other, onFallback }, cuda);
    const row = engine.row(1);
    await engine.hear(row, 0, DOWN);
    engine.clock.advance(300);
    lost = true;
    expect(await engine.hear(row, 1)).toMatchObject({ muted: true });
    expect(onFallback).toHaveBeenCalledExactlyOnceWith('cpu', expect.objectContaining({ message: 'CUDA failure 100' }));
    const error = expect.objectContaining({ code: 'engine/failed', message: expect.stringContaining('device') });
    expect(row.onReset).toHaveBeenCalledExactlyOnceWith(error, { snapshotAgeMs: 300 });
    const next = await engine.hear(row, 2, 0.2);
    expect([next.muted, next.confidence]).toEqual([undefined, expect.closeTo(likeliest(100 + DOWN + 0.2), 5)]);
    expect([cuda.closed, row.onFailed.mock.calls.length]).toEqual([true, 0]);
  });

  it('fault 26, on a device: what gives bad numbers hears again, then begins anew, then is given up', async () => {
    let bad = false;
    const { engine } = setUp({ spoil: (_, { floor }) => bad && (floor!.data[0] = NaN) });
    const row = engine.row(1);
    await engine.hear(row, 0, DOWN);
    bad = true;
    for (let index = 1; index < 4; index++) await engine.hear(row, index);
    await vi.waitFor(() => expect(row.onReset).toHaveBeenCalledTimes(1));
    for (let index = 4; index < 10; index++) await engine.hear(row, index);
    expect(row.onReset.mock.calls.map(([, recovery]) => recovery)).toEqual([{ replayedMs: 0 }, {}]);
    expect(row.onFailed).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'engine/failed' }));
  });
});
