import type { SessionEvent, SessionEventType } from '@microturn/protocol';

/** One side's turn, as the LLM is told of it. */
export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly text: string;
}

interface Entry {
  readonly role: Turn['role'];
  /** Of the agent: what was said of the response, and what the listener heard of it so far. */
  readonly responseId?: string;
  readonly text: string;
  readonly heard: string;
  readonly state: 'live' | 'heard' | 'cut';
}

/** What both sides have said, as far as it was heard. */
export interface HeardHistory {
  readonly entries: readonly Entry[];
}

/** What an LLM is reminded of. Policy `dropOldest`. */
const MOST_TURNS = 60;
const MOST_CHARS = 12_000;

/** Between what the user says before these and what they say after is something else. */
const TURNS: ReadonlySet<SessionEventType> = new Set([
  'transcript.typed',
  'response.started',
  'response.completed',
  'response.interrupted',
]);

export const emptyHistory: HeardHistory = { entries: [] };

export function userSaid(history: HeardHistory, text: string): HeardHistory {
  if (text.trim() === '') return history;
  return bounded([...history.entries, { role: 'user', text: text.trim(), heard: '', state: 'heard' }]);
}

/** The agent's side is what the session says of it: begun, made, heard, completed or interrupted. */
export function followHistory(history: HeardHistory, event: SessionEvent): HeardHistory {
  switch (event.type) {
    case 'response.started':
      // "Mm-hm" is no turn: what the user said before and after it belongs together.
      if (event.kind === 'backchannel') return history;
      return bounded([
        ...history.entries,
        { role: 'assistant', responseId: event.responseId, text: '', heard: '', state: 'live' },
      ]);
    case 'response.text':
      return change(history, event.responseId, (entry) => ({ ...entry, text: `${entry.text} ${event.text}`.trim() }));
    case 'response.heard':
      return change(history, event.responseId, (entry) => ({ ...entry, heard: event.heardText }));
    case 'response.completed':
      return change(history, event.responseId, (entry) => ({ ...entry, heard: entry.text, state: 'heard' }));
    case 'response.interrupted': {
      const { responseId, heardText, unheardText } = event;
      const state = unheardText === '' ? 'heard' : 'cut';
      const { entries } = change(history, responseId, (entry) => ({ ...entry, heard: heardText, state }));
      // Of what nobody heard, nothing happened.
      return { entries: entries.filter((entry) => entry.responseId !== responseId || heardText !== '') };
    }
    default:
      return history;
  }
}

/** What both sides have said in a session of a process that is gone, as its events tell. */
export function historyOf(events: readonly SessionEvent[]): HeardHistory {
  let history = emptyHistory;
  let words: string[] = [];
  for (const event of events) {
    if (event.type === 'transcript.word') words.push(event.text);
    else if (TURNS.has(event.type)) {
      history = userSaid(history, words.join(' '));
      words = [];
    }
    if (event.type === 'transcript.typed') history = userSaid(history, event.text);
    history = followHistory(history, event);
  }
  return userSaid(history, words.join(' '));
}

/** Oldest first. Turns of one side that follow each other are one: an LLM answers the last. */
export function turnsOf({ entries }: HeardHistory): Turn[] {
  const turns: Turn[] = [];
  for (const entry of entries) {
    const text = entry.role === 'user' ? entry.text : entry.state === 'cut' ? `${entry.heard} —` : entry.heard;
    if (text === '') continue;
    const last = turns.at(-1);
    if (last?.role === entry.role) turns[turns.length - 1] = { ...last, text: `${last.text} ${text}` };
    else turns.push({ role: entry.role, text });
  }
  return turns;
}

function change(history: HeardHistory, responseId: string, to: (entry: Entry) => Entry): HeardHistory {
  return { entries: history.entries.map((entry) => (entry.responseId === responseId ? to(entry) : entry)) };
}

function bounded(entries: readonly Entry[]): HeardHistory {
  let chars = 0;
  let from = entries.length;
  while (from > 0 && entries.length - from < MOST_TURNS) {
    chars += entries[from - 1]!.text.length;
    if (chars > MOST_CHARS && from < entries.length) break;
    from--;
  }
  return { entries: entries.slice(from) };
}
