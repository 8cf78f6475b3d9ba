import { MicroturnError, type SessionEvent, type TaskStatus } from '@microturn/protocol';
import type { BackgroundTask } from './types.js';

/** The events of background tasks. */
export type TaskEvent = Extract<SessionEvent, { type: `task.${string}` }>;

/** Nothing changes from here on. */
const OVER: ReadonlySet<TaskStatus> = new Set(['woven', 'failed', 'cancelled', 'stale']);

/** Applies one event to the list of tasks, oldest first. One that is not known, from before a loss of events, is made up. */
export function reduceTasks(tasks: readonly BackgroundTask[], event: TaskEvent): readonly BackgroundTask[] {
  const index = tasks.findLastIndex(({ id }) => id === event.taskId);
  const known = tasks[index];
  const next = reduceTask(known ?? newTask(event), event);
  return known ? tasks.with(index, next) : [...tasks, next];
}

function newTask({ taskId, revision, title, at }: TaskEvent): BackgroundTask {
  return { id: taskId, revision, title, origin: 'app', status: 'queued', prompt: '', text: '', at };
}

function reduceTask(before: BackgroundTask, event: TaskEvent): BackgroundTask {
  const { revision, title } = event;
  // What an earlier revision found is void.
  const task = { ...before, revision, title, text: revision > before.revision ? '' : before.text };
  switch (event.type) {
    case 'task.created':
      return { ...task, origin: event.origin, prompt: event.prompt };
    case 'task.progress': {
      const going = without(task, event.status === task.status ? [] : ['question', 'note']);
      const { status, note, prompt = task.prompt } = event;
      return { ...going, status, prompt, ...(note !== undefined && { note }) };
    }
    case 'task.delta':
      return { ...task, status: 'streaming', text: task.text + event.text };
    case 'task.question': {
      const { questionId: id, text, approval } = event;
      return { ...task, status: 'asking', question: { id, text, ...(approval && { approval }) } };
    }
    case 'task.completed':
      return { ...without(task, ['question', 'note']), status: 'done', text: event.text };
    case 'task.failed':
      return { ...without(task, ['question', 'note']), status: 'failed', error: MicroturnError.fromWire(event) };
    case 'task.cancelled':
      return { ...without(task, ['question', 'note']), status: 'cancelled' };
    case 'task.stale':
      return { ...without(task, ['question', 'note']), status: 'stale' };
    case 'task.woven':
      return { ...without(task, ['question', 'note']), status: 'woven' };
    default:
      return event satisfies never;
  }
}

function without(task: BackgroundTask, keys: readonly ('question' | 'note')[]): BackgroundTask {
  const left = { ...task };
  for (const key of keys) delete left[key];
  return left;
}

/** The call ended under them, or what became of them is lost: nobody waits for what is not over, unless it is told of again. */
export function abandonTasks(tasks: readonly BackgroundTask[]): readonly BackgroundTask[] {
  const isOver = ({ status }: BackgroundTask) => OVER.has(status);
  if (tasks.every(isOver)) return tasks;
  return tasks.map((task) => (isOver(task) ? task : { ...without(task, ['question', 'note']), status: 'stale' }));
}

/** Whether work goes on, as opposed to waiting for the user or being over. */
export function isWorking({ status }: BackgroundTask): boolean {
  return status === 'queued' || status === 'running' || status === 'streaming';
}
