import type { TranscriptEntry, UserUtterance } from '@microturn/sdk';

/** What is read out of an entry; of one that goes on after that, the rest has a line of its own. */
export interface Line {
  readonly key: string;
  /** Of its entry. */
  readonly id: string;
  /** Of the entry, that are read out by now. */
  readonly words: number;
  readonly text: string;
}

/** Whether an entry stays as it is, as far as one can tell; the newest that was spoken does so once it has been `quiet`. */
export interface Moment {
  readonly entries: readonly TranscriptEntry[];
  readonly quiet: UserUtterance | undefined;
  /** The call is over. */
  readonly isOver: boolean;
}

/** The lines, and those that are new: an entry once it is complete, and before it whatever was said earlier. */
export function readOut(lines: readonly Line[], moment: Moment): readonly Line[] {
  const { entries } = moment;
  const ids = new Set(entries.map(({ id }) => id));
  const kept = lines.filter(({ id }) => ids.has(id));
  const told = new Map(kept.map((line) => [line.id, line.words]));
  const newest = newestSpoken(entries);
  const done = entries.slice(0, entries.findLastIndex((entry) => isComplete(entry, newest, moment)) + 1);
  const added = done.flatMap((entry): readonly Line[] => {
    const { id, status, words } = entry;
    const before = told.get(id);
    if (status === 'partial' || status === 'speaking') return [];
    if (before !== undefined && (entry.speaker === 'agent' || words.length <= before)) return [];
    return [{ key: `${id}/${words.length}`, id, words: words.length, text: sentenceOf(entry, before) }];
  });
  return added.length === 0 && kept.length === lines.length ? lines : [...kept, ...added];
}

export function newestSpoken(entries: readonly TranscriptEntry[]): UserUtterance | undefined {
  return entries.findLast((entry): entry is UserUtterance => entry.speaker === 'user' && !entry.typed);
}

function isComplete(entry: TranscriptEntry, newest: UserUtterance | undefined, { quiet, isOver }: Moment): boolean {
  if (isOver) return true;
  if (entry.speaker === 'user') return entry !== newest || entry === quiet;
  // How much was heard of one that was cut is not known before it is known by whom.
  return entry.status === 'completed' || entry.interruptedBy !== undefined;
}

function sentenceOf(entry: TranscriptEntry, from = 0): string {
  if (entry.speaker === 'user') {
    if (entry.typed) return `You typed: ${entry.text}`;
    const words = entry.words.slice(from).map((word) => (word.unknown ? 'unknown word' : word.text));
    return `You: ${words.join(' ')}`;
  }
  if (entry.status === 'completed') return `Agent: ${entry.text}`;
  return entry.heardText
    ? `Agent, interrupted after: ${entry.heardText}`
    : 'Agent, interrupted before a word was heard.';
}
