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
  const passages: OpenPassage[] = [];
  for (const entry of entries) {
    const index = standsAlone(entry) ? -1 : passages.findLastIndex((passage) => takes(passage, entry));
    const passage = passages[index] ?? newPassage(entry);
    const next = { ...add(passage, entry), endMs: Math.max(passage.endMs, endOf(entry)) };
    if (index < 0) passages.push(next);
    else passages[index] = next;
  }
  return passages;
}

interface OpenPassage extends Passage {
  readonly endMs: number;
}

function newPassage({ id, startMs }: TranscriptEntry): OpenPassage {
  return { id, startMs, you: [], agent: [], endMs: -Infinity };
}

/** What was typed was not said at that time, and what was looked up is about a question of its own: neither goes with what just overlaps it. */
function standsAlone(entry: TranscriptEntry): boolean {
  return entry.speaker === 'user' ? entry.typed : entry.kind === 'relay';
}

function takes({ you, agent, endMs }: OpenPassage, entry: TranscriptEntry): boolean {
  if (you.some(({ typed }) => typed)) return false;
  if (entry.startMs < endMs) return true;
  if (entry.speaker === 'agent') return entry.kind !== 'proactive' && entry.startMs < endMs + REACTION_MS;
  // “Wait”, it stops, “stop”: one breath.
  const lastMs = you.at(-1)?.endMs ?? -Infinity;
  return agent.at(-1)?.interruptedBy === 'user' && entry.startMs < lastMs + REACTION_MS;
}

function add<P extends Passage>(passage: P, entry: TranscriptEntry): P {
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
