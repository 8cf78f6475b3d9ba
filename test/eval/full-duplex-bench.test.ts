import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { encodeWav } from '../call/wav.js';
import { fullDuplexBench } from './full-duplex-bench.js';
import type { Sound } from './bundle-listener.js';
import type { Figure } from './measures.js';
import type { Track } from './track.js';

let folder = '';
afterEach(() => rm(folder, { recursive: true, force: true }));

async function item(task: string, id: string, note: string, marks: unknown): Promise<void> {
  await mkdir(join(folder, task, id), { recursive: true });
  await writeFile(join(folder, task, id, 'input.wav'), encodeWav([new Int16Array(6 * 16_000)], 16_000));
  await writeFile(join(folder, task, id, note), JSON.stringify(marks));
}

const listener = (track: Partial<Track>, seen: Sound[] = []) => ({
  name: 'fake',
  reads: false,
  hear: async (sounds: readonly Sound[]) => {
    seen.push(...sounds);
    return sounds.map(() => ({ yields: [], stops: [], words: [], says: [], shows: [], ...track }));
  },
});

it('judges the tasks that are there, with the agent audible where it is interrupted', async () => {
  folder = await mkdtemp(join(tmpdir(), 'microturn-fdb-'));
  await item('candor_turn_taking', '1', 'turn_taking.json', [{ text: '[TURN-TAKING]', timestamp: [3, 3.2] }]);
  await item('synthetic_user_interruption', '7', 'interrupt.json', [{ timestamp: [4, 5] }]);
  const seen: Sound[] = [];
  const told: { task: string; figures: Figure[] }[] = [];
  for await (const part of fullDuplexBench(folder, listener({ yields: [3.4], stops: [4.2] }, seen))) told.push(part);
  const value = (measure: string) =>
    told.flatMap(({ figures }) => figures).find((figure) => figure.measure === measure)!.value;
  expect(told.map(({ task }) => task)).toEqual(['candor_turn_taking', 'synthetic_user_interruption']);
  expect(value('gap after a turn, median')).toBeCloseTo(0.4);
  expect(value('barge-in: stopped')).toBe(1);
  expect(seen.map(({ play }) => play[21])).toEqual([0, 1]);
});

it('says so where there is no such task', async () => {
  folder = await mkdtemp(join(tmpdir(), 'microturn-fdb-'));
  await expect(fullDuplexBench(folder, listener({})).next()).rejects.toThrow('synthetic_pause_handling');
});
