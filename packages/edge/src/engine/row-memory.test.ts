import { describe, expect, it } from 'vitest';
import { freshDecoder } from './decode.js';
import { fakeManifest } from './fixtures/fake-graph.js';
import { RowMemory, memoryFor, type SavedRow } from './row-memory.js';

const saved = (lease: number, index: number): SavedRow => ({
  lease,
  index,
  dueMs: index * 20,
  decoder: { ...freshDecoder, word: { class: 3, slot: index }, holder: 'agent', quietMs: 20 },
  floor: 'barge-in',
});
const model = 7;
const kept = (stateSize: number) => ({ model, stateSize, turns: 0, turnBytes: 0 });
const fill = (value: number) => (into: Float32Array) => {
  into.fill(value);
  return true;
};

describe('the memory of an engine thread’s rows', () => {
  it('gives the next thread what a row remembered last, and before that', () => {
    const memory = RowMemory.create(3, kept(4));
    memory.save(1, saved(7, 5), fill(1));
    memory.save(1, saved(7, 10), fill(2));
    const next = new RowMemory(memory.buffer);
    expect([next.rows, next.kept.stateSize, next.heard]).toEqual([3, 4, undefined]);
    expect(next.load(1, 7)).toEqual([
      { saved: saved(7, 10), state: new Float32Array(4).fill(2) },
      { saved: saved(7, 5), state: new Float32Array(4).fill(1) },
    ]);
    expect([next.load(0, 7), next.load(2, 7)]).toEqual([[], []]);
  });

  it('gives a lease nothing of another', () => {
    const memory = RowMemory.create(1, kept(4));
    memory.save(0, saved(7, 5), fill(1));
    memory.save(0, saved(8, 2), fill(2));
    expect(memory.load(0, 8)).toEqual([{ saved: saved(8, 2), state: new Float32Array(4).fill(2) }]);
    expect(memory.load(0, 9)).toEqual([]);
  });

  it('keeps the copy before one that was not finished', () => {
    const memory = RowMemory.create(1, kept(4));
    memory.save(0, saved(7, 0), fill(0));
    memory.save(0, saved(7, 5), fill(1));
    const died = new Error('the thread ended here');
    expect(() =>
      memory.save(0, saved(7, 10), (into) => {
        into[0] = 9;
        throw died;
      }),
    ).toThrow(died);
    expect(memory.save(0, saved(7, 15), () => false)).toBe(false);
    expect(new RowMemory(memory.buffer).load(0, 7)).toEqual([
      { saved: saved(7, 5), state: new Float32Array(4).fill(1) },
    ]);
    expect(memory.save(0, saved(7, 20), fill(4))).toBe(true);
    expect(memory.load(0, 7).map(({ saved }) => saved.index)).toEqual([20, 5]);
  });

  it('tells once which rows were in a step', () => {
    const memory = RowMemory.create(4, kept(1));
    memory.mark([0, 2, 3], true);
    memory.mark([3], false);
    const main = new RowMemory(memory.buffer);
    expect([main.takeMarked(), main.takeMarked()]).toEqual([[0, 2], []]);
  });

  it('is made anew where the model or the rows are others', () => {
    const memory = memoryFor(fakeManifest, 2, { copies: true });
    const left = memory.buffer;
    expect([memory.rows, memory.kept]).toMatchObject([2, { stateSize: 1, turns: 0, turnBytes: 0 }]);
    expect(memoryFor(fakeManifest, 2, { copies: true, left }).buffer).toBe(left);
    expect(memoryFor(fakeManifest, 3, { copies: true, left }).buffer).not.toBe(left);
    expect(memoryFor(fakeManifest, 2, { copies: false, left }).buffer).not.toBe(left);
    // Of the same shape, with other weights.
    const files = Object.fromEntries(
      Object.entries(fakeManifest.files).map(([name, file]) => [name, { ...file, sha256: '0'.repeat(64) }]),
    );
    expect(memoryFor({ ...fakeManifest, files }, 2, { copies: true, left }).buffer).not.toBe(left);
  });

  it('keeps 20 s of what is heard where states cannot be copied or are too large, and less where that is too much', () => {
    // 160 samples and `play`, each 4 bytes, every 20 ms.
    const heard = { stateSize: 0, turns: 1000, turnBytes: 644 };
    expect(memoryFor(fakeManifest, 2, { copies: false }).kept).toMatchObject(heard);
    const large = { ...fakeManifest, states: [{ input: 'kv', output: 'kv2', shape: ['B', 2 << 20] as never }] };
    expect(memoryFor(large, 2, { copies: true }).kept).toMatchObject(heard);
    const many = memoryFor(fakeManifest, 1024, { copies: false });
    expect(many.kept.turns).toBeGreaterThan(700);
    expect(many.buffer.byteLength).toBeLessThan(600 << 20);
  });
});
