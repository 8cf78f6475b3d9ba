import type { SessionEventBody } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { isWorking, reduceTasks, type TaskEvent } from './tasks.js';
import type { BackgroundTask } from './types.js';

/** Without `taskId`, `revision` and `title`, which are these unless a step says otherwise. */
type Step = { readonly type: TaskEvent['type']; readonly [field: string]: unknown };

function play(...steps: Step[]): readonly BackgroundTask[] {
  const events = steps.map((step, index) => {
    const body = { taskId: 'a', revision: 1, title: 'tower', ...step } as SessionEventBody;
    return { seq: index + 1, at: 100 * index, turn: 0, ...body } as TaskEvent;
  });
  return events.reduce(reduceTasks, []);
}
const created: Step = { type: 'task.created', origin: 'text', prompt: 'how high is it' };
const question: Step = { type: 'task.question', questionId: 'q', text: 'Which tower?' };

describe('tasks', () => {
  it('grow from a question to a result that was said', () => {
    const steps: [Step, Partial<BackgroundTask>][] = [
      [created, { status: 'queued', prompt: 'how high is it', origin: 'text', at: 0 }],
      [
        { type: 'task.progress', status: 'running', note: 'lookup' },
        { status: 'running', note: 'lookup' },
      ],
      [
        { type: 'task.delta', text: 'It is ' },
        { status: 'streaming', text: 'It is ' },
      ],
      [
        { type: 'task.delta', text: 'high.' },
        { status: 'streaming', text: 'It is high.' },
      ],
      [
        { type: 'task.completed', text: 'It is high.' },
        { status: 'done', text: 'It is high.' },
      ],
      [
        { type: 'task.woven', responseId: 'r' },
        { status: 'woven', text: 'It is high.', at: 0 },
      ],
    ];
    for (const [i, [, expected]] of steps.entries()) {
      expect(play(...steps.slice(0, i + 1).map(([step]) => step))).toEqual([expect.objectContaining(expected)]);
    }
  });

  it('keep their order, whichever of them an event is about', () => {
    const tasks = play(
      created,
      { ...created, taskId: 'b' },
      { type: 'task.delta', text: 'x' },
      { type: 'task.delta', taskId: 'b', text: 'y' },
    );
    expect(tasks.map(({ id, text }) => [id, text])).toEqual([
      ['a', 'x'],
      ['b', 'y'],
    ]);
  });

  it('amended, lose what an earlier revision found, and take their new title', () => {
    const [task] = play(
      created,
      { type: 'task.delta', text: 'It is' },
      { type: 'task.progress', revision: 2, title: 'tower in feet', status: 'queued', amendment: 'in feet' },
    );
    expect(task).toMatchObject({ revision: 2, title: 'tower in feet', text: '', status: 'queued' });
  });

  it('get the words of a spoken question when they are made out', () => {
    const [task] = play(
      { ...created, origin: 'model', prompt: '' },
      { type: 'task.progress', status: 'running', prompt: 'how high' },
    );
    expect(task).toMatchObject({ origin: 'model', prompt: 'how high' });
  });

  it.each<[Step, BackgroundTask['status']]>([
    [{ type: 'task.progress', status: 'running' }, 'running'],
    [{ type: 'task.completed', text: '' }, 'done'],
    [{ type: 'task.failed', code: 'llm/budget', message: 'm', retryable: false, hint: 'h' }, 'failed'],
    [{ type: 'task.cancelled', by: 'user' }, 'cancelled'],
    [{ type: 'task.stale', reason: 'subject' }, 'stale'],
    [{ type: 'task.woven' }, 'woven'],
  ])('ask nothing any more after %j', (step, status) => {
    const before = play(created, { type: 'task.progress', status: 'running', note: 'lookup' }, question);
    expect(before[0]).toMatchObject({ status: 'asking', question: { id: 'q', text: 'Which tower?' } });
    const [task] = play(created, question, step);
    expect(task!.status).toBe(status);
    expect(task).not.toHaveProperty('question');
  });

  it('that failed say why', () => {
    const [task] = play(created, {
      type: 'task.failed',
      code: 'llm/budget',
      message: 'spent',
      retryable: false,
      hint: 'h',
    });
    expect(task!.error).toMatchObject({ code: 'llm/budget' });
  });

  it('of which the beginning was lost are there all the same', () => {
    expect(play({ type: 'task.completed', text: 'It is high.' })).toEqual([
      expect.objectContaining({ id: 'a', title: 'tower', status: 'done', text: 'It is high.' }),
    ]);
  });

  it('are worked on, or wait for the user, or are over', () => {
    expect(isWorking(play(created)[0]!)).toBe(true);
    expect(isWorking(play(created, question)[0]!)).toBe(false);
    expect(isWorking(play(created, { type: 'task.completed', text: '' })[0]!)).toBe(false);
  });
});
