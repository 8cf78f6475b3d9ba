import type { SessionEvent, SessionEventType } from '@microturn/protocol';
import type { CallResult, ChatToolCall } from '../llm/index.js';

/** One side's turn, as the LLM is told of it. */
export type Turn = { readonly role: 'user' | 'assistant'; readonly text: string } | Called;

/** Tools that the agent called, and what they gave. */
export interface Called {
  readonly role: 'tools';
  readonly calls: readonly ChatToolCall[];
  readonly results: readonly CallResult[];
}

type Entry = Said | Called;

interface Said {
  readonly role: 'user' | 'assistant';
  /** Of the agent: what was said of the response, and what the listener heard of it so far. */
  readonly responseId?: string;
  readonly text: string;
  readonly heard: string;
  readonly state: 'live' | 'heard' | 'cut';
  /** Of the agent: what a task found, which it was given to say. */
  readonly relays?: boolean;
  /** A message that this LLM is asked, of which the session has not told yet; or one that went to a task, which answers it. */
  readonly typed?: 'untold' | 'task' | undefined;
}

/** What both sides have said, as far as it was heard, and what tools have done. */
export interface HeardHistory {
  readonly entries: readonly Entry[];
}

/** What an LLM is reminded of. Policy `dropOldest`. */
const MOST_TURNS = 60;
const MOST_CHARS = 12_000;
/** Of what a tool gave: the answer that called it has read all of it. */
const RESULT_CHARS = 2000;

/** Said besides of what a task has not answered yet: it is not asked of this LLM as well. */
const PASSED_ON = '(This is taken care of in the background: it is not for you to answer.)';

/** Between what the user says before these and what they say after is something else. */
const TURNS: ReadonlySet<SessionEventType> = new Set([
  'transcript.typed',
  'response.started',
  'response.completed',
  'response.interrupted',
]);

export const emptyHistory: HeardHistory = { entries: [] };

export function userSaid(history: HeardHistory, text: string, typed?: Said['typed']): HeardHistory {
  if (text.trim() === '') return history;
  const entry: Said = { role: 'user', text: text.trim(), heard: '', state: 'heard', ...(typed && { typed }) };
  return bounded([...history.entries, entry]);
}

/** Whatever becomes of the answer that called them: what was done once is not to be done again. */
export function toolsAnswered(history: HeardHistory, calls: Called['calls'], results: Called['results']): HeardHistory {
  const shortened = results.map((result) => {
    const { type, value } = result.output;
    if (value.length <= RESULT_CHARS) return result;
    return { ...result, output: { type, value: `${value.slice(0, RESULT_CHARS)}…` } };
  });
  return bounded([...history.entries, { role: 'tools', calls, results: shortened }]);
}

/**
 * The agent's side is what the session says of it: begun, made, heard, completed or interrupted. Of the user's, what they typed
 * that was for a task.
 */
export function followHistory(history: HeardHistory, event: SessionEvent): HeardHistory {
  switch (event.type) {
    case 'response.started':
      // "Mm-hm" is no turn: what the user said before and after it belongs together.
      if (event.kind === 'backchannel') return history;
      // Told again to a page that is back: all of its words follow once more.
      if (has(history, event.responseId)) return change(history, event.responseId, (entry) => ({ ...entry, text: '' }));
      return bounded([
        ...history.entries,
        {
          role: 'assistant',
          responseId: event.responseId,
          text: '',
          heard: '',
          state: 'live',
          ...(event.kind === 'relay' && { relays: true }),
        },
      ]);
    case 'transcript.typed':
      return typedIn(history, event.text);
    case 'response.text':
      return change(history, event.responseId, (entry) => ({ ...entry, text: `${entry.text} ${event.text}`.trim() }));
    case 'response.heard':
      return change(history, event.responseId, (entry) => ({ ...entry, heard: event.heardText }));
    case 'response.completed':
      // Also of a listener who had the sound off: it was said to its end, and can be read.
      return change(history, event.responseId, (entry) => ({ ...entry, heard: entry.text, state: 'heard' }));
    case 'response.interrupted': {
      const { responseId, heardText, unheardText } = event;
      const state = unheardText === '' ? 'heard' : 'cut';
      const { entries } = change(history, responseId, (entry) => ({ ...entry, heard: heardText, state }));
      // Of what nobody heard, nothing happened.
      return { entries: entries.filter((entry) => !isOf(responseId, entry) || heardText !== '') };
    }
    default:
      return history;
  }
}

/** What both sides have said in a session of a process that is gone, as its events tell. */
export function historyOf(events: readonly SessionEvent[]): HeardHistory {
  let history = emptyHistory;
  let words: string[] = [];
  let asked: string | undefined;
  for (const event of events) {
    if (event.type === 'transcript.word') words.push(event.text);
    else if (TURNS.has(event.type)) {
      history = userSaid(history, words.join(' '));
      words = [];
    }
    if (event.type === 'task.created' && event.origin === 'text') asked = event.prompt;
    // Of others than questions, nothing tells any more whether they went to a task.
    if (event.type === 'transcript.typed') {
      history = userSaid(history, event.text, event.text === asked ? 'task' : undefined);
      asked = undefined;
    } else history = followHistory(history, event);
  }
  return userSaid(history, words.join(' '));
}

/** Oldest first. */
export function turnsOf({ entries }: HeardHistory): Turn[] {
  const turns: Turn[] = [];
  const relayed = entries.findLastIndex((entry) => entry.role === 'assistant' && entry.relays && entry.heard !== '');
  for (const [index, entry] of entries.entries()) {
    if (entry.role === 'tools') {
      turns.push(entry);
      continue;
    }
    const text = textOf(entry, index > relayed);
    if (text !== '') turns.push({ role: entry.role, text });
  }
  return joined(turns);
}

/** @param owed nothing that a task found was said after it */
function textOf({ role, text, heard, state, typed }: Said, owed: boolean): string {
  if (role === 'assistant') return state === 'cut' ? `${heard} —` : heard;
  return typed === 'task' && owed ? `${text} ${PASSED_ON}` : text;
}

/** Turns of one side that follow each other are one: an LLM answers the last. */
export function joined(turns: readonly Turn[]): Turn[] {
  const joint: Turn[] = [];
  for (const turn of turns) {
    const last = joint.at(-1);
    if (turn.role !== 'tools' && last?.role === turn.role) {
      joint[joint.length - 1] = { ...last, text: `${last.text} ${turn.text}` };
    } else joint.push(turn);
  }
  return joint;
}

/** The session tells of every message; those that this LLM is asked are there already. */
function typedIn(history: HeardHistory, text: string): HeardHistory {
  const last = history.entries.at(-1);
  if (last?.role !== 'user' || last.typed !== 'untold') return userSaid(history, text, 'task');
  return { entries: [...history.entries.slice(0, -1), { ...last, typed: undefined }] };
}

function change(history: HeardHistory, responseId: string, to: (entry: Said) => Said): HeardHistory {
  return { entries: history.entries.map((entry) => (isOf(responseId, entry) ? to(entry) : entry)) };
}

function has({ entries }: HeardHistory, responseId: string): boolean {
  return entries.some((entry) => isOf(responseId, entry));
}

function isOf(responseId: string, entry: Entry): entry is Said {
  return entry.role === 'assistant' && entry.responseId === responseId;
}

function bounded(entries: readonly Entry[]): HeardHistory {
  let chars = 0;
  let from = entries.length;
  while (from > 0 && entries.length - from < MOST_TURNS) {
    chars += charsOf(entries[from - 1]!);
    if (chars > MOST_CHARS && from < entries.length) break;
    from--;
  }
  return { entries: entries.slice(from) };
}

function charsOf(entry: Entry): number {
  return entry.role === 'tools' ? JSON.stringify([entry.calls, entry.results]).length : entry.text.length;
}
