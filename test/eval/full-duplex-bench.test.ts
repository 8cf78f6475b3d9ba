import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { encodeWav } from '../call/wav.js';
import type { Sound } from './bundle-listener.js';
import { fullDuplexBench, type BenchPart } from './full-duplex-bench.js';
import type { Track } from './track.js';

let folder = '';
afterEach(() => rm(folder, { recursive: true, force: true }));

/** @param note a file, and what is in it */
async function item(task: string, id: string, note?: [file: string, marks: unknown], seconds = 6): Promise<void> {
  await mkdir(join(folder, task, id), { recursive: true });
  await writeFile(join(folder, task, id, 'input.wav'), encodeWav([new Int16Array(seconds * 16_000)], 16_000));
  if (note) await writeFile(join(folder, task, id, note[0]), JSON.stringify(note[1]));
}

const listener = (track: Partial<Track>, seen: Sound[] = [], name = 'fake') => ({
  name,
  reads: false,
  hear: async (sounds: readonly Sound[]) => {
    seen.push(...sounds);
    return sounds.map(() => ({ yields: [], stops: [], words: [], says: [], shows: [], ...track }));
  },
});

async function told(...listeners: ReturnType<typeof listener>[]): Promise<BenchPart[]> {
  const parts: BenchPart[] = [];
  for await (const part of fullDuplexBench(folder, listeners)) parts.push(part);
  return parts;
}

const figure = (parts: readonly BenchPart[], measure: string) =>
  parts.flatMap(({ figures }) => figures).find((one) => one.measure === measure);

it('judges the tasks that are there, with the agent audible where it is interrupted', async () => {
  folder = await mkdtemp(join(tmpdir(), 'microturn-fdb-'));
  await item('candor_turn_taking', '1', ['turn_taking.json', [{ text: '[TURN-TAKING]', timestamp: [3, 3.2] }]]);
  await item('synthetic_user_interruption', '7', ['interrupt.json', [{ timestamp: [4, 5] }]]);
  const seen: Sound[] = [];
  const parts = await told(listener({ yields: [3.4], stops: [4.2] }, seen));
  expect(parts.map(({ task }) => task)).toEqual(['candor_turn_taking', 'synthetic_user_interruption']);
  expect(figure(parts, 'gap after a turn, median')!.value).toBeCloseTo(0.4);
  expect(figure(parts, 'barge-in: stopped')!.value).toBe(1);
  expect(seen.map(({ play }) => play[21])).toEqual([0, 1]);
});

it('judges the overlaps of v1.5, in which the agent goes on speaking unless it is interrupted', async () => {
  folder = await mkdtemp(join(tmpdir(), 'microturn-fdb-'));
  const metadata = (span: number[]): [string, unknown] => ['metadata.json', { timestamps: span }];
  for (const subset of ['user_interruption', 'user_backchannel', 'talking_to_other', 'background_speech'])
    await item(subset, '1', metadata([4, 5]));
  const seen: Sound[] = [];
  const parts = await told(listener({ stops: [4.4], yields: [5.4] }, seen));
  const of = (subset: string, measure: string) =>
    figure(
      parts.filter(({ task }) => task === subset),
      measure,
    );
  expect(of('user_interruption', 'barge-in: stopped')).toMatchObject({
    value: 1,
    n: 1,
    suite: 'full-duplex-bench v1.5, user_interruption',
  });
  expect(of('user_interruption', 'gap after a turn, median')!.value).toBeCloseTo(0.4);
  expect(of('user_backchannel', 'backchannel: stopped')!.value).toBe(1);
  expect(of('talking_to_other', 'background speech: stopped')!.value).toBe(1);
  expect(of('background_speech', 'background speech: stopped')!.value).toBe(1);
  expect(seen.map(({ play }) => play[27])).toEqual([0, 1, 1, 1]);
});

it('tells whether a turn is taken from somebody who talks at length, and how many backchannels they get', async () => {
  folder = await mkdtemp(join(tmpdir(), 'microturn-fdb-'));
  await item('icc_backchannel', '1', undefined, 10);
  const says = [2, 5, 11].map((at) => ({ at, what: 'backchannel' }));
  // What follows the recording is not of it.
  const patient = await told(listener({ says, yields: [10.4] }));
  expect(figure(patient, 'turn taken while somebody talks')!.value).toBe(0);
  expect(figure(patient, 'backchannels')).toMatchObject({ unit: '/s', n: 1 });
  expect(figure(patient, 'backchannels')!.value).toBeCloseTo(0.2);
  const hasty = await told(listener({ says, yields: [8] }));
  expect(figure(hasty, 'turn taken while somebody talks')!.value).toBe(1);
  expect(figure(hasty, 'backchannels')!.value).toBe(0);
});

it('lets all listeners hear the same, of one length', async () => {
  folder = await mkdtemp(join(tmpdir(), 'microturn-fdb-'));
  await item('icc_backchannel', '1', undefined, 2);
  await item('icc_backchannel', '2', undefined, 4);
  const [seen, also]: [Sound[], Sound[]] = [[], []];
  const parts = await told(listener({}, seen, 'one'), listener({}, also, 'other'));
  expect(parts.map((part) => part.listener)).toEqual(['one', 'other']);
  expect(also).toEqual(seen);
  expect(new Set(seen.map(({ mic }) => mic.length)).size).toBe(1);
});

it('says so where there is no such task, or a note is another', async () => {
  folder = await mkdtemp(join(tmpdir(), 'microturn-fdb-'));
  await expect(told(listener({}))).rejects.toThrow('synthetic_pause_handling');
  await item('user_backchannel', '1', ['metadata.json', { timestamps: [4] }]);
  await expect(told(listener({}))).rejects.toThrow('metadata.json: expected where it begins and ends');
});
