import { useConnection, useSession } from '@microturn/react';
import { MicroturnError } from '@microturn/sdk';
import { useEffect, useState } from 'react';
import { LONG_TEXT } from '../content/suggestions.js';
import { finishTask, noReading, totalsOf, watchReading, type Reading, type Totals } from './reading.js';
import { tasks, type ReadingTask } from './sentences.js';

/** Twenty sentences to read aloud, and how well the model did with the reader's own voice. Nothing leaves the page. */
export function ReadingPanel({ onProblem }: { readonly onProblem: (error: MicroturnError) => void }) {
  const session = useSession();
  const { isConnected } = useConnection();
  const [reading, setReading] = useState<Reading>();
  const isOn = reading !== undefined;
  useEffect(() => {
    if (!isOn) return undefined;
    const subscription = session.events.subscribe((event) =>
      setReading((state) => state && watchReading(state, event)),
    );
    return () => subscription.unsubscribe();
  }, [session, isOn]);

  const tell = (error: unknown) => onProblem(MicroturnError.from(error, 'edge/internal'));
  function show(next: Reading) {
    setReading(next);
    if (tasks[next.outcomes.length]?.kind === 'agree') session.say(LONG_TEXT).catch(tell);
  }
  function finish(task: ReadingTask, state: Reading) {
    // It need not speak to the end: what is read next is not an interruption.
    if (task.kind === 'agree') session.interrupt().catch(tell);
    show(finishTask(state));
  }

  const task = reading && tasks[reading.outcomes.length];
  return (
    <section className="reading" aria-labelledby="reading-title">
      <h2 id="reading-title">How well does it hear you?</h2>
      <p>Read twenty short sentences aloud. It counts wrong words, cut-ins and false stops, in this page only.</p>
      {reading && task && <Task task={task} place={reading.outcomes.length + 1} onDone={() => finish(task, reading)} />}
      {reading && reading.outcomes.length > 0 && <Result totals={totalsOf(reading)} isOver={!task} />}
      {!task && (
        <button type="button" className="secondary" disabled={!isConnected} onClick={() => show(noReading)}>
          {reading ? 'Read again' : 'Start reading'}
        </button>
      )}
    </section>
  );
}

interface TaskProps {
  readonly task: ReadingTask;
  /** From 1. */
  readonly place: number;
  readonly onDone: () => void;
}

function Task({ task, place, onDone }: TaskProps) {
  return (
    <div className="reading-task" aria-live="polite">
      <p className="outcome">
        {place} of {tasks.length}.{' '}
        {task.kind === 'agree'
          ? 'It speaks now. While it does, only agree:'
          : task.text.includes('…')
            ? 'Read, and stop for three seconds at the dots:'
            : 'Read:'}
      </p>
      <p className="say">
        <q>{task.text}</q>
      </p>
      <button type="button" className="secondary" onClick={onDone}>
        Done
      </button>
    </div>
  );
}

function Result({
  totals: { words, errors, cutIns, falseStops, agreed },
  isOver,
}: {
  totals: Totals;
  isOver: boolean;
}) {
  return (
    <dl aria-label={isOver ? 'Result' : 'So far'}>
      <dt>wrong words</dt>
      <dd>
        {errors} of {words} that it knows
      </dd>
      <dt>cut-ins</dt>
      <dd>{cutIns}</dd>
      <dt>false stops</dt>
      <dd>
        {falseStops} of {agreed}
      </dd>
    </dl>
  );
}
