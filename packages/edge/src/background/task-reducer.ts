import { MicroturnError, type SessionEventBody, type TaskOrigin, type TaskStatus } from '@microturn/protocol';
import type { WireError } from '@microturn/protocol';

export interface TaskQuestion {
  readonly id: string;
  readonly text: string;
  /** A yes or no to a tool that changes something. */
  readonly approval?: { readonly tool: string; readonly arguments: unknown };
}

/** One piece of background work. */
export interface Task {
  readonly id: string;
  readonly revision: number;
  readonly subject: string | undefined;
  readonly title: string;
  readonly origin: TaskOrigin;
  /** What is asked, as far as its words are known. */
  readonly prompt: string;
  readonly amendments: readonly string[];
  /** Pictures that came with it. */
  readonly images: number;
  readonly status: TaskStatus;
  readonly createdAtMs: number;
  /** Since when the clock of its timeout runs. */
  readonly sinceMs: number;
  /** The result so far. */
  readonly text: string;
  /** How much of `text` needs no saying any more. */
  readonly saidChars: number;
  readonly question: TaskQuestion | undefined;
  readonly failure: WireError | undefined;
  /** It failed and is worked on again: how often, and not before when. None of one that is done or over. */
  readonly again?: { readonly times: number; readonly dueMs: number } | undefined;
}

export interface TaskLimits {
  /** Tasks that run at once; the others wait. */
  readonly concurrent: number;
  /** Tasks that may wait; policy: reject. */
  readonly queued: number;
  /** From when it is first worked on; what is asked of the user starts it anew. */
  readonly timeoutMs: number;
  /** How often one that failed is worked on again. */
  readonly retries: number;
  /** How long a question waits for its answer. */
  readonly answerMs: number;
  /** How long a result waits to be said. */
  readonly expireMs: number;
  /** Characters of one result; what is beyond is dropped. */
  readonly textChars: number;
}

export interface TaskBook {
  /** Oldest first; of those that are over, the last few. */
  readonly tasks: readonly Task[];
  readonly limits: TaskLimits;
}

export type TaskInput =
  | {
      type: 'ask';
      atMs: number;
      id: string;
      prompt: string;
      title: string;
      origin: TaskOrigin;
      subject?: string | undefined;
      images?: number;
    }
  | { type: 'amend'; atMs: number; id: string; text: string }
  /** The words of a spoken question have been made out. */
  | { type: 'worded'; atMs: number; id: string; revision: number; prompt: string; title: string }
  | { type: 'cancel'; atMs: number; id: string; by: 'user' | 'client' | 'app' }
  /** The talk is about something else. */
  | { type: 'subject'; atMs: number }
  | { type: 'note'; atMs: number; id: string; revision: number; note: string }
  | { type: 'delta'; atMs: number; id: string; revision: number; text: string }
  | { type: 'question'; atMs: number; id: string; revision: number; question: TaskQuestion }
  /** `questionId`: which of its questions, where that is known; no leave is given without it. */
  | { type: 'answer'; atMs: number; id: string; answer: string | boolean; questionId?: string | undefined }
  | { type: 'done'; atMs: number; id: string; revision: number }
  /** `retryInMs`: it may be worked on again after so long. Not given where that cannot help, or did something already. */
  | {
      type: 'failed';
      atMs: number;
      id: string;
      revision: number;
      error: MicroturnError;
      retryInMs?: number | undefined;
    }
  /** `chars` of the result need no saying any more. */
  | { type: 'said'; atMs: number; id: string; revision: number; chars: number; responseId?: string | undefined }
  /** Another process worked on these, and is gone: what was not finished begins again. */
  | { type: 'restore'; atMs: number; tasks: readonly Task[] }
  /** A client that may have missed how tasks ended is told how those stand that have not. */
  | { type: 'retell'; atMs: number }
  | { type: 'tick'; atMs: number };

/** What the desk must do besides telling its session. */
export type TaskEffect =
  | { do: 'run'; task: Task }
  | { do: 'abort'; id: string; revision: number }
  | { do: 'answer'; id: string; revision: number; questionId: string; answer: string | boolean };

export interface TaskStep {
  readonly book: TaskBook;
  readonly events: readonly SessionEventBody[];
  readonly effects: readonly TaskEffect[];
}

/** Tasks that are over and still known, for their late words to be refused and their story to be told. */
const KEPT_OVER = 64;
const over: ReadonlySet<TaskStatus> = new Set(['woven', 'failed', 'cancelled', 'stale']);
const busy: ReadonlySet<TaskStatus> = new Set(['running', 'streaming', 'asking']);

export const isOver = ({ status }: Task): boolean => over.has(status);
export const isBusy = ({ status }: Task): boolean => busy.has(status);

export function newTaskBook(limits: TaskLimits, tasks: readonly Task[] = []): TaskBook {
  return { limits, tasks };
}

/**
 * The one reducer of background tasks: pure, so that every rule of who supersedes, cancels and outlives whom can be
 * tested without a model or a clock.
 * @throws {MicroturnError} `task/full`, `task/unknown`: nothing has changed then
 */
export function stepTasks(book: TaskBook, input: TaskInput): TaskStep {
  const step = new TaskStepBuilder(book);
  switch (input.type) {
    case 'ask':
      ask(step, input);
      break;
    case 'amend':
      amend(step, input);
      break;
    case 'worded':
      if (step.current(input)) {
        step.update(input.id, { prompt: input.prompt, title: input.title });
        step.progress(input.id, { prompt: input.prompt });
      }
      break;
    case 'cancel': {
      const task = step.known(input.id);
      if (isOver(task)) break;
      step.end(task, 'cancelled');
      step.emit(input.id, { type: 'task.cancelled', by: input.by });
      break;
    }
    case 'subject':
      for (const task of book.tasks) if (!isOver(task)) step.stale(task, 'subject');
      break;
    case 'note':
      if (step.current(input)) step.progress(input.id, { note: input.note });
      break;
    case 'delta':
      delta(step, input);
      break;
    case 'question':
      if (!step.current(input)) break;
      step.update(input.id, { status: 'asking', question: input.question, sinceMs: input.atMs });
      step.emit(input.id, toQuestionEvent(input.question));
      break;
    case 'answer':
      answer(step, input);
      break;
    case 'done': {
      const task = step.current(input);
      if (!task) break;
      step.update(input.id, { status: 'done', sinceMs: input.atMs, question: undefined, again: undefined });
      step.emit(input.id, { type: 'task.completed', text: task.text });
      step.weaveIfSaid(input.id);
      break;
    }
    case 'failed':
      fail(step, input);
      break;
    case 'said': {
      const task = book.tasks.find(({ id }) => id === input.id);
      if (!task || isOver(task) || task.revision !== input.revision) break;
      step.update(input.id, { saidChars: Math.max(task.saidChars, Math.min(input.chars, task.text.length)) });
      step.weaveIfSaid(input.id, input.responseId);
      break;
    }
    case 'restore':
      for (const task of input.tasks) {
        step.add(task);
        if (isOver(task)) continue;
        if (task.status === 'done') {
          step.weaveIfSaid(task.id);
          continue;
        }
        if (task.origin === 'answer') {
          // The answer that wanted it is gone, too.
          step.stale(task, 'superseded');
          continue;
        }
        step.update(task.id, { status: 'queued', revision: task.revision + 1, text: '', question: undefined });
        step.progress(task.id);
      }
      break;
    case 'retell':
      for (const task of book.tasks) if (!isOver(task)) retell(step, task);
      break;
    case 'tick':
      for (const task of book.tasks) expire(step, task, input.atMs);
      break;
    default:
      return input satisfies never;
  }
  step.fill(input.atMs);
  return step.result();
}

function ask(step: TaskStepBuilder, input: TaskInput & { type: 'ask' }): void {
  const { id, prompt, title, origin, subject, images = 0, atMs } = input;
  const { tasks, limits } = step.book;
  if (tasks.filter(({ status }) => status === 'queued').length >= limits.queued) throw new MicroturnError('task/full');
  const earlier = subject === undefined ? undefined : tasks.find((task) => task.subject === subject && !isOver(task));
  if (earlier) step.stale(earlier, 'superseded');
  const task: Task = {
    id,
    revision: 1,
    subject,
    title,
    origin,
    prompt,
    amendments: [],
    images,
    status: 'queued',
    createdAtMs: atMs,
    sinceMs: atMs,
    text: '',
    saidChars: 0,
    question: undefined,
    failure: undefined,
  };
  step.add(task);
  step.emit(id, {
    type: 'task.created',
    origin,
    prompt,
    ...(subject !== undefined && { subject }),
    ...(earlier && { supersedes: earlier.id }),
    ...(images > 0 && { images }),
  });
}

/** A task that is amended begins again, with all that was asked; what it had found so far is void. */
function amend(step: TaskStepBuilder, { id, text, atMs }: TaskInput & { type: 'amend' }): void {
  const task = step.known(id);
  if (isOver(task)) throw new MicroturnError('task/unknown', `${task.title}: it is ${task.status}`);
  if (isBusy(task)) step.abort(task);
  step.update(id, {
    revision: task.revision + 1,
    amendments: [...task.amendments, text],
    status: 'queued',
    sinceMs: atMs,
    text: '',
    saidChars: 0,
    question: undefined,
    again: undefined,
  });
  step.progress(id, { amendment: text });
}

/** One of which nothing was said yet begins again, as long as its time allows. */
function fail(step: TaskStepBuilder, input: TaskInput & { type: 'failed' }): void {
  const { id, error, retryInMs = Infinity, atMs } = input;
  const task = step.current(input);
  if (!task) return;
  const { retries, timeoutMs } = step.book.limits;
  const { times } = task.again ?? { times: 0 };
  if (times < retries && task.saidChars === 0 && atMs + retryInMs < task.sinceMs + timeoutMs) {
    const again = { times: times + 1, dueMs: atMs + retryInMs };
    step.update(id, { status: 'queued', revision: task.revision + 1, text: '', question: undefined, again });
    step.progress(id, { note: 'failed, and is tried again' });
    return;
  }
  const failure = error.toWire();
  step.update(id, { status: 'failed', failure, question: undefined, again: undefined });
  step.emit(id, { type: 'task.failed', ...failure });
}

function delta(step: TaskStepBuilder, input: TaskInput & { type: 'delta' }): void {
  const task = step.current(input);
  if (!task || task.status === 'asking') return;
  const text = input.text.slice(0, Math.max(0, step.book.limits.textChars - task.text.length));
  if (text === '') return;
  step.update(input.id, { text: task.text + text, status: 'streaming' });
  if (task.status !== 'streaming') step.progress(input.id);
  step.emit(input.id, { type: 'task.delta', text });
}

function answer(step: TaskStepBuilder, input: TaskInput & { type: 'answer' }): void {
  const { id, answer: given, questionId, atMs } = input;
  const { question, status, revision } = step.known(id);
  if (status !== 'asking' || !question) throw new MicroturnError('task/unknown', 'it asks nothing');
  if (questionId !== undefined && questionId !== question.id)
    throw new MicroturnError('task/unknown', 'it asks something else by now');
  if (question.approval && typeof given !== 'boolean')
    throw new MicroturnError('task/unknown', 'it asks for yes or no');
  // The next question may stand where the one that was seen stood a moment ago.
  if (question.approval && given === true && questionId === undefined)
    throw new MicroturnError('task/unknown', 'leave is given to one question: say which, by its `questionId`');
  step.update(id, { status: 'running', question: undefined, sinceMs: atMs });
  step.progress(id);
  step.effect({ do: 'answer', id, revision, questionId: question.id, answer: given });
}

function retell(step: TaskStepBuilder, { id, status, text, prompt, question }: Task): void {
  if (question) step.emit(id, toQuestionEvent(question));
  else if (status === 'done') step.emit(id, { type: 'task.completed', text });
  else step.progress(id, { prompt });
}

function expire(step: TaskStepBuilder, task: Task, atMs: number): void {
  const { timeoutMs, answerMs, expireMs } = step.book.limits;
  const waitedMs = atMs - task.sinceMs;
  if (task.status === 'done' && waitedMs > expireMs) step.stale(task, 'expired');
  if (!isBusy(task) || waitedMs <= (task.status === 'asking' ? answerMs : timeoutMs)) return;
  const detail = task.status === 'asking' ? 'its question was not answered' : `${timeoutMs} ms`;
  const failure = new MicroturnError('task/timeout', detail).toWire();
  step.end(task, 'failed');
  step.update(task.id, { failure });
  step.emit(task.id, { type: 'task.failed', ...failure });
}

function toQuestionEvent({ id, text, approval }: TaskQuestion): TaskEventBody {
  return { type: 'task.question', questionId: id, text, ...(approval && { approval }) };
}

/** An event of a task, before it is said whose. */
type TaskEventBody = SessionEventBody extends infer E
  ? E extends { type: `task.${string}` }
    ? Omit<E, 'taskId' | 'revision' | 'title'>
    : never
  : never;

/** Collects the changes of one step; lives no longer than it. */
class TaskStepBuilder {
  book: TaskBook;
  readonly #events: SessionEventBody[] = [];
  readonly #effects: TaskEffect[] = [];
  constructor(book: TaskBook) {
    this.book = book;
  }
  result(): TaskStep {
    return { book: this.book, events: this.#events, effects: this.#effects };
  }
  /** @throws {MicroturnError} `task/unknown` */
  known(id: string): Task {
    const task = this.book.tasks.find((one) => one.id === id);
    if (!task) throw new MicroturnError('task/unknown');
    return task;
  }
  /** The task that a run belongs to, where that run is still wanted. */
  current({ id, revision }: { id: string; revision: number }): Task | undefined {
    return this.book.tasks.find((task) => task.id === id && task.revision === revision && isBusy(task));
  }
  add(task: Task): void {
    const gone = new Set(this.book.tasks.filter(isOver).slice(0, -KEPT_OVER));
    this.book = { ...this.book, tasks: [...this.book.tasks.filter((one) => !gone.has(one)), task] };
  }
  update(id: string, change: Partial<Task>): void {
    this.book = {
      ...this.book,
      tasks: this.book.tasks.map((task) => (task.id === id ? { ...task, ...change } : task)),
    };
  }
  emit(id: string, body: TaskEventBody): void {
    const { revision, title } = this.known(id);
    this.#events.push({ ...body, taskId: id, revision, title } as SessionEventBody);
  }
  progress(id: string, more: { note?: string; prompt?: string; amendment?: string } = {}): void {
    this.emit(id, { type: 'task.progress', status: this.known(id).status, ...more });
  }
  effect(effect: TaskEffect): void {
    this.#effects.push(effect);
  }
  abort({ id, revision }: Task): void {
    this.effect({ do: 'abort', id, revision });
  }
  end(task: Task, status: TaskStatus): void {
    if (isBusy(task)) this.abort(task);
    this.update(task.id, { status, question: undefined, again: undefined });
  }
  stale(task: Task, reason: 'superseded' | 'subject' | 'expired'): void {
    this.end(task, 'stale');
    this.emit(task.id, { type: 'task.stale', reason });
  }
  weaveIfSaid(id: string, responseId?: string): void {
    const { status, saidChars, text } = this.known(id);
    if (status !== 'done' || text.slice(saidChars).trim() !== '') return;
    this.update(id, { status: 'woven' });
    this.emit(id, { type: 'task.woven', ...(responseId !== undefined && { responseId }) });
  }
  /** Starts what waits, oldest first, as far as there is room. */
  fill(atMs: number): void {
    for (const { id, again, sinceMs } of this.book.tasks.filter(({ status }) => status === 'queued')) {
      if (this.book.tasks.filter(isBusy).length >= this.book.limits.concurrent) return;
      if (again && again.dueMs > atMs) continue;
      this.update(id, { status: 'running', sinceMs: again ? sinceMs : atMs });
      this.progress(id);
      this.effect({ do: 'run', task: this.known(id) });
    }
  }
}
