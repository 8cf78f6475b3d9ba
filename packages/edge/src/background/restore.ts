import type { SessionEvent } from '@microturn/protocol';
import { failurePhrases } from './phrases.js';
import { letters, nextPiece } from './speech-pieces.js';
import type { Task } from './task-reducer.js';

const apologies = new Set(failurePhrases.map(letters));

/** A response that said something of a task: its result, a question, or that it takes long. */
interface Relay {
  readonly id: string;
  readonly revision: number;
  readonly text: string;
  readonly heard: string;
}

/** The tasks of a session as its events tell of them, for the process that takes it up. Oldest first. */
export function restoreTasks(events: readonly SessionEvent[]): readonly Task[] {
  const tasks = new Map<string, Task>();
  const relays = new Map<string, Relay>();
  for (const event of events) {
    if (event.type === 'task.created') {
      const { taskId: id, revision, title, origin, prompt, subject, images = 0, at } = event;
      tasks.set(id, {
        id,
        revision,
        title,
        origin,
        prompt,
        subject,
        amendments: [],
        images,
        status: 'queued',
        createdAtMs: at,
        sinceMs: at,
        text: '',
        saidChars: 0,
        question: undefined,
        failure: undefined,
      });
      continue;
    }
    const task = 'taskId' in event && event.taskId !== undefined ? tasks.get(event.taskId) : undefined;
    if (task) tasks.set(task.id, applied(task, event));
    if (!('responseId' in event) || event.responseId === undefined) continue;
    const relay = event.type === 'response.started' && task ? relayOf(task) : relays.get(event.responseId);
    if (relay) relays.set(event.responseId, followed(relay, event));
  }
  return [...tasks.values()].map((task) => {
    if (task.status === 'done') return saidOf(task, [...relays.values()]);
    return task.status === 'failed' ? apologisedFor(task, [...relays.values()]) : task;
  });
}

function relayOf({ id, revision }: Task): Relay {
  return { id, revision, text: '', heard: '' };
}

function followed(relay: Relay, event: SessionEvent): Relay {
  switch (event.type) {
    case 'response.text':
      return { ...relay, text: `${relay.text} ${event.text}` };
    case 'response.heard':
    case 'response.interrupted':
      return { ...relay, heard: event.heardText };
    case 'response.completed':
      // Also with the sound off: it can be read, and is not said again.
      return { ...relay, heard: relay.text };
    default:
      return relay;
  }
}

/** Up to the last sentence of its result that was heard to its end. */
function saidOf(task: Task, relays: readonly Relay[]): Task {
  const { id, revision, text } = task;
  const ofThis = relays.filter((relay) => relay.id === id && relay.revision === revision);
  return { ...task, saidChars: ofThis.reduce((from, { heard }) => heardTo(text, from, heard), 0) };
}

/** Why it failed is told once: nothing is left to be said of it where any of that was heard. */
function apologisedFor(task: Task, relays: readonly Relay[]): Task {
  const told = ({ id, text, heard }: Relay) => id === task.id && heard !== '' && apologies.has(letters(text));
  return relays.some(told) ? { ...task, failure: undefined } : task;
}

function heardTo(text: string, fromChar: number, heardText: string): number {
  let heard = letters(heardText);
  let toChar = fromChar;
  for (let piece = nextPiece(text, toChar, true); piece; piece = nextPiece(text, toChar, true)) {
    const spoken = letters(piece.spoken);
    if (!heard.startsWith(spoken)) break;
    heard = heard.slice(spoken.length);
    toChar = piece.toChar;
  }
  return toChar;
}

function applied(task: Task, event: SessionEvent): Task {
  switch (event.type) {
    case 'task.progress': {
      const { revision, title, status, prompt = task.prompt, amendment } = event;
      const amendments = amendment === undefined ? task.amendments : [...task.amendments, amendment];
      return { ...task, revision, title, status, prompt, amendments };
    }
    case 'task.completed':
      return { ...task, status: 'done', text: event.text, sinceMs: event.at };
    case 'task.failed': {
      const { code, message, retryable, hint } = event;
      return { ...task, status: 'failed', failure: { code, message, retryable, hint } };
    }
    case 'task.cancelled':
      return { ...task, status: 'cancelled' };
    case 'task.stale':
      return { ...task, status: 'stale' };
    case 'task.woven':
      return { ...task, status: 'woven', saidChars: task.text.length };
    default:
      return task;
  }
}
