import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sound } from './bundle-listener.js';
import { percentile, type Figure } from './heard.js';
import { readSamples, wordsOf } from './recording.js';
import { share, Tally } from './share.js';
import { SAMPLES_PER_TURN, TURN_SECONDS } from './test-sets.js';
import type { Listener, Track } from './track.js';

const TABLE = 'clips.tsv';
const COLUMNS = ['set', 'speaker', 'file', 'text'];
/** What the agent says while it is talked over. */
const AGENT = 'agent.wav';
const RATE_HZ = 16_000;
const BATCH = 16;
const BEFORE_SECONDS = 1;
/** The end of a turn has as long as in any other suite, and a micro-turn to be told in. */
const AFTER_SECONDS = 2.2;
const PATIENCE_SECONDS = 1.6;
/** A word is written at most this long after the recording, which is cut where it ends. */
const WORD_LATE_SECONDS = 0.7;
/** The last sound of a word is often quieter than what a recording is cut at. */
const END_EARLY_SECONDS = 0.1;
/** Said over the agent, something shorter may be there to show that one listens. */
const SHORTEST_INTERRUPTION_SECONDS = 1;
const PROMPT_TURNS = 2;
/** A quiet room: about -61 dBFS. */
const NOISE_STEP = 100;

/** A recording of one utterance. */
interface Clip {
  readonly set: string;
  readonly speaker: string;
  readonly file: string;
  /** What is said in it; empty where nobody wrote that down. */
  readonly text: string;
}

interface Heard {
  readonly clip: Clip;
  /** Of what is said in it. */
  readonly end: number;
  readonly alone: Track;
  /** Over the agent, who is audible from the start; absent where it is too short to be an interruption. */
  readonly over?: Track;
}

/** What one listener made of one set, or of one speaker of it. */
export interface PeoplePart {
  readonly set: string;
  readonly listener: string;
  readonly figures: readonly Figure[];
}

/**
 * Utterances that were recorded one by one, each in a quiet room of its own, and again while the agent talks: what is heard of people, where
 * there are recordings of any. `models/nano/recipe/people.py` makes such a folder of what Debian has.
 * @param path a folder with `clips.tsv`, whose columns are set, speaker, file and text, the WAV files that it names, and `agent.wav`
 * @param vocabularies of the listeners, in their order; of those that hear no words, none
 * @param limit of utterances in each set
 * @throws {Error} where `path` has none, or a line is not one
 */
export async function* people(
  path: string,
  listeners: readonly Listener<Sound>[],
  vocabularies: readonly ReadonlySet<string>[],
  limit = Infinity,
): AsyncGenerator<PeoplePart> {
  const sets = groupedBy(await readClips(path), ({ set }) => set);
  const agent = await readSamples(join(path, AGENT));
  for (const [set, clips] of sets) {
    const heard = await hear(path, clips.slice(0, limit), listeners, agent);
    for (const [i, { name }] of listeners.entries()) {
      yield { set, listener: name, figures: figuresOf(heard[i]!, vocabularies[i]) };
      const speakers = groupedBy(heard[i]!, ({ clip }) => clip.speaker);
      if (speakers.size < 2) continue;
      for (const [speaker, some] of speakers)
        yield { set: `${set}, ${speaker}`, listener: name, figures: figuresOf(some, vocabularies[i]) };
    }
  }
}

async function readClips(path: string): Promise<Clip[]> {
  if (!existsSync(join(path, TABLE))) throw new Error(`no ${TABLE} in ${path}: models/nano/recipe/people.py makes one`);
  const [head, ...lines] = (await readFile(join(path, TABLE), 'utf8')).replace(/\n$/, '').split('\n');
  if (head !== COLUMNS.join('\t')) throw new Error(`${TABLE}: expected the columns ${COLUMNS.join(', ')}, got ${head}`);
  return lines.map((line, i) => {
    const [set, speaker, file, text, ...more] = line.split('\t');
    if (!set || !speaker || !file || text === undefined || more.length > 0)
      throw new Error(`${TABLE}: line ${i + 2} has not the columns ${COLUMNS.join(', ')}`);
    return { set, speaker, file, text };
  });
}

/** By listener, what it made of each recording. */
async function hear(
  path: string,
  clips: readonly Clip[],
  listeners: readonly Listener<Sound>[],
  agent: Int16Array,
): Promise<Heard[][]> {
  const heard = listeners.map((): Heard[] => []);
  for (let at = 0; at < clips.length; at += BATCH) {
    const some = clips.slice(at, at + BATCH);
    const voices = await Promise.all(some.map(({ file }) => readSamples(join(path, file))));
    const turns = Math.max(...voices.map((voice) => turnsOf(voice)));
    const alone = voices.map((voice) => inRoom(voice, turns));
    const over = alone.map((room) => overAgent(room, agent));
    for (const [i, listener] of listeners.entries()) {
      const [quiet, talkedOver] = [await listener.hear(alone), await listener.hear(over)];
      for (const [j, clip] of some.entries()) {
        const seconds = voices[j]!.length / RATE_HZ;
        const track = { clip, end: BEFORE_SECONDS + seconds, alone: quiet[j]! };
        heard[i]!.push(seconds < SHORTEST_INTERRUPTION_SECONDS ? track : { ...track, over: talkedOver[j]! });
      }
    }
  }
  return heard;
}

const turnsOf = (voice: Int16Array) =>
  Math.ceil((voice.length + (BEFORE_SECONDS + AFTER_SECONDS) * RATE_HZ) / SAMPLES_PER_TURN);

function inRoom(voice: Int16Array, turns: number): Sound {
  const mic = Int16Array.from(
    { length: turns * SAMPLES_PER_TURN },
    (_, i) => ((Math.imul(i, 2_654_435_761) >>> 8) % NOISE_STEP) - NOISE_STEP / 2,
  );
  const first = BEFORE_SECONDS * RATE_HZ;
  for (const [i, sample] of voice.entries()) mic[first + i] = clipped(sample + mic[first + i]!);
  return { mic, ref: new Int16Array(mic.length), play: new Uint8Array(turns) };
}

const clipped = (sample: number) => Math.max(-32_768, Math.min(32_767, sample));

/** With headphones, so that nothing of the agent is in the microphone. */
function overAgent({ mic, play }: Sound, agent: Int16Array): Sound {
  return { mic, ref: mic.map((_, i) => agent[i % agent.length]!), play: play.map(() => 1) };
}

function figuresOf(heard: readonly Heard[], vocabulary: ReadonlySet<string> | undefined): Figure[] {
  const suite = 'recordings of people';
  const [found, early, stopped, startled] = [new Tally(), new Tally(), new Tally(), new Tally()];
  const gaps: number[] = [];
  for (const { end, alone, over } of heard) {
    const last = end - END_EARLY_SECONDS;
    early.add(alone.yields.some((at) => at > BEFORE_SECONDS && at <= last));
    const at = alone.yields.find((moment) => moment > last && moment <= end + PATIENCE_SECONDS + TURN_SECONDS);
    found.add(at !== undefined);
    if (at !== undefined) gaps.push(at - end);
    if (!over) continue;
    // An agent that had stopped already was not stopped by them.
    const stop = over.stops[0];
    const turn = (moment: number, edge: number) => Math.floor(moment / TURN_SECONDS + edge);
    const prompt = stop !== undefined && turn(stop, -1e-6) <= turn(BEFORE_SECONDS, 1e-6) + PROMPT_TURNS;
    startled.add(stop !== undefined && stop <= BEFORE_SECONDS);
    stopped.add(prompt && stop > BEFORE_SECONDS);
  }
  const missed = heard.length - gaps.length;
  return [
    ...(vocabulary ? [words(heard, vocabulary, suite)] : []),
    { suite, measure: 'end found within 1.6 s', unit: 'share', better: 'higher', ...found.share },
    { suite, measure: 'gap after it, median', unit: 's', better: 'lower', ...percentile(gaps, missed, 0.5) },
    { suite, measure: 'turn taken before the end', unit: 'share', better: 'lower', ...early.share },
    { suite, measure: 'stopped within two micro-turns', unit: 'share', better: 'higher', ...stopped.share },
    { suite, measure: 'stopped before anybody spoke', unit: 'share', better: 'lower', ...startled.share },
  ];
}

/** Words of `vocabulary` that are heard in the order in which they were said. The interval is that of recall and precision pooled. */
function words(heard: readonly Heard[], vocabulary: ReadonlySet<string>, suite: string): Figure {
  let [hits, all] = [0, 0];
  for (const { clip, end, alone } of heard) {
    if (clip.text === '') continue;
    const said = wordsOf(clip.text, vocabulary);
    const written = alone.words.filter(({ text, end: at }) => vocabulary.has(text) && at <= end + WORD_LATE_SECONDS);
    hits += common(
      said,
      written.map(({ text }) => text),
    );
    all += said.length + written.length;
  }
  return { suite, measure: 'words that it knows, F1', unit: 'share', better: 'higher', ...share(2 * hits, all) };
}

function groupedBy<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
}

/** The length of the longest common subsequence. */
export function common(from: readonly string[], to: readonly string[]): number {
  let row = to.map(() => 0);
  for (const word of from) {
    const next: number[] = [];
    for (const [j, other] of to.entries())
      next.push(word === other ? (row[j - 1] ?? 0) + 1 : Math.max(row[j]!, next[j - 1] ?? 0));
    row = next;
  }
  return row.at(-1) ?? 0;
}
