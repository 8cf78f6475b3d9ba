import type { SessionEvent } from '@microturn/protocol';
import type { Task } from './task-reducer.js';

/** The tasks of a session as its events tell of them, for the process that takes it up. Oldest first. */
export function restoreTasks(events: readonly SessionEvent[]): readonly Task[] {
  const tasks = new Map<string, Task>();
  for (const event of events) {
    if (event.type === 'task.created') {
      const { taskId: id, revision, title, origin, prompt, subject, images = 0, at } = event;
      tasks.set(id, {
        id,
        revision,
        title,
        origin,
        prompt,
        subject,
        amendments: [],
        images,
        status: 'queued',
        createdAtMs: at,
        sinceMs: at,
        text: '',
        saidChars: 0,
        question: undefined,
        failure: undefined,
      });
      continue;
    }
    const task = 'taskId' in event && event.taskId !== undefined ? tasks.get(event.taskId) : undefined;
    if (task) tasks.set(task.id, applied(task, event));
  }
  return [...tasks.values()];
}

function applied(task: Task, event: SessionEvent): Task {
  switch (event.type) {
    case 'task.progress': {
      const { revision, title, status, prompt = task.prompt, amendment } = event;
      const amendments = amendment === undefined ? task.amendments : [...task.amendments, amendment];
      return { ...task, revision, title, status, prompt, amendments };
    }
    case 'task.completed':
      return { ...task, status: 'done', text: event.text, sinceMs: event.at };
    case 'task.failed':
      return { ...task, status: 'failed' };
    case 'task.cancelled':
      return { ...task, status: 'cancelled' };
    case 'task.stale':
      return { ...task, status: 'stale' };
    case 'task.woven':
      return { ...task, status: 'woven', saidChars: task.text.length };
    default:
      return task;
  }
}
