import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sound } from './bundle-listener.js';
import { secondsOf, type Figure, type Heard } from './heard.js';
import { overlaps, turnTaking } from './measures.js';
import { readRecording } from './recording.js';
import { Tally } from './share.js';
import { SAMPLES_PER_TURN, TURN_SECONDS, type Session, type SessionEvent } from './test-sets.js';
import type { Listener } from './track.js';

interface Task {
  readonly version: 'v1' | 'v1.5';
  readonly folder: string;
  /** Where it says when something happens, and what; nothing where only the whole recording counts. */
  readonly note?: { readonly file: string; readonly kind: SessionEvent['kind'] };
}

const METADATA = 'metadata.json';
const TASKS: readonly Task[] = [
  { version: 'v1', folder: 'synthetic_pause_handling', note: { file: 'pause.json', kind: 'hold' } },
  { version: 'v1', folder: 'candor_pause_handling', note: { file: 'pause.json', kind: 'hold' } },
  { version: 'v1', folder: 'candor_turn_taking', note: { file: 'turn_taking.json', kind: 'yield' } },
  { version: 'v1', folder: 'synthetic_user_interruption', note: { file: 'interrupt.json', kind: 'barge-in' } },
  { version: 'v1', folder: 'icc_backchannel' },
  { version: 'v1.5', folder: 'user_interruption', note: { file: METADATA, kind: 'barge-in' } },
  { version: 'v1.5', folder: 'user_backchannel', note: { file: METADATA, kind: 'backchannel' } },
  { version: 'v1.5', folder: 'talking_to_other', note: { file: METADATA, kind: 'elsewhere' } },
  { version: 'v1.5', folder: 'background_speech', note: { file: METADATA, kind: 'elsewhere' } },
];
const INPUT = 'input.wav';
/** What happens to an agent that speaks. */
const OVERLAPS: ReadonlySet<string> = new Set(['barge-in', 'backchannel', 'elsewhere']);
const BATCH = 16;
/** How long after a turn's end the recording waits for an answer. */
const ANSWER_SECONDS = 2;
/** Silence after a recording: an end that is the recording's is judged like any other. */
const AFTER_SECONDS = 4;
/** The agent is audible from this long before it is talked over. */
const AUDIBLE_SECONDS = 2;
/** And for so long after it, where that is no reason to stop. */
const GOING_ON_SECONDS = 1;

type Span = readonly [from: number, to: number];

/** What one listener made of one folder. */
export interface BenchPart {
  readonly task: string;
  readonly listener: string;
  readonly figures: readonly Figure[];
}

/**
 * The real Full-Duplex-Bench, for whoever has it. v1.0 is `PATH/TASK/ID/input.wav` with the notes of its task, as the README of its data
 * has it; v1.5 is `PATH/SUBSET/ID/input.wav` with `metadata.json`, whose `timestamps` are where the overlap begins and ends, as its own
 * evaluation reads it. Neither release was at hand: the layout is from what its authors and others who load it have published.
 *
 * Open loop: where a recording interrupts, or overlaps otherwise, the agent is taken to be audible from two seconds before, and
 * no answer of an LLM is heard. A turn counts as taken where the listener would let one speak.
 *
 * Of the published measures these are not computed: what a judge of language says (relevance by GPT-4o, RESPOND, RESUME, UNCERTAIN and UNKNOWN);
 * the Jensen-Shannon distance of backchannels to those of people (it needs their distribution, from the benchmark's repository); and how
 * the agent's voice changes (UTMOS, words per minute, pitch, intensity). Takeovers are not told by the words and seconds of an output, of which there is none.
 * @throws {Error} where none of the tasks is in `path`, or a note is not as it was published
 */
export async function* fullDuplexBench(path: string, listeners: readonly Listener<Sound>[]): AsyncGenerator<BenchPart> {
  const tasks = TASKS.filter(({ folder }) => existsSync(join(path, folder)));
  if (tasks.length === 0) throw new Error(`none of ${TASKS.map(({ folder }) => folder).join(', ')} in ${path}`);
  for (const task of tasks) {
    const all = await hearTask(join(path, task.folder), task, listeners);
    const suite = `full-duplex-bench ${task.version}, ${task.folder}`;
    for (const [i, { name }] of listeners.entries()) {
      const figures = task.note ? [...turnTaking(all[i]!), ...overlaps(all[i]!)] : backchannels(all[i]!);
      const counted = figures.filter(({ n }) => n > 0).map((figure) => ({ ...figure, suite }));
      yield { task: task.folder, listener: name, figures: counted };
    }
  }
}

/** By listener, what it made of each item. */
async function hearTask(folder: string, { note }: Task, listeners: readonly Listener<Sound>[]): Promise<Heard[][]> {
  const heard = listeners.map((): Heard[] => []);
  const ids = (await readdir(folder)).filter((id) => existsSync(join(folder, id, note?.file ?? INPUT))).sort();
  for (let at = 0; at < ids.length; at += BATCH) {
    const sessions = await Promise.all(ids.slice(at, at + BATCH).map((id) => readItem(join(folder, id), note)));
    const sounds = ofOneLength(sessions);
    for (const [i, listener] of listeners.entries()) {
      const tracks = await listener.hear(sounds);
      heard[i]!.push(...sessions.map((session, j) => ({ session, track: tracks[j]!, reads: listener.reads })));
    }
  }
  return heard;
}

async function readItem(folder: string, note: Task['note']): Promise<Session> {
  const sound = await readRecording(join(folder, INPUT), AFTER_SECONDS);
  const spans = note ? spansIn(await readFile(join(folder, note.file), 'utf8'), join(folder, note.file)) : [];
  const events = note ? spans.flatMap((span) => eventsOf(note.kind, span)) : [];
  const play = sound.play.slice();
  const turn = (seconds: number) => Math.floor(seconds / TURN_SECONDS);
  for (const { start, end, kind } of events.filter((event) => OVERLAPS.has(event.kind))) {
    const until = kind === 'barge-in' ? end : end + GOING_ON_SECONDS;
    play.fill(1, Math.max(0, turn(start - AUDIBLE_SECONDS)), turn(until));
  }
  return { ...sound, play, floor: new Uint8Array(play.length), words: [], events, typed: [] };
}

/** After an interruption the turn is the agent's again. */
function eventsOf(kind: SessionEvent['kind'], [from, to]: Span): SessionEvent[] {
  const end = (at: number) => ({ kind: 'yield', start: at, end: at + ANSWER_SECONDS, value: 0 });
  if (kind === 'yield') return [end(from)];
  const event = { kind, start: from, end: to, value: 0 };
  return kind === 'barge-in' ? [event, end(to)] : [event];
}

/** Of v1.0 a list, each with a `timestamp`; of v1.5 one thing with `timestamps`. */
function spansIn(text: string, file: string): Span[] {
  const note = JSON.parse(text) as { timestamp?: unknown }[] | { timestamps?: unknown };
  const spans = Array.isArray(note) ? note.map(({ timestamp }) => timestamp) : [note.timestamps];
  if (!spans.every(isSpan)) throw new Error(`${file}: expected where it begins and ends, got ${JSON.stringify(spans)}`);
  return spans;
}

function isSpan(span: unknown): span is Span {
  return Array.isArray(span) && span.length === 2 && span.every((bound) => Number.isFinite(bound));
}

/** Silence after those that are shorter: what hears several at once hears them side by side. */
function ofOneLength(sessions: readonly Session[]): Sound[] {
  const turns = Math.max(...sessions.map(({ play }) => play.length));
  const longer = (sound: Int16Array) => {
    const all = new Int16Array(turns * SAMPLES_PER_TURN);
    all.set(sound);
    return all;
  };
  return sessions.map(({ mic, ref, play }) => {
    const all = new Uint8Array(turns);
    all.set(play);
    return { mic: longer(mic), ref: longer(ref), play: all };
  });
}

/** Somebody talks at length: whether the turn is taken from them, and how often the agent shows that it listens where it is not. */
function backchannels(heard: readonly Heard[]): Figure[] {
  const taken = new Tally();
  const rates = heard.map(({ session, track }) => {
    const seconds = secondsOf(session) - AFTER_SECONDS;
    const isTaken = track.yields.some((at) => at <= seconds);
    taken.add(isTaken);
    const given = track.says.filter(({ what, at }) => what === 'backchannel' && at <= seconds);
    return isTaken ? 0 : given.length / seconds;
  });
  return [
    { suite: '', measure: 'turn taken while somebody talks', unit: 'share', better: 'lower', ...taken.share },
    { suite: '', measure: 'backchannels', unit: '/s', better: 'higher', ...mean(rates) },
  ];
}

/** With its 95 % interval. */
function mean(values: readonly number[]): Pick<Figure, 'value' | 'n' | 'low' | 'high'> {
  const n = values.length;
  if (n === 0) return { value: undefined, n, low: 0, high: Infinity };
  const value = values.reduce((sum, one) => sum + one, 0) / n;
  const spread = Math.sqrt(values.reduce((sum, one) => sum + (one - value) ** 2, 0) / Math.max(1, n - 1));
  const half = (1.96 * spread) / Math.sqrt(n);
  return { value, n, low: Math.max(0, value - half), high: value + half };
}
