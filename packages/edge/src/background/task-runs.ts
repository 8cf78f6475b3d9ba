import { MicroturnError } from '@microturn/protocol';
import { pauseMs, type Budget } from '../llm/index.js';
import type { Log } from '../telemetry/log.js';
import type { BackgroundProvider, TaskBrief, TaskIo } from './provider.js';
import type { Task, TaskEffect, TaskInput } from './task-reducer.js';
import { TextBatch } from './text-batch.js';
import { unlessAborted, type ToolBox } from './toolbox.js';
import type { Turnstile } from './turnstile.js';

/** What the desk knows of its tasks, and is told of their runs. */
export interface TaskRunsHost {
  nowMs(): number;
  apply(input: TaskInput): void;
  /** All that is known of a task; undefined where nothing is left to be done for it. */
  brief(task: Task, signal: AbortSignal): Promise<TaskBrief | undefined>;
  /** What is done for it in place of asking the provider: a tool that an answer called. */
  errandOf(taskId: string): ((io: TaskIo) => Promise<void>) | undefined;
  /** Something of its result is being said, or was. */
  hasBegun(taskId: string): boolean;
  tools(): ToolBox;
  patch(surfaceId: string, patch: unknown): void;
  budget(): Budget;
}

export interface TaskRunsParts {
  readonly provider: BackgroundProvider;
  /** Shared by all sessions: one task begins in each turn of the event loop. */
  readonly starts: Turnstile;
  readonly after: (ms: number, fn: () => void) => () => void;
  readonly log: Log;
  readonly host: TaskRunsHost;
}

interface Run {
  readonly abort: AbortController;
  /** The user was asked or shown something, or gave leave to change something: none of it is done twice. */
  touched: boolean;
  readonly text: TextBatch;
  readonly answers: Map<string, (answer: string | boolean) => void>;
}

/** The tasks of one session that are being worked on. What comes of them is put into the task reducer. */
export class TaskRuns {
  readonly #parts: TaskRunsParts;
  readonly #runs = new Map<string, Run>();
  #questions = 0;

  constructor(parts: TaskRunsParts) {
    this.#parts = parts;
  }

  run(effect: TaskEffect): void {
    switch (effect.do) {
      case 'run':
        void this.#start(effect.task);
        return;
      case 'abort':
        this.#abort(effect);
        return;
      case 'answer':
        this.#answer(effect);
        return;
      default:
        effect satisfies never;
    }
  }

  close(): void {
    for (const { abort } of this.#runs.values()) abort.abort(new MicroturnError('session/closed'));
    this.#runs.clear();
  }

  /** Works on a task to its end. Nothing is thrown, and nothing is told of a run that is not wanted any more. */
  async #start(task: Task): Promise<void> {
    const { provider, starts, after, log, host } = this.#parts;
    const { id, revision } = task;
    const about = () => ({ atMs: host.nowMs(), id, revision });
    const run: Run = {
      abort: new AbortController(),
      touched: false,
      text: new TextBatch(after, (text) => host.apply({ type: 'delta', ...about(), text })),
      answers: new Map(),
    };
    this.#runs.set(runKey(task), run);
    const { signal } = run.abort;
    try {
      await starts.pass();
      signal.throwIfAborted();
      const brief = await unlessAborted(host.brief(task, signal), signal);
      if (brief) {
        const io = this.#ioOf(task, run);
        const errand = host.errandOf(id);
        await unlessAborted(errand ? errand(io) : provider.run(brief, io), signal);
      }
      run.text.flush();
      host.apply({ type: 'done', ...about() });
    } catch (cause) {
      if (signal.aborted) return;
      run.text.flush();
      const error = MicroturnError.from(cause, 'edge/internal');
      // Its message may quote what was said, which stays out of the log.
      log.info({ taskId: id, code: error.code }, 'a task failed');
      host.apply({ type: 'failed', ...about(), error, retryInMs: this.#retryInMs(task, run, cause) });
    } finally {
      run.text.drop();
      this.#runs.delete(runKey(task));
    }
  }

  #abort(effect: TaskEffect & { do: 'abort' }): void {
    const key = runKey(effect);
    this.#runs.get(key)?.abort.abort(new MicroturnError('session/aborted', 'the task is not wanted any more'));
    this.#runs.delete(key);
  }

  #answer(effect: TaskEffect & { do: 'answer' }): void {
    this.#runs.get(runKey(effect))?.answers.get(effect.questionId)?.(effect.answer);
  }

  /** How long to wait before a task that failed is worked on again; undefined where it should not be. */
  #retryInMs({ id, again }: Task, { touched }: Run, cause: unknown): number | undefined {
    const { host } = this.#parts;
    if (!(cause instanceof MicroturnError) || !cause.retryable || touched) return undefined;
    // An answer waited for it, and has been told.
    if (host.errandOf(id)) return undefined;
    // Words that were not made out are no clearer the second time.
    if (cause.code === 'task/unheard' || host.hasBegun(id)) return undefined;
    return pauseMs((again?.times ?? 0) + 1, cause.retryAfterMs, Math.random);
  }

  #ioOf({ id, revision }: Task, run: Run): TaskIo {
    const { host } = this.#parts;
    const { abort, answers, text: batch } = run;
    const { signal } = abort;
    const about = () => ({ atMs: host.nowMs(), id, revision });
    const ask = async (text: string, approval?: { tool: string; arguments: unknown }): Promise<string | boolean> => {
      // The process that takes the session up counts anew, for a higher revision.
      const questionId = `${id}-${revision}-q${++this.#questions}`;
      try {
        const answer = new Promise<string | boolean>((resolve) => answers.set(questionId, resolve));
        const question = { id: questionId, text, ...(approval && { approval }) };
        batch.flush();
        run.touched = true;
        host.apply({ type: 'question', ...about(), question });
        return await unlessAborted(answer, signal);
      } finally {
        answers.delete(questionId);
      }
    };
    // One question at a time: a task waits for one answer.
    let asked: Promise<unknown> = Promise.resolve();
    const inTurn = <T>(next: () => Promise<T>): Promise<T> => {
      const answered = asked.then(next, next);
      asked = answered.catch(() => undefined);
      return answered;
    };
    return {
      signal,
      tools: host.tools(),
      budget: host.budget(),
      delta: (text) => batch.push(text),
      note: (note) => {
        batch.flush();
        host.apply({ type: 'note', ...about(), note });
      },
      patch: (surfaceId, patch) => {
        signal.throwIfAborted();
        host.patch(surfaceId, patch);
        run.touched = true;
      },
      ask: (question) => inTurn(async () => String(await ask(question))),
      approve: (tool, args) =>
        inTurn(async () => (await ask(`May I use ${tool.replaceAll('_', ' ')}?`, { tool, arguments: args })) === true),
    };
  }
}

function runKey({ id, revision }: { id: string; revision: number }): string {
  return `${id}/${revision}`;
}
