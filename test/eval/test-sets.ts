import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseNpy, type NpyArray } from './npy.js';

/** Something that happened in a session, seconds. `value` is a count or a number of seconds where it has one. */
export interface SessionEvent {
  /** A recipe may make some that are not measured. */
  readonly kind: string;
  readonly start: number;
  readonly end: number;
  readonly value: number;
}

export interface SpokenWord {
  readonly name: string;
  /** The form that the transcript uses: one for singular and plural. */
  readonly written: string;
  readonly start: number;
  readonly end: number;
}

/** One recorded session, and what is true of it. Sound is 16 kHz, 16 bit. */
export interface Session {
  /** Microphone, and what the agent played. */
  readonly mic: Int16Array;
  readonly ref: Int16Array;
  /** By micro-turn: 1 while the agent is audible. */
  readonly play: Uint8Array;
  /** By micro-turn: the recipe's class; 0 where nobody but the agent is heard. */
  readonly floor: Uint8Array;
  readonly words: readonly SpokenWord[];
  readonly events: readonly SessionEvent[];
  /** By micro-turn: what was typed, and the marks of the runtime, in words of the recipe with spaces between them. */
  readonly typed: readonly string[];
}

export const SAMPLES_PER_TURN = 3_200;
export const TURN_SECONDS = 0.2;

/** Where the recipe leaves its test sets. */
export function recipeHome(): string {
  return process.env['MICROTURN_NANO_HOME'] ?? join(homedir(), '.cache/microturn/nano');
}

const MARK = /^<(?!unk>)/;
export const isMark = (word: string) => MARK.test(word);

/** Whether instructions were typed, so that a model that does not read cannot know of them. */
export function hasTyped({ typed }: Session): boolean {
  return typed.some((text) => text.split(' ').some((word) => word !== '' && !isMark(word)));
}

/**
 * The sessions of one test set, shard by shard: one of them is about 90 MB of sound.
 * @param names of the recipe's words, by class: what was typed is kept as classes
 * @param limit of sessions in all
 * @throws {Error} where the set was not rendered
 */
export async function* testSet(
  folder: string,
  name: string,
  names: readonly string[],
  limit = Infinity,
): AsyncGenerator<Session[]> {
  const shards = existsSync(folder)
    ? (await readdir(folder)).filter((shard) => isShard(folder, shard, name)).sort()
    : [];
  if (shards.length === 0) throw new Error(`no test set ${name} in ${folder}: models/nano/recipe makes it`);
  for (const shard of shards) {
    const sessions = await readShard(join(folder, shard), names, limit);
    limit -= sessions.length;
    yield sessions;
    if (limit <= 0) return;
  }
}

function isShard(folder: string, shard: string, name: string): boolean {
  return new RegExp(`^${name}-\\d+$`).test(shard) && existsSync(join(folder, shard, 'sessions.json'));
}

async function readShard(folder: string, names: readonly string[], limit: number): Promise<Session[]> {
  const array = async (name: string) => parseNpy(await readFile(join(folder, `${name}.npy`)));
  const [sound, play, floor, typed] = await Promise.all(['sound', 'play', 'floor', 'typed'].map(array));
  const notes = JSON.parse(await readFile(join(folder, 'sessions.json'), 'utf8')) as Pick<
    Session,
    'words' | 'events'
  >[];
  const row = (array: NpyArray | undefined, index: number, rows = notes.length) =>
    array!.data.subarray((array!.data.length / rows) * index, (array!.data.length / rows) * (index + 1));
  return notes.slice(0, limit).map(({ words, events }, index) => ({
    mic: row(sound, 2 * index, 2 * notes.length) as Int16Array,
    ref: row(sound, 2 * index + 1, 2 * notes.length) as Int16Array,
    play: row(play, index) as Uint8Array,
    floor: row(floor, index) as Uint8Array,
    words,
    events,
    typed: textOf(row(typed, index) as Int16Array, row(play, index).length, names),
  }));
}

function textOf(tokens: Int16Array, turns: number, names: readonly string[]): string[] {
  const width = tokens.length / turns;
  return Array.from({ length: turns }, (_, turn) =>
    Array.from(tokens.subarray(turn * width, (turn + 1) * width))
      .filter((token) => token > 0)
      .map((token) => names[token] ?? '<unk>')
      .join(' '),
  );
}

/** One micro-turn of 16 bit sound in [-1, 1]. */
export function turnOf(sound: Int16Array, index: number): Float32Array {
  return Float32Array.from(
    sound.subarray(index * SAMPLES_PER_TURN, (index + 1) * SAMPLES_PER_TURN),
    (sample) => sample / 32_767,
  );
}
