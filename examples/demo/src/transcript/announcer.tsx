import { useTranscript } from '@microturn/react';
import type { TranscriptEntry } from '@microturn/sdk';

const KEPT = 4;

/** Reads out what was said, once it is said in full: word by word would drown everything else. */
export function Announcer() {
  const done = useTranscript().filter((entry) => entry.status !== 'partial' && entry.status !== 'speaking');
  return (
    <div className="sr-only" role="log" aria-label="Conversation">
      {done.slice(-KEPT).map((entry) => (
        <p key={entry.id}>{sentenceOf(entry)}</p>
      ))}
    </div>
  );
}

function sentenceOf(entry: TranscriptEntry): string {
  if (entry.speaker === 'user') {
    if (entry.typed) return `You typed: ${entry.text}`;
    return `You: ${entry.words.map((word) => (word.unknown ? 'unknown word' : word.text)).join(' ')}`;
  }
  if (entry.status === 'completed') return `Agent: ${entry.text}`;
  return entry.heardText
    ? `Agent, interrupted after: ${entry.heardText}`
    : 'Agent, interrupted before a word was heard.';
}
