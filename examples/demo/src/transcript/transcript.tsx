import { useParticipants, useTasks, useTranscript } from '@microturn/react';
import type { BackgroundTask } from '@microturn/sdk';
import { memo, useEffect, useRef } from 'react';
import { formatClock } from '../shell/format.js';
import { VOCABULARY_SIZE } from '../content/words.js';
import { passagesOf, type Passage } from './passages.js';
import { ResponseText } from './response-text.js';
import { UtteranceText } from './utterance-text.js';

/** Passages on the page; the session itself keeps more. */
const SHOWN = 60;

/** Both sides of the conversation in two columns: what was said at one time stands side by side. */
export function Transcript() {
  const passages = passagesOf(useTranscript()).slice(-SHOWN);
  const tasks = useTasks();
  const isShared = useParticipants().length > 1;
  const ref = useRef<HTMLDivElement>(null);
  const follows = useRef(true);

  useEffect(() => {
    const list = ref.current;
    if (list && follows.current) list.scrollTop = list.scrollHeight;
  });

  return (
    <section className="transcript" aria-labelledby="transcript-title">
      <header className="transcript-head">
        <h2 id="transcript-title">What was said</h2>
        <p aria-hidden="true" data-ink="you">
          You
        </p>
        <p aria-hidden="true" data-ink="agent">
          Agent
        </p>
      </header>
      {isShared && (
        <p className="transcript-key">
          What others in the room say is not written here: each page has the words of its own user alone.
        </p>
      )}
      <div
        className="passages"
        ref={ref}
        role="group"
        aria-label="Both sides, oldest first"
        // It scrolls, so it must be reachable without a mouse.
        tabIndex={0}
        onScroll={({ currentTarget: list }) => {
          follows.current = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
        }}
      >
        {passages.length === 0 ? (
          <p className="empty">Nothing yet. Words appear here as the model hears them, not when a sentence is over.</p>
        ) : (
          passages.map((passage) => <PassageRow key={passage.id} passage={passage} task={taskOf(passage, tasks)} />)
        )}
      </div>
      <p className="transcript-key">
        <span className="unknown" aria-hidden="true">
          ▢ unknown
        </span>{' '}
        is a word that it heard and has no name for: Nano knows {VOCABULARY_SIZE}. <del>Struck</del> is what it meant to
        say and you never heard.
      </p>
    </section>
  );
}

/** What the passage relays, which is one response: it opens a passage of its own. */
function taskOf({ agent }: Passage, tasks: readonly BackgroundTask[]): BackgroundTask | undefined {
  const taskId = agent.find((response) => response.taskId !== undefined)?.taskId;
  return tasks.find(({ id }) => id === taskId);
}

interface PassageRowProps {
  readonly passage: Passage;
  readonly task: BackgroundTask | undefined;
}

const PassageRow = memo(
  function PassageRow({ passage: { startMs, you, agent }, task }: PassageRowProps) {
    return (
      <div className="passage">
        <span className="passage-time">{formatClock(startMs)}</span>
        <div className="side" data-side="you">
          {you.length > 0 && <span className="sr-only">You: </span>}
          {you.map((utterance) => (
            <UtteranceText key={utterance.id} utterance={utterance} />
          ))}
        </div>
        <div className="side" data-side="agent">
          {agent.length > 0 && <span className="sr-only">Agent: </span>}
          {agent.map((response) => (
            <ResponseText
              key={response.id}
              response={response}
              question={response.taskId === undefined ? undefined : task?.prompt || task?.title}
              isCalledOff={response.taskId !== undefined && task?.status === 'cancelled'}
            />
          ))}
        </div>
      </div>
    );
  },
  ({ passage: a, task }, { passage: b, task: other }) =>
    a.id === b.id && task === other && isSame(a.you, b.you) && isSame(a.agent, b.agent),
);

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((entry, index) => entry === b[index]);
}
