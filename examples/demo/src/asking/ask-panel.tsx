import { useConnection, useResponses, useSession, useTasks } from '@microturn/react';
import { MicroturnError, type BackgroundTask } from '@microturn/sdk';
import { useId, useState, type FormEvent, type MouseEvent } from 'react';
import { useFocusHeir } from '../shell/use-focus-heir.js';

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
  stale: 'will not be said',
};

export interface AskPanelProps {
  /** There is a call to ask in. */
  readonly isUp: boolean;
  readonly onProblem: (error: MicroturnError) => void;
}

/** Type a question or an instruction, and see what becomes of a question. After the call, what was asked stays. */
export function AskPanel({ isUp, onProblem }: AskPanelProps) {
  const tasks = useTasks();
  if (!isUp && tasks.length === 0) return null;
  return (
    <section className="asking" aria-labelledby="asking-title">
      <h2 id="asking-title">{isUp ? 'Or type: a question, or what it should do' : 'What was looked up'}</h2>
      {isUp && <AskForm onProblem={onProblem} />}
      {tasks.length > 0 && <TaskList tasks={tasks} onProblem={onProblem} />}
    </section>
  );
}

type Report = Pick<AskPanelProps, 'onProblem'>;

/** The model reads it, as if it had been said; what it does not do itself is looked up, and said when that fits. */
function AskForm({ onProblem }: Report) {
  const session = useSession();
  const { isConnected } = useConnection();
  const [text, setText] = useState('');
  const id = useId();

  function onSubmit(event: FormEvent) {
    event.preventDefault();
    try {
      session.send(text);
      setText('');
    } catch (error) {
      onProblem(MicroturnError.from(error, 'edge/internal'));
    }
  }

  return (
    <>
      <p>
        A question is looked up in the documents that this edge has, while you talk on. Sums, units and times work too,
        such as 5 miles to km. “Remind me in ten seconds” and “count the animals” work as if you had said them.
      </p>
      <form className="say-box" onSubmit={onSubmit}>
        <label htmlFor={id}>Ask</label>
        <input
          id={id}
          value={text}
          maxLength={2000}
          autoComplete="off"
          placeholder="When is a result said?"
          // Never disabled: without the focus, what is typed while it reconnects would be taken for shortcuts.
          onChange={({ target }) => setText(target.value)}
        />
        <button
          type="submit"
          className="secondary"
          // Not `disabled`: it does this to itself, and would lose the keyboard's focus.
          aria-disabled={!isConnected || text.trim() === ''}
        >
          Ask
        </button>
      </form>
    </>
  );
}

function TaskList({ tasks, onProblem }: Report & { readonly tasks: readonly BackgroundTask[] }) {
  const session = useSession();
  const saying = useResponses().findLast((response) => response.status === 'speaking')?.taskId;
  const report = (error: unknown) => onProblem(MicroturnError.from(error, 'edge/internal'));
  return (
    <ol className="tasks">
      {tasks
        .slice(-SHOWN)
        .toReversed()
        .map((task) => (
          <TaskItem
            key={task.id}
            task={task}
            isSaid={task.id === saying}
            onAnswer={(answer, questionId) => void session.answer(task.id, answer, { questionId }).catch(report)}
            onCancel={() => void session.cancel(task.id).catch(report)}
          />
        ))}
    </ol>
  );
}

interface TaskItemProps {
  readonly task: BackgroundTask;
  /** The agent is saying what it found. */
  readonly isSaid: boolean;
  readonly onAnswer: (answer: boolean, questionId: string) => void;
  readonly onCancel: () => void;
}

function TaskItem({ task, isSaid, onAnswer, onCancel }: TaskItemProps) {
  const { title, prompt, status, note, text, question, error } = task;
  const [item, mayGo] = useFocusHeir<HTMLLIElement>();
  // The second half of a double click is for the question that was there, and another may stand there by now.
  const answerOnce = (answer: boolean) => (event: MouseEvent) => {
    if (question && event.detail < 2) onAnswer(answer, question.id);
  };
  const isOver = status === 'woven' || status === 'failed' || status === 'cancelled' || status === 'stale';
  return (
    <li data-status={status} ref={item} tabIndex={-1}>
      <p className="task-question">{prompt === '' ? title : prompt}</p>
      <p className="task-status">
        {statusOf(task, isSaid)}
        {note !== undefined && `: ${note.replaceAll('_', ' ')}`}
      </p>
      {text !== '' && <p className="task-answer">{text}</p>}
      {error && <p className="task-answer">{error.message}</p>}
      {question && <p className="task-answer">{question.text}</p>}
      {question?.approval && (
        <span className="task-buttons" ref={mayGo}>
          <button type="button" className="secondary" onClick={answerOnce(true)}>
            Yes
          </button>
          <button type="button" className="secondary" onClick={answerOnce(false)}>
            No
          </button>
        </span>
      )}
      {!isOver && (
        <button type="button" className="secondary" ref={mayGo} onClick={onCancel}>
          Never mind
        </button>
      )}
    </li>
  );
}

function statusOf({ status, text }: BackgroundTask, isSaid: boolean): string {
  if (status === 'done' && isSaid) return 'being said';
  if (status === 'woven' && text === '') return 'nothing to say';
  return statusText[status];
}
