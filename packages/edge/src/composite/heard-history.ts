import type { SessionEvent } from '@microturn/protocol';

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
