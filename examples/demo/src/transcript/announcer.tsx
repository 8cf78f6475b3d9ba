import { useConnection, useTranscript } from '@microturn/react';
import type { UserUtterance } from '@microturn/sdk';
import { useEffect, useState } from 'react';
import { newestSpoken, readOut, type Line } from './lines.js';

const KEPT = 4;
/** As the pause that ends an utterance: it may be called final, and go on, until then. */
const QUIET_MS = 2000;

/** Reads out what was said, once, when it is said in full: word by word would drown everything else. */
export function Announcer() {
  const entries = useTranscript();
  const { status } = useConnection();
  const isOver = status === 'idle' || status === 'closed' || status === 'failed';
  const quiet = useQuiet(newestSpoken(entries));
  const [before, setLines] = useState<readonly Line[]>([]);
  const lines = readOut(before, { entries, quiet, isOver });
  if (lines !== before) setLines(lines);
  return (
    <div className="sr-only" role="log" aria-label="Conversation">
      {lines.slice(-KEPT).map(({ key, text }) => (
        <p key={key}>{text}</p>
      ))}
    </div>
  );
}

/** The utterance, where nothing has become of it for a while. */
function useQuiet(utterance: UserUtterance | undefined): UserUtterance | undefined {
  const [quiet, setQuiet] = useState<UserUtterance>();
  useEffect(() => {
    const timer = setTimeout(() => setQuiet(utterance), QUIET_MS);
    return () => clearTimeout(timer);
  }, [utterance]);
  return quiet;
}
