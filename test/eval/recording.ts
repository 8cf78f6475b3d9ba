import { readFile } from 'node:fs/promises';
import { resample } from '../call/resample.js';
import { parseWav, toInt16 } from '../call/wav.js';
import type { Sound } from './bundle-listener.js';
import { SAMPLES_PER_TURN } from './test-sets.js';
import type { Track } from './track.js';

const RATE_HZ = 16_000;
/** Silence after a recording: room for the end of its last turn to be found. */
const AFTER_SECONDS = 2;

/**
 * A recording as a session in which the agent says nothing.
 * @param afterSeconds of silence that follow
 * @throws {CallError} `call/bad-wav`
 */
export async function readRecording(file: string, afterSeconds = AFTER_SECONDS): Promise<Sound> {
  const samples = await readSamples(file);
  const turns = Math.ceil((samples.length + afterSeconds * RATE_HZ) / SAMPLES_PER_TURN);
  const mic = new Int16Array(turns * SAMPLES_PER_TURN);
  mic.set(samples);
  return { mic, ref: new Int16Array(mic.length), play: new Uint8Array(turns) };
}

/**
 * Its sound, 16 kHz, 16 bit.
 * @throws {CallError} `call/bad-wav`
 */
export async function readSamples(file: string): Promise<Int16Array> {
  return toInt16(resample(parseWav(await readFile(file)), RATE_HZ).samples);
}

export interface Transcription {
  readonly heard: string;
  readonly yields: readonly number[];
  readonly says: readonly string[];
  /** Over the words that the model knows; absent without a text. */
  readonly wordErrors?: { readonly rate: number; readonly words: number; readonly known: number };
}

/** What a track says of a recording, against what was read. Words outside `vocabulary` are left out on both sides. */
export function transcribe(track: Track, vocabulary: ReadonlySet<string>, text?: string): Transcription {
  const onsets = track.yields.filter((at, i) => i === 0 || at - track.yields[i - 1]! > 0.25);
  const heard = track.words.map((word) => word.text);
  const found = {
    heard: heard.join(' '),
    yields: onsets,
    says: track.says.map(({ at, what }) => `${at.toFixed(1)} s ${what}`),
  };
  if (text === undefined) return found;
  const read = wordsOf(text, vocabulary);
  const errors = distance(read, heard.filter((word) => vocabulary.has(word))); // prettier-ignore
  return {
    ...found,
    wordErrors: { rate: errors / Math.max(1, read.length), words: spoken(text).length, known: read.length },
  };
}

/** The words of a text that are in `vocabulary`, in the form that a model writes. */
export function wordsOf(text: string, vocabulary: ReadonlySet<string>): string[] {
  return spoken(text)
    .map((word) => singular(word, vocabulary))
    .filter((word) => vocabulary.has(word));
}

const spoken = (text: string): string[] => text.toLowerCase().match(/[a-z']+/g) ?? [];

function singular(word: string, vocabulary: ReadonlySet<string>): string {
  return !vocabulary.has(word) && vocabulary.has(word.replace(/s$/, '')) ? word.replace(/s$/, '') : word;
}

/** Words to add, remove or change. */
export function distance(from: readonly string[], to: readonly string[]): number {
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (const [i, word] of from.entries()) {
    const next = [i + 1];
    for (const [j, other] of to.entries()) {
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (word === other ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1)!;
}
