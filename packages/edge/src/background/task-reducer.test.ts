import { MicroturnError, type TaskStatus } from '@microturn/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBusy, isOver, newTaskBook, stepTasks, type TaskInput, type TaskStep } from './task-reducer.js';

const limits = { concurrent: 2, queued: 3, timeoutMs: 1000, retries: 2, answerMs: 500, expireMs: 2000, textChars: 40 };

/** Feeds inputs one after the other and keeps all that came out. */
class Run {
  book = newTaskBook(limits);
  readonly events: TaskStep['events'][number][] = [];
  readonly effects: TaskStep['effects'][number][] = [];
  feed(input: TaskInput): this {
    const step = stepTasks(this.book, input);
    this.book = step.book;
    this.events.push(...step.events);
    this.effects.push(...step.effects);
    return this;
  }
  ask(id: string, more: Partial<TaskInput & { type: 'ask' }> = {}): this {
    return this.feed({ type: 'ask', atMs: 0, id, prompt: `what is ${id}?`, title: id, origin: 'text', ...more });
  }
  task(id: string) {
    return this.book.tasks.find((task) => task.id === id)!;
  }
  types(): string[] {
    return this.events.map(({ type }) => type);
  }
}

describe('tasks', () => {
  it('run, stream, complete and are woven', () => {
    const run = new Run().ask('a');
    expect(run.effects).toMatchObject([{ do: 'run', task: { id: 'a', revision: 1 } }]);
    run.feed({ type: 'delta', atMs: 1, id: 'a', revision: 1, text: 'it is ' });
    run.feed({ type: 'delta', atMs: 2, id: 'a', revision: 1, text: 'four' });
    run.feed({ type: 'done', atMs: 3, id: 'a', revision: 1 });
    expect(run.task('a')).toMatchObject({ status: 'done', text: 'it is four' });
    run.feed({ type: 'said', atMs: 4, id: 'a', revision: 1, chars: 6, responseId: 'r1' });
    expect(run.task('a').status).toBe('done');
    run.feed({ type: 'said', atMs: 5, id: 'a', revision: 1, chars: 10, responseId: 'r2' });
    expect(run.types()).toEqual([
      'task.created',
      'task.progress',
      'task.progress',
      'task.delta',
      'task.delta',
      'task.completed',
      'task.woven',
    ]);
    expect(run.events.at(-1)).toMatchObject({ responseId: 'r2' });
  });

  it('are told of again as they stand, but for those that are over', () => {
    const run = new Run();
    for (const id of ['over', 'done', 'asks', 'runs', 'waits']) {
      run.ask(id);
      if (id === 'over') run.feed({ type: 'cancel', atMs: 1, id, by: 'client' });
      if (id === 'done') run.feed({ type: 'delta', atMs: 1, id, revision: 1, text: 'four' });
      if (id === 'done') run.feed({ type: 'done', atMs: 1, id, revision: 1 });
      if (id === 'asks')
        run.feed({ type: 'question', atMs: 1, id, revision: 1, question: { id: 'q', text: 'Which?' } });
    }
    const [told, tasks, effects] = [run.events.length, run.book.tasks, run.effects.length];
    run.feed({ type: 'retell', atMs: 2 });
    const of = (taskId: string) => ({ taskId, revision: 1, title: taskId });
    expect(run.events.slice(told)).toEqual([
      { ...of('done'), type: 'task.completed', text: 'four' },
      { ...of('asks'), type: 'task.question', questionId: 'q', text: 'Which?' },
      { ...of('runs'), type: 'task.progress', status: 'running', prompt: 'what is runs?' },
      { ...of('waits'), type: 'task.progress', status: 'queued', prompt: 'what is waits?' },
    ]);
    expect([run.book.tasks, run.effects.length]).toEqual([tasks, effects]);
  });

  it('one that found nothing is woven without a word', () => {
    const run = new Run().ask('a').feed({ type: 'done', atMs: 1, id: 'a', revision: 1 });
    expect(run.task('a').status).toBe('woven');
  });

  describe('that fail', () => {
    const error = new MicroturnError('llm/unavailable', 'busy');
    const failed = (atMs: number, revision: number, retryInMs?: number): TaskInput => ({
      type: 'failed',
      atMs,
      id: 'a',
      revision,
      error,
      retryInMs,
    });

    it('begin again after the pause, with what was found so far void, and fail after their last try', () => {
      const run = new Run().ask('a').feed({ type: 'delta', atMs: 10, id: 'a', revision: 1, text: 'it is' });
      run.feed(failed(20, 1, 100));
      expect(run.task('a')).toMatchObject({ status: 'queued', revision: 2, text: '', sinceMs: 0 });
      run.feed({ type: 'tick', atMs: 119 });
      expect(run.task('a').status).toBe('queued');
      run.feed({ type: 'tick', atMs: 120 });
      expect(run.effects.at(-1)).toMatchObject({ do: 'run', task: { id: 'a', revision: 2 } });
      run.feed({ type: 'delta', atMs: 121, id: 'a', revision: 1, text: 'late' });
      expect(run.task('a').text).toBe('');
      run
        .feed(failed(130, 2, 100))
        .feed({ type: 'tick', atMs: 230 })
        .feed(failed(240, 3, 100));
      expect(run.task('a')).toMatchObject({ status: 'failed', failure: { code: 'llm/unavailable' } });
      expect(run.types().filter((type) => type === 'task.failed')).toHaveLength(1);
    });

    it('do not begin again where some of it was said, where it cannot help, or where their time does not allow it', () => {
      const said = new Run().ask('a').feed({ type: 'delta', atMs: 1, id: 'a', revision: 1, text: 'it is so' });
      said.feed({ type: 'said', atMs: 2, id: 'a', revision: 1, chars: 3 }).feed(failed(3, 1, 10));
      const hopeless = new Run().ask('a').feed(failed(3, 1));
      const late = new Run().ask('a').feed(failed(800, 1, 200));
      for (const run of [said, hopeless, late]) expect(run.task('a').status).toBe('failed');
    });

    it('keep their clock: tries together last no longer than one task may', () => {
      const run = new Run()
        .ask('a')
        .feed(failed(500, 1, 100))
        .feed({ type: 'tick', atMs: 600 });
      run.feed({ type: 'tick', atMs: 1001 });
      expect(run.task('a')).toMatchObject({ status: 'failed', failure: { code: 'task/timeout' } });
    });

    it('leave their place to others while they wait, and may be called off or amended then', () => {
      const run = new Run()
        .ask('a')
        .ask('b')
        .ask('c')
        .feed(failed(10, 1, 500));
      expect(run.task('c').status).toBe('running');
      run.feed({ type: 'amend', atMs: 20, id: 'a', text: 'in feet' });
      run.feed({ type: 'cancel', atMs: 30, id: 'b', by: 'client' });
      expect(run.effects.at(-1)).toMatchObject({ do: 'run', task: { id: 'a', revision: 3, sinceMs: 30 } });
      const off = new Run()
        .ask('a')
        .feed(failed(10, 1, 500))
        .feed({ type: 'cancel', atMs: 20, id: 'a', by: 'user' });
      off.feed({ type: 'tick', atMs: 600 });
      expect(off.task('a').status).toBe('cancelled');
    });
  });

  it('no more run at once than may, the others wait their turn, and beyond a bound they are refused', () => {
    const run = new Run();
    for (const id of ['a', 'b', 'c', 'd', 'e']) run.ask(id);
    expect(run.book.tasks.map(({ status }) => status)).toEqual(['running', 'running', 'queued', 'queued', 'queued']);
    expect(() => run.ask('f')).toThrow(expect.objectContaining({ code: 'task/full' }));
    run.feed({ type: 'cancel', atMs: 1, id: 'b', by: 'client' });
    expect(run.effects.slice(-2)).toMatchObject([
      { do: 'abort', id: 'b' },
      { do: 'run', task: { id: 'c' } },
    ]);
  });

  it('a newer one on the same subject supersedes the older, whose words are dropped', () => {
    const run = new Run().ask('a', { subject: 'weather' }).ask('b', { subject: 'weather' }).ask('c', { subject: 'x' });
    expect(run.events).toContainEqual(
      expect.objectContaining({ type: 'task.stale', taskId: 'a', reason: 'superseded' }),
    );
    expect(run.events).toContainEqual(expect.objectContaining({ type: 'task.created', taskId: 'b', supersedes: 'a' }));
    const before = run.events.length;
    run.feed({ type: 'delta', atMs: 1, id: 'a', revision: 1, text: 'late' });
    run.feed({ type: 'done', atMs: 1, id: 'a', revision: 1 });
    expect(run.events).toHaveLength(before);
  });

  it('an amended one begins again, and what its first run still says is dropped', () => {
    const run = new Run().ask('a').feed({ type: 'delta', atMs: 1, id: 'a', revision: 1, text: 'a steak' });
    run.feed({ type: 'amend', atMs: 2, id: 'a', text: 'make it vegetarian' });
    expect(run.effects.slice(-2)).toMatchObject([
      { do: 'abort', id: 'a', revision: 1 },
      { do: 'run', task: { id: 'a', revision: 2, amendments: ['make it vegetarian'], text: '' } },
    ]);
    run.feed({ type: 'delta', atMs: 3, id: 'a', revision: 1, text: 'with chips' });
    run.feed({ type: 'delta', atMs: 3, id: 'a', revision: 2, text: 'a salad' });
    expect(run.task('a').text).toBe('a salad');
    run.feed({ type: 'cancel', atMs: 4, id: 'a', by: 'user' });
    expect(() => run.feed({ type: 'amend', atMs: 5, id: 'a', text: 'x' })).toThrow(
      expect.objectContaining({ code: 'task/unknown' }),
    );
  });

  it('a question stops it until it is answered, and a question for approval takes yes or no', () => {
    const run = new Run().ask('a');
    const approval = { tool: 'send_mail', arguments: { to: 'bob' } };
    run.feed({ type: 'question', atMs: 1, id: 'a', revision: 1, question: { id: 'q', text: 'Send it?', approval } });
    expect(run.events.at(-1)).toMatchObject({ type: 'task.question', questionId: 'q', text: 'Send it?', approval });
    expect(() => run.feed({ type: 'answer', atMs: 2, id: 'a', answer: 'blue' })).toThrow(
      expect.objectContaining({ code: 'task/unknown' }),
    );
    for (const questionId of [undefined, 'earlier']) {
      expect(() => run.feed({ type: 'answer', atMs: 2, id: 'a', answer: true, questionId })).toThrow(
        expect.objectContaining({ code: 'task/unknown' }),
      );
    }
    run.feed({ type: 'answer', atMs: 2, id: 'a', answer: true, questionId: 'q' });
    expect(run.effects.at(-1)).toMatchObject({ do: 'answer', questionId: 'q', answer: true });
    expect(run.task('a')).toMatchObject({ status: 'running', question: undefined });
    expect(() => run.feed({ type: 'answer', atMs: 3, id: 'a', answer: true, questionId: 'q' })).toThrow(MicroturnError);
  });

  it('fault 28: one that takes too long fails, and so does one whose question nobody answers', () => {
    const run = new Run().ask('a').ask('b');
    run.feed({ type: 'question', atMs: 600, id: 'b', revision: 1, question: { id: 'q', text: 'Which?' } });
    run.feed({ type: 'tick', atMs: 1000 });
    expect(run.types()).not.toContain('task.failed');
    run.feed({ type: 'tick', atMs: 1001 });
    expect(run.events.at(-1)).toMatchObject({
      type: 'task.failed',
      taskId: 'a',
      code: 'task/timeout',
      retryable: true,
    });
    expect(run.effects.at(-1)).toMatchObject({ do: 'abort', id: 'a' });
    run.feed({ type: 'tick', atMs: 1101 });
    expect(run.events.at(-1)).toMatchObject({ type: 'task.failed', taskId: 'b', code: 'task/timeout' });
  });

  it('fault 31: a result that could not be said for too long, or of another subject, is stale', () => {
    const run = new Run().ask('a').ask('b');
    run.feed({ type: 'delta', atMs: 0, id: 'a', revision: 1, text: 'four' });
    run.feed({ type: 'done', atMs: 10, id: 'a', revision: 1 });
    run.feed({ type: 'tick', atMs: 2011 });
    expect(run.events.find(({ type }) => type === 'task.stale')).toMatchObject({ taskId: 'a', reason: 'expired' });
    run.ask('c').feed({ type: 'subject', atMs: 3000 });
    expect(run.events.at(-1)).toMatchObject({ type: 'task.stale', taskId: 'c', reason: 'subject' });
    expect(run.book.tasks.every(isOver)).toBe(true);
  });

  it('a result is no longer than its bound', () => {
    const run = new Run().ask('a');
    for (let i = 0; i < 10; i++) run.feed({ type: 'delta', atMs: i, id: 'a', revision: 1, text: 'ten chars ' });
    expect(run.task('a').text).toHaveLength(limits.textChars);
  });
});

const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const revisions = fc.integer({ min: 1, max: 3 });
const inputs: fc.Arbitrary<TaskInput> = fc.oneof(
  fc.record({
    type: fc.constant('ask' as const),
    atMs: fc.constant(0),
    id: ids,
    subject: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
    prompt: fc.constant('p'),
    title: fc.constant('t'),
    origin: fc.constant('app' as const),
  }),
  fc.record({ type: fc.constant('amend' as const), atMs: fc.constant(0), id: ids, text: fc.constant('more') }),
  fc.record({ type: fc.constant('cancel' as const), atMs: fc.constant(0), id: ids, by: fc.constant('user' as const) }),
  fc.record({ type: fc.constant('subject' as const), atMs: fc.constant(0) }),
  fc.record({
    type: fc.constant('worded' as const),
    atMs: fc.constant(0),
    id: ids,
    revision: revisions,
    prompt: fc.constant('q'),
    title: fc.constant('u'),
  }),
  fc.record({
    type: fc.constant('delta' as const),
    atMs: fc.constant(0),
    id: ids,
    revision: revisions,
    text: fc.string({ maxLength: 30 }),
  }),
  fc.record({
    type: fc.constant('question' as const),
    atMs: fc.constant(0),
    id: ids,
    revision: revisions,
    question: fc.constant({ id: 'q', text: '?' }),
  }),
  fc.record({ type: fc.constant('answer' as const), atMs: fc.constant(0), id: ids, answer: fc.constant('yes') }),
  fc.record({ type: fc.constant('done' as const), atMs: fc.constant(0), id: ids, revision: revisions }),
  fc.record({
    type: fc.constant('failed' as const),
    atMs: fc.constant(0),
    id: ids,
    revision: revisions,
    error: fc.constant(new MicroturnError('llm/timeout')),
  }),
  fc.record({
    type: fc.constant('said' as const),
    atMs: fc.constant(0),
    id: ids,
    revision: revisions,
    chars: fc.nat(50),
  }),
  fc.record({ type: fc.constant('tick' as const), atMs: fc.constant(0) }),
);

describe('tasks, whatever happens in whatever order', () => {
  it('keep their bounds, end once, and say nothing after their end', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(inputs, fc.nat(900)), { maxLength: 80 }), (sequence) => {
        let book = newTaskBook(limits);
        let atMs = 0;
        const ended = new Map<string, TaskStatus>();
        const running = new Set<string>();
        let asked = 0;
        for (const [made, pauseMs] of sequence) {
          atMs += pauseMs;
          // Ids are not used twice.
          const input = { ...made, atMs, ...(made.type === 'ask' && { id: `${made.id}${asked++}` }) } as TaskInput;
          let step: TaskStep;
          try {
            step = stepTasks(book, input);
          } catch (error) {
            expect(error).toBeInstanceOf(MicroturnError);
            continue;
          }
          for (const event of step.events as readonly { type: string; taskId: string }[]) {
            expect(ended.has(event.taskId)).toBe(false);
            const ends = ['task.woven', 'task.failed', 'task.cancelled', 'task.stale'].includes(event.type);
            if (ends) ended.set(event.taskId, step.book.tasks.find(({ id }) => id === event.taskId)!.status);
          }
          for (const effect of step.effects) {
            const key =
              effect.do === 'run' ? `${effect.task.id}/${effect.task.revision}` : `${effect.id}/${effect.revision}`;
            if (effect.do === 'run') {
              expect(running.has(key)).toBe(false);
              running.add(key);
            } else expect(running.has(key)).toBe(true);
          }
          book = step.book;
          const waiting = book.tasks.filter(({ status }) => status === 'queued').length;
          const working = book.tasks.filter(isBusy).length;
          expect(working).toBeLessThanOrEqual(limits.concurrent);
          expect(waiting).toBeLessThanOrEqual(limits.queued + limits.concurrent);
          if (waiting > 0) expect(working).toBe(limits.concurrent);
          for (const task of book.tasks) {
            expect(task.text.length).toBeLessThanOrEqual(limits.textChars);
            expect(task.saidChars).toBeLessThanOrEqual(task.text.length);
            expect(task.status === 'asking').toBe(task.question !== undefined);
            if (ended.has(task.id)) expect(task.status).toBe(ended.get(task.id));
            else expect(isOver(task)).toBe(false);
          }
          const subjects = book.tasks.flatMap((task) => (task.subject && !isOver(task) ? [task.subject] : []));
          expect(new Set(subjects).size).toBe(subjects.length);
        }
      }),
      { numRuns: 300 },
    );
  });
});
