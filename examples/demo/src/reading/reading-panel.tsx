import { useConnection, useSession } from '@microturn/react';
import { MicroturnError } from '@microturn/sdk';
import { useEffect, useRef, useState, type RefObject } from 'react';
import { LONG_TEXT } from '../content/suggestions.js';
import { UnknownWord } from '../transcript/unknown-word.js';
import { finishTask, noReading, skipTask, totalsOf, watchReading, type Outcome, type Reading } from './reading.js';
import { tasks, type ReadingTask } from './sentences.js';

/** Twenty sentences to read aloud, and how well the model did with the reader's own voice. Nothing leaves the page. */
export function ReadingPanel({ onProblem }: { readonly onProblem: (error: MicroturnError) => void }) {
  const session = useSession();
  const { isConnected, isReconnecting } = useConnection();
  const isUp = isConnected || isReconnecting;
  const [reading, setReading] = useState<Reading>();
  const [isOn, setOn] = useState(false);
  const done = useRef<HTMLButtonElement>(null);
  const start = useRef<HTMLButtonElement>(null);
  const result = useRef<HTMLDListElement>(null);
  /** The reader pressed what goes away with it: the keyboard's focus goes on to what takes its place. */
  const moved = useRef(false);

  useEffect(() => {
    if (!isOn) return undefined;
    const subscription = session.events.subscribe((event) =>
      setReading((state) => state && watchReading(state, event)),
    );
    // Nobody hears what is read after the call.
    subscription.add(
      session.connection.subscribe(({ status }) => {
        if (status !== 'connected' && status !== 'reconnecting') setOn(false);
      }),
    );
    return () => subscription.unsubscribe();
  }, [session, isOn]);
  useEffect(() => {
    if (!moved.current) return;
    moved.current = false;
    (done.current ?? result.current ?? start.current)?.focus();
  });

  const tell = (error: unknown) => onProblem(MicroturnError.from(error, 'edge/internal'));
  const task = isOn && isUp && reading ? tasks[reading.outcomes.length] : undefined;
  function show(next: Reading) {
    const coming = tasks[next.outcomes.length];
    setReading(next);
    setOn(coming !== undefined);
    moved.current = true;
    if (coming?.kind === 'agree') session.say(LONG_TEXT).catch(tell);
  }
  /** It need not speak to the end: what is read next is not an interruption. */
  function silence() {
    if (task?.kind === 'agree') session.interrupt().catch(tell);
  }
  function goOn(next: Reading) {
    silence();
    show(next);
  }
  function stop() {
    silence();
    setOn(false);
    moved.current = true;
  }

  const last = reading?.outcomes.at(-1);
  return (
    <section className="reading" aria-labelledby="reading-title">
      <h2 id="reading-title">How well does it hear you?</h2>
      <p>
        Read twenty short sentences aloud. It counts wrong words, cut-ins (it took you to be done, and you read on) and
        false stops (it fell silent though you only agreed), in this page only.
      </p>
      {reading && task && (
        <div className="reading-task">
          <Sentence task={task} place={reading.outcomes.length + 1} />
          <Heard words={reading.heard} />
          <div className="reading-buttons">
            <button
              type="button"
              className="secondary"
              ref={done}
              aria-disabled={!isConnected}
              onClick={() => isConnected && goOn(finishTask(reading))}
            >
              Done
            </button>
            <button
              type="button"
              className="secondary"
              aria-disabled={!isConnected}
              onClick={() => isConnected && goOn(skipTask(reading))}
            >
              Skip
            </button>
            <button type="button" className="secondary" onClick={stop}>
              Stop reading
            </button>
          </div>
        </div>
      )}
      <p className="reading-last" role="status">
        {reading && last && `${reading.outcomes.length}: ${sentenceOf(last, tasks[reading.outcomes.length - 1]!)}`}
      </p>
      {reading && last && <Result reading={reading} isOver={!task} at={result} />}
      {!task && (
        <p className="reading-start">
          <button
            type="button"
            className="secondary"
            ref={start}
            disabled={!isConnected}
            onClick={() => show(noReading)}
          >
            {reading ? 'Read again' : 'Start reading'}
          </button>
          {!isUp && ' Start talking first.'}
        </p>
      )}
    </section>
  );
}

function Sentence({ task, place }: { readonly task: ReadingTask; readonly place: number }) {
  return (
    <div aria-live="polite">
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
    </div>
  );
}

/** As it comes, so that the reader sees that it does. */
function Heard({ words }: { readonly words: readonly string[] }) {
  return (
    <p className="reading-heard">
      It hears:{' '}
      {words.length === 0
        ? 'nothing yet'
        : words.map((word, index) => <span key={index}>{word === '<unk>' ? <UnknownWord /> : word} </span>)}
    </p>
  );
}

/** What came of one sentence. */
function sentenceOf({ counts, words, errors, cutIns, falseStop }: Outcome, { kind }: ReadingTask): string {
  if (!counts) return 'not counted, since it was skipped, or no word of it was heard.';
  if (kind === 'agree') return falseStop ? 'it stopped, and should have gone on.' : 'it went on.';
  const cut = cutIns > 0 ? `, cut into ${cutIns === 1 ? 'once' : `${cutIns} times`}` : '';
  return `${errors} of ${words} words wrong${cut}.`;
}

interface ResultProps {
  readonly reading: Reading;
  readonly isOver: boolean;
  readonly at: RefObject<HTMLDListElement | null>;
}

function Result({ reading, isOver, at }: ResultProps) {
  const { words, errors, cutIns, falseStops, agreed, uncounted } = totalsOf(reading);
  return (
    <dl aria-label={isOver ? 'Result' : 'So far'} ref={at} tabIndex={-1}>
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
      {uncounted > 0 && (
        <>
          <dt>not counted</dt>
          <dd>
            {uncounted} of {reading.outcomes.length}
          </dd>
        </>
      )}
    </dl>
  );
}
