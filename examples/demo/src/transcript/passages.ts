import type { AgentResponse, TranscriptEntry, UserUtterance } from '@microturn/sdk';

/** What the model says this soon after a word is about it. */
const REACTION_MS = 1500;

/** A stretch of conversation in which speech overlapped: what was said at one time stands on one line. */
export interface Passage {
  readonly id: string;
  readonly startMs: number;
  readonly you: readonly UserUtterance[];
  readonly agent: readonly AgentResponse[];
}

/** Puts entries, which come in order of their start, side by side where they overlap in time. */
export function passagesOf(entries: readonly TranscriptEntry[]): Passage[] {
  const passages: Passage[] = [];
  let endMs = -Infinity;
  for (const entry of entries) {
    const open = passages.at(-1);
    const reacts = entry.speaker === 'agent' && entry.kind !== 'proactive';
    if (open && entry.startMs < endMs + (reacts ? REACTION_MS : 0)) {
      passages[passages.length - 1] = add(open, entry);
    } else {
      passages.push(add({ id: entry.id, startMs: entry.startMs, you: [], agent: [] }, entry));
    }
    endMs = Math.max(endMs, endOf(entry));
  }
  return passages;
}

function add(passage: Passage, entry: TranscriptEntry): Passage {
  return entry.speaker === 'user'
    ? { ...passage, you: [...passage.you, entry] }
    : { ...passage, agent: [...passage.agent, entry] };
}

function endOf(entry: TranscriptEntry): number {
  if (entry.speaker === 'user') return entry.endMs;
  // What was cut ended where the hearing did.
  const lengthMs = entry.status === 'interrupted' ? entry.heardMs : (entry.words.at(-1)?.endMs ?? 0);
  return entry.startMs + lengthMs;
}
