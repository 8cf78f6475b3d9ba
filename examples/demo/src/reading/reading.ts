import type { SessionEvent } from '@microturn/sdk';
import { knownWords } from '../content/words.js';
import { tasks, type ReadingTask } from './sentences.js';

/** What came of one task. */
export interface Outcome {
  /** Something was heard of the reader: silence says nothing about the ears. */
  readonly counts: boolean;
  /** Words of the sentence that the model knows. */
  readonly words: number;
  /** Of those: missed, mistaken or added. */
  readonly errors: number;
  /** How often it took the sentence to be over, and the reader went on. */
  readonly cutIns: number;
  /** The agent fell silent though the reader only agreed. */
  readonly falseStop: boolean;
}

export interface Reading {
  readonly me: string | undefined;
  readonly outcomes: readonly Outcome[];
  /** Of the task on show. */
  readonly heard: readonly string[];
  readonly yieldedMs: number | undefined;
  readonly cutIns: number;
  readonly falseStop: boolean;
}

export const noReading: Reading = {
  me: undefined,
  outcomes: [],
  heard: [],
  yieldedMs: undefined,
  cutIns: 0,
  falseStop: false,
};

export function watchReading(reading: Reading, event: SessionEvent): Reading {
  const isMine = (participant: string) => reading.me === undefined || reading.me === participant;
  switch (event.type) {
    case 'session.started':
      return { ...reading, me: event.participant };
    case 'transcript.word': {
      if (!isMine(event.participant)) return reading;
      // A word that ended before the floor was yielded is only told late.
      const wentOn = reading.yieldedMs !== undefined && event.endMs > reading.yieldedMs;
      return {
        ...reading,
        heard: [...reading.heard, event.text],
        cutIns: reading.cutIns + (wentOn ? 1 : 0),
        yieldedMs: wentOn ? undefined : reading.yieldedMs,
      };
    }
    case 'floor.changed':
      if (!isMine(event.participant) || event.floor !== 'yielded' || reading.heard.length === 0) return reading;
      return { ...reading, yieldedMs: event.at };
    case 'response.interrupted':
      return event.by === 'user' ? { ...reading, falseStop: true } : reading;
    default:
      return reading;
  }
}

/** The task on show was read: its outcome, and a fresh start for the next. */
export function finishTask(reading: Reading): Reading {
  const task = tasks[reading.outcomes.length];
  if (!task) return reading;
  return { ...noReading, me: reading.me, outcomes: [...reading.outcomes, outcomeOf(task, reading)] };
}

/** The task on show is left out. */
export function skipTask({ me, outcomes }: Reading): Reading {
  return finishTask({ ...noReading, me, outcomes });
}

function outcomeOf(task: ReadingTask, { heard, cutIns, falseStop }: Reading): Outcome {
  if (task.kind === 'agree') return { ...noOutcome, counts: falseStop || heard.length > 0, falseStop };
  if (heard.length === 0) return noOutcome;
  const expected = knownWords(task.text);
  const known = knownWords(heard.filter((word) => word !== '<unk>').join(' '));
  // More than all of them cannot be wrong, however much was added.
  const errors = Math.min(expected.length, distance(expected, known));
  return { ...noOutcome, counts: true, words: expected.length, errors, cutIns };
}

const noOutcome: Outcome = { counts: false, words: 0, errors: 0, cutIns: 0, falseStop: false };

/** Words to add, remove or change. */
function distance(from: readonly string[], to: readonly string[]): number {
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

export interface Totals extends Pick<Outcome, 'words' | 'errors' | 'cutIns'> {
  readonly falseStops: number;
  /** In how many tasks the reader agreed. */
  readonly agreed: number;
  /** Tasks that do not count. */
  readonly uncounted: number;
}

export function totalsOf({ outcomes }: Reading): Totals {
  const sum = (part: (outcome: Outcome) => number) => outcomes.reduce((all, outcome) => all + part(outcome), 0);
  return {
    words: sum(({ words }) => words),
    errors: sum(({ errors }) => errors),
    cutIns: sum(({ cutIns }) => cutIns),
    falseStops: sum(({ falseStop }) => (falseStop ? 1 : 0)),
    agreed: outcomes.filter(({ counts }, place) => counts && tasks[place]?.kind === 'agree').length,
    uncounted: outcomes.filter(({ counts }) => !counts).length,
  };
}
