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
const fill = (value: number) => (into: Float32Array) => {
  into.fill(value);
  return true;
};

describe('the memory of an engine thread’s rows', () => {
  it('gives the next thread what a row remembered last', () => {
    const memory = RowMemory.create(3, 4);
    memory.save(1, saved(7, 5), fill(1));
    memory.save(1, saved(7, 10), fill(2));
    const next = new RowMemory(memory.buffer);
    expect([next.rows, next.stateSize]).toEqual([3, 4]);
    expect(next.load(1, 7)).toEqual({ saved: saved(7, 10), state: new Float32Array(4).fill(2) });
    expect([next.load(0, 7), next.load(2, 7)]).toEqual([undefined, undefined]);
  });

  it('gives a lease nothing of another', () => {
    const memory = RowMemory.create(1, 4);
    memory.save(0, saved(7, 5), fill(1));
    expect(memory.load(0, 8)).toBeUndefined();
  });

  it('keeps the copy before one that was not finished', () => {
    const memory = RowMemory.create(1, 4);
    memory.save(0, saved(7, 5), fill(1));
    const died = new Error('the thread ended here');
    expect(() =>
      memory.save(0, saved(7, 10), (into) => {
        into[0] = 9;
        throw died;
      }),
    ).toThrow(died);
    memory.save(0, saved(7, 15), () => false);
    expect(new RowMemory(memory.buffer).load(0, 7)).toEqual({
      saved: saved(7, 5),
      state: new Float32Array(4).fill(1),
    });
  });

  it('tells once which rows were in a step', () => {
    const memory = RowMemory.create(4, 1);
    memory.mark([0, 2, 3], true);
    memory.mark([3], false);
    const main = new RowMemory(memory.buffer);
    expect([main.takeMarked(), main.takeMarked()]).toEqual([[0, 2], []]);
  });

  it('is made anew where the model or the rows are others', () => {
    const memory = memoryFor(fakeManifest, 2, undefined);
    expect([memory.rows, memory.stateSize]).toEqual([2, 1]);
    expect(memoryFor(fakeManifest, 2, memory.buffer).buffer).toBe(memory.buffer);
    expect(memoryFor(fakeManifest, 3, memory.buffer).buffer).not.toBe(memory.buffer);
    const large = { ...fakeManifest, states: [{ input: 'kv', output: 'kv2', shape: ['B', 2 << 20] as never }] };
    expect(memoryFor(large, 2, memory.buffer).stateSize).toBe(0);
  });
});
