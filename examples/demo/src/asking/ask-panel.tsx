import { useAsk, useConnection, useSession, useTasks } from '@microturn/react';
import { MicroturnError, type BackgroundTask } from '@microturn/sdk';
import { useEffect, useId, useState, type FormEvent, type MouseEvent } from 'react';

/** Tasks that are shown, newest first. */
const SHOWN = 5;

const statusText: Readonly<Record<BackgroundTask['status'], string>> = {
  queued: 'waiting its turn',
  running: 'looking',
  streaming: 'answering',
  asking: 'asks you',
  done: 'will be said when the floor is free',
  woven: 'said',
  failed: 'failed',
  cancelled: 'called off',
  stale: 'no longer wanted',
};

/** Ask something that needs looking up, typed: the talk goes on meanwhile, and the answer is said when it fits. */
export function AskPanel({ onProblem }: { readonly onProblem: (error: MicroturnError) => void }) {
  const session = useSession();
  const { isConnected } = useConnection();
  const tasks = useTasks();
  const { ask, isPending, error } = useAsk();
  const [text, setText] = useState('');
  const id = useId();
  const report = (error: unknown) => onProblem(MicroturnError.from(error, 'edge/internal'));

  useEffect(() => {
    if (error) onProblem(error);
  }, [error, onProblem]);

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    const question = text.trim();
    if (question === '' || isPending) return;
    // What is typed meanwhile stays.
    if (await ask(question)) setText((now) => (now === text ? '' : now));
  }

  return (
    <section className="asking" aria-labelledby="asking-title">
      <h2 id="asking-title">Ask something that has to be looked up</h2>
      <p>
        It is looked up in the documents that this edge has, while you talk on. Sums, units and times work too, such as
        5 miles to km.
      </p>
      <form className="say-box" onSubmit={(event) => void onSubmit(event)}>
        <label htmlFor={id}>Ask</label>
        <input
          id={id}
          value={text}
          maxLength={4096}
          autoComplete="off"
          placeholder="When is a result said?"
          onChange={({ target }) => setText(target.value)}
          disabled={!isConnected}
        />
        <button type="submit" className="secondary" disabled={!isConnected || isPending || text.trim() === ''}>
          {isPending ? 'Sending…' : 'Ask'}
        </button>
      </form>
      {tasks.length > 0 && (
        <ol className="tasks">
          {tasks
            .slice(-SHOWN)
            .toReversed()
            .map((task) => (
              <TaskItem
                key={task.id}
                task={task}
                onAnswer={(answer, questionId) => void session.answer(task.id, answer, { questionId }).catch(report)}
                onCancel={() => void session.cancel(task.id).catch(report)}
              />
            ))}
        </ol>
      )}
    </section>
  );
}

interface TaskItemProps {
  readonly task: BackgroundTask;
  readonly onAnswer: (answer: boolean, questionId: string) => void;
  readonly onCancel: () => void;
}

function TaskItem({ task, onAnswer, onCancel }: TaskItemProps) {
  const { title, prompt, status, note, text, question, error } = task;
  // The second half of a double click is for the question that was there, and another may stand there by now.
  const answerOnce = (answer: boolean) => (event: MouseEvent) => {
    if (question && event.detail < 2) onAnswer(answer, question.id);
  };
  const isOver = status === 'woven' || status === 'failed' || status === 'cancelled' || status === 'stale';
  return (
    <li data-status={status}>
      <p className="task-question">{prompt === '' ? title : prompt}</p>
      <p className="task-status">
        {status === 'woven' && text === '' ? 'nothing to say' : statusText[status]}
        {note !== undefined && `: ${note.replaceAll('_', ' ')}`}
      </p>
      {text !== '' && <p className="task-answer">{text}</p>}
      {error && <p className="task-answer">{error.message}</p>}
      {question && <p className="task-answer">{question.text}</p>}
      {question?.approval && (
        <span className="task-buttons">
          <button type="button" className="secondary" onClick={answerOnce(true)}>
            Yes
          </button>
          <button type="button" className="secondary" onClick={answerOnce(false)}>
            No
          </button>
        </span>
      )}
      {!isOver && (
        <button type="button" className="secondary" onClick={onCancel}>
          Never mind
        </button>
      )}
    </li>
  );
}
