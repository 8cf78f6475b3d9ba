import type { TimedEvent } from '../call/timed-event.js';

/** Runs a check; where it fails, what became of the tasks is told with it. */
export async function withTaskStory(events: () => readonly TimedEvent[], check: () => Promise<unknown>): Promise<void> {
  try {
    await check();
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\nWhat became of the tasks:\n${taskStory(events())}`, {
      cause: error,
    });
  }
}

/** What happened to the tasks of a call, with the floor and what was said: one event a line, in session seconds. */
function taskStory(events: readonly TimedEvent[]): string {
  const lines = events.flatMap((event) => {
    const told = detail(event);
    return told === undefined ? [] : [`${(event.at / 1000).toFixed(1).padStart(6)} s  ${event.type}  ${told}`];
  });
  return lines.length > 0 ? lines.join('\n') : 'there were none';
}

function detail(event: TimedEvent): string | undefined {
  switch (event.type) {
    case 'task.created':
      return `${event.taskId} ${event.origin} “${event.title}”`;
    case 'task.progress':
      return `${event.taskId}/${event.revision} ${event.status} ${event.note ?? event.prompt ?? ''}`;
    case 'task.completed':
      return `${event.taskId}/${event.revision} “${event.text}”`;
    case 'task.failed':
      return `${event.taskId}/${event.revision} ${event.code}: ${event.message}`;
    case 'task.cancelled':
      return `${event.taskId} by ${event.by}`;
    case 'task.stale':
      return `${event.taskId} ${event.reason}`;
    case 'task.woven':
      return `${event.taskId} ${event.responseId ?? 'without a word'}`;
    case 'response.started':
      return `${event.responseId} ${event.kind} ${event.taskId ?? ''}`;
    case 'response.completed':
      return `${event.responseId} after ${event.heardMs} ms`;
    case 'response.interrupted':
      return `${event.responseId} by ${event.by} after ${event.heardMs} ms`;
    case 'floor.changed':
      return event.floor;
    default:
      return undefined;
  }
}
