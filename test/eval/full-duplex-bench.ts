import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sound } from './bundle-listener.js';
import type { Figure, Heard } from './measures.js';
import { turnTaking } from './measures.js';
import { readRecording } from './recording.js';
import { TURN_SECONDS, type Session, type SessionEvent } from './test-sets.js';
import type { Listener } from './track.js';

/** The folders of the published v1.0 that need no second model to judge, and what their notes say. */
const TASKS = [
  { folder: 'synthetic_pause_handling', note: 'pause.json', kind: 'hold' },
  { folder: 'candor_pause_handling', note: 'pause.json', kind: 'hold' },
  { folder: 'candor_turn_taking', note: 'turn_taking.json', kind: 'yield' },
  { folder: 'synthetic_user_interruption', note: 'interrupt.json', kind: 'barge-in' },
] as const;
const BATCH = 16;
/** How long after a turn's end the recording waits for an answer. */
const ANSWER_SECONDS = 2;
/** The agent is audible from this long before it is interrupted. */
const AUDIBLE_SECONDS = 2;

type Note = { timestamp: [number, number] }[];

/**
 * The real Full-Duplex-Bench v1.0, for whoever has it: `PATH/TASK/ID/input.wav` and its note.
 *
 * Open loop: where a recording interrupts, the agent is taken to be audible from two seconds before.
 * @throws {Error} where none of the tasks is in `path`
 */
export async function* fullDuplexBench(
  path: string,
  listener: Listener<Sound>,
): AsyncGenerator<{ task: string; figures: Figure[] }> {
  const tasks = TASKS.filter(({ folder }) => existsSync(join(path, folder)));
  if (tasks.length === 0) throw new Error(`none of ${TASKS.map(({ folder }) => folder).join(', ')} in ${path}`);
  for (const { folder, note, kind } of tasks) {
    const heard: Heard[] = [];
    const ids = (await readdir(join(path, folder))).filter((id) => existsSync(join(path, folder, id, note))).sort();
    for (let at = 0; at < ids.length; at += BATCH) {
      const sessions = await Promise.all(
        ids.slice(at, at + BATCH).map((id) => readItem(join(path, folder, id), note, kind)),
      );
      const tracks = await listener.hear(sessions);
      const { reads } = listener;
      heard.push(...sessions.map((session, i) => ({ session, track: tracks[i]!, reads })));
    }
    const figures = turnTaking(heard).filter(({ n }) => n > 0);
    yield { task: folder, figures: figures.map((figure) => ({ ...figure, suite: `full-duplex-bench v1, ${folder}` })) };
  }
}

async function readItem(folder: string, note: string, kind: SessionEvent['kind']): Promise<Session> {
  const sound = await readRecording(join(folder, 'input.wav'));
  const marks = JSON.parse(await readFile(join(folder, note), 'utf8')) as Note;
  const events = marks.map(({ timestamp: [from, to] }) => ({
    kind,
    start: from,
    end: kind === 'yield' ? from + ANSWER_SECONDS : to,
    value: 0,
  }));
  const turn = (seconds: number) => Math.floor(seconds / TURN_SECONDS);
  const play = sound.play.slice();
  if (kind === 'barge-in')
    for (const { start, end } of events) play.fill(1, Math.max(0, turn(start - AUDIBLE_SECONDS)), turn(end));
  return { ...sound, play, floor: new Uint8Array(play.length), words: [], events, typed: [] };
}
