import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { encodeWav } from '../call/wav.js';
import type { Sound } from './bundle-listener.js';
import { common, people, type PeoplePart } from './people.js';
import type { Track } from './track.js';

const RATE_HZ = 16_000;
const KNOWN = new Set(['a', 'dog', 'two', 'cat']);
const HEAD = 'set\tspeaker\tfile\ttext';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'microturn-people-'));
  await writeFile(join(folder, 'agent.wav'), encodeWav([new Int16Array(2 * RATE_HZ).fill(500)], RATE_HZ));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function recording(file: string, seconds: number): Promise<void> {
  await writeFile(join(folder, file), encodeWav([new Int16Array(seconds * RATE_HZ).fill(3000)], RATE_HZ));
}

const table = (...lines: string[]) => writeFile(join(folder, 'clips.tsv'), [HEAD, ...lines, ''].join('\n'));

/** Where the agent is audible it stops at `stops`. */
const listener = (track: Partial<Track>, stops: readonly number[], seen: Sound[] = []) => ({
  name: 'fake',
  reads: false,
  hear: async (sounds: readonly Sound[]) => {
    seen.push(...sounds);
    return sounds.map(({ play }) => ({
      ...{ yields: [], words: [], says: [], shows: [], ...track },
      stops: play.includes(1) ? [...stops] : [],
    }));
  },
});

async function told(one: ReturnType<typeof listener>, limit?: number): Promise<PeoplePart[]> {
  const parts: PeoplePart[] = [];
  for await (const part of people(folder, [one], [KNOWN], limit)) parts.push(part);
  return parts;
}

const value = (parts: readonly PeoplePart[], set: string, measure: string) =>
  parts.find((part) => part.set === set)!.figures.find((figure) => figure.measure === measure)!.value;

const word = (text: string, end: number) => ({ text, end, known: end });

it('tells what was heard of each set and speaker, and whether the end was found and the agent stopped', async () => {
  await recording('1.wav', 2);
  await recording('2.wav', 0.5);
  await table('people\tann\t1.wav\tA dog, a zebu!', 'people\tbob\t2.wav\ttwo', 'more\tann\t1.wav\t');
  const seen: Sound[] = [];
  const heard = { yields: [1.2, 3.4], words: [word('dog', 2.4), word('<unk>', 2.6), word('two', 1.6)] };
  const parts = await told(listener(heard, [1.6], seen));
  expect(parts.map(({ set }) => set)).toEqual(['people', 'people, ann', 'people, bob', 'more']);
  // Of two a's and a dog it heard the dog, and a two that nobody said; of the two the two, and a dog too late to be of it.
  expect(value(parts, 'people, ann', 'words that it knows, F1')).toBeCloseTo(2 / 5);
  expect(value(parts, 'people, bob', 'words that it knows, F1')).toBe(1);
  expect(value(parts, 'more', 'words that it knows, F1')).toBeUndefined();
  expect(value(parts, 'people, ann', 'end found within 1.6 s')).toBe(1);
  expect(value(parts, 'people, ann', 'gap after it, median')).toBeCloseTo(0.4);
  expect(value(parts, 'people, bob', 'end found within 1.6 s')).toBe(0);
  expect(value(parts, 'people, ann', 'turn taken before the end')).toBe(1);
  expect(value(parts, 'people, ann', 'stopped within two micro-turns')).toBe(1);
  // What is as short as "uh-huh" interrupts nobody.
  expect(value(parts, 'people, bob', 'stopped within two micro-turns')).toBeUndefined();
  expect(seen.map(({ play }) => play[0])).toEqual([0, 0, 1, 1, 0, 1]);
});

it('credits no stop that comes before the first word, or three micro-turns after it, and counts the former', async () => {
  await recording('1.wav', 2);
  await table('people\tann\t1.wav\ttwo');
  for (const [stops, prompt, before] of [
    [[0.8], 0, 1],
    [[0.8, 1.4], 0, 1],
    [[1.2], 1, 0],
    [[1.6], 1, 0],
    [[1.7], 0, 0],
    [[1.8], 0, 0],
    [[], 0, 0],
  ] as const) {
    const parts = await told(listener({}, stops));
    expect(value(parts, 'people', 'stopped within two micro-turns')).toBe(prompt);
    expect(value(parts, 'people', 'stopped before anybody spoke')).toBe(before);
  }
});

it('hears no more of a set than it is told to', async () => {
  await recording('1.wav', 1);
  await table(...Array.from({ length: 20 }, (_, i) => `${i % 2 ? 'a' : 'b'}\tann\t1.wav\ttwo`));
  const parts = await told(listener({}, []), 3);
  expect(parts.map(({ figures }) => figures.at(-1)!.n)).toEqual([3, 3]);
});

it.each([
  ['a folder without a table', undefined, 'no clips.tsv in'],
  ['other columns', 'file\ttext\n', 'expected the columns set, speaker, file, text'],
  ['a line without a file', `${HEAD}\npeople\tann\t1.wav\ttwo\npeople\tann\n`, 'line 3'],
])('refuses %s, and says why', async (_, content, message) => {
  if (content !== undefined) await writeFile(join(folder, 'clips.tsv'), content);
  await expect(told(listener({}, []))).rejects.toThrow(message);
});

it('finds the longest common subsequence', () => {
  expect(common(['a', 'dog', 'a', 'cat'], ['dog', 'a', 'two', 'cat'])).toBe(3);
  expect(common([], ['a'])).toBe(0);
  expect(common(['a'], [])).toBe(0);
});
