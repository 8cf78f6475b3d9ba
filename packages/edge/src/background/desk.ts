import { MicroturnError, type AskResult, type ClientMessageOf, type SessionEvent } from '@microturn/protocol';
import type { Decision } from '../engine/types.js';
import { Budget, pauseMs, type BudgetLimits } from '../llm/index.js';
import type { Clip } from '../media/types.js';
import type { SessionBackground, SessionDesk, SessionTools, TaskRequest, TypedRequest } from '../session/index.js';
import type { Log } from '../telemetry/log.js';
import { ConversationLog } from './conversation-log.js';
import { Errands } from './errands.js';
import { approvalOf, type FollowUpRule } from './follow-up.js';
import { Images } from './images.js';
import { PageTools } from './page-tools.js';
import type { BackgroundProvider, TaskBrief, TaskIo } from './provider.js';
import {
  isOver,
  newTaskBook,
  stepTasks,
  type Task,
  type TaskEffect,
  type TaskInput,
  type TaskLimits,
} from './task-reducer.js';
import { restoreTasks } from './restore.js';
import { TextBatch } from './text-batch.js';
import { ToolBox, unlessAborted, type Tool } from './toolbox.js';
import { UtteranceTracker, type Utterance } from './utterances.js';
import { Weaver, type RelayRule } from './weaver.js';

/** Makes words of the sound of an utterance. */
export type Hear = (clip: Clip, signal: AbortSignal) => Promise<string>;

/** When an utterance becomes a task. */
export type DelegateRule =
  /** The model says so. */
  | { readonly by: 'act' }
  /** Each one that lasts, and that the model does not answer itself. */
  | { readonly by: 'utterance'; readonly minSpeechMs: number; readonly pauseMs: number };

export interface BackgroundDeskParts {
  readonly provider: BackgroundProvider;
  /** Of the server: the app's, the embedded ones, those of MCP servers. */
  readonly tools: readonly Tool[];
  readonly limits: TaskLimits;
  readonly budget: BudgetLimits & { readonly tasks?: number | undefined };
  readonly relay: RelayRule;
  readonly delegate: DelegateRule;
  readonly progressMs: number;
  readonly followUp: FollowUpRule;
  readonly hear: Hear | undefined;
  readonly moderate: ((text: string, task: Task) => Promise<string | undefined>) | undefined;
  readonly after: (ms: number, fn: () => void) => () => void;
  readonly log: Log;
}

/** Before what the model decides first, an utterance that it delegates may be shorter than what a rule would take. */
const TITLE_CHARS = 60;
/** How long ago a result may have been talked over for “never mind” to mean it. */
const MEANT_MS = 30_000;
/** How long a model may take to read a message and to delegate it. */
const READ_MS = 10_000;

interface Running {
  readonly abort: AbortController;
  /** The user was asked something, or gave leave to change something: none of it is done twice. */
  touched: boolean;
  readonly text: TextBatch;
  readonly answers: Map<string, (answer: string | boolean) => void>;
}

/** The background of one session: its tasks, what they may do, and how their results come into the conversation. */
export class BackgroundDesk implements SessionBackground {
  readonly #parts: BackgroundDeskParts;
  readonly #desk: SessionDesk;
  #budget: Budget;
  readonly #log = new ConversationLog();
  readonly #utterances: UtteranceTracker;
  readonly #weaver: Weaver;
  readonly #pageTools: PageTools;
  readonly #images = new Images();
  readonly #running = new Map<string, Running>();
  readonly #errands = new Errands({
    create: (title) => {
      this.#assertOpen();
      const id = `task-${++this.#count}`;
      this.#apply({ type: 'ask', atMs: this.#desk.nowMs(), id, prompt: '', title, origin: 'answer' });
      return id;
    },
    cancel: (id) => this.#apply({ type: 'cancel', atMs: this.#desk.nowMs(), id, by: 'app' }),
    context: (taskId, { signal, note }) => {
      const { sessionId, participant } = this.#desk;
      return { signal, note, sessionId, participant, taskId };
    },
  });
  /** Spoken questions whose words are not known yet, by task. */
  readonly #spoken = new Map<string, Utterance>();
  /** Inputs that came in the middle of a step. */
  readonly #inbox: TaskInput[] = [];
  #stepping = false;
  #book;
  #count = 0;
  #questions = 0;
  /** The task that was being said last, and when it was talked over. */
  #talkedOver: { readonly taskId: string; readonly atMs: number } | undefined;
  /** The last message that was sent, until it is a task. */
  #message: { readonly text: string; readonly atMs: number } | undefined;
  #closed = false;

  constructor(parts: BackgroundDeskParts, desk: SessionDesk) {
    this.#parts = parts;
    this.#desk = desk;
    this.#budget = new Budget(parts.budget);
    this.#book = newTaskBook(parts.limits);
    const pauseMs = parts.delegate.by === 'utterance' ? parts.delegate.pauseMs : 800;
    this.#utterances = new UtteranceTracker({ microTurnMs: desk.microTurnMs, pauseMs });
    this.#pageTools = new PageTools((event) => desk.emit(event));
    this.#weaver = new Weaver({
      rule: parts.relay,
      microTurnMs: desk.microTurnMs,
      progressMs: parts.progressMs,
      moderate: parts.moderate,
      host: {
        begin: (taskId, text) => desk.relay(taskId, text),
        append: (responseId, text) => void desk.relay('', text, responseId),
        end: (responseId) => desk.endRelay(responseId),
        drop: (responseId) => desk.drop(responseId),
        mark: (mark) => desk.mark(mark),
      },
      onSaid: ({ id, revision }, chars, responseId) =>
        this.#apply({ type: 'said', atMs: desk.nowMs(), id, revision, chars, responseId }),
    });
  }

  get spent() {
    return { ...this.#budget.spent, tasks: this.#count };
  }

  readonly tools: SessionTools = {
    list: () => this.#toolBox().tools,
    call: (call, signal) => this.#errands.call(call, signal),
  };

  get tasks(): readonly Task[] {
    return this.#book.tasks;
  }

  get keepsClip(): boolean {
    return this.#parts.hear !== undefined || this.#parts.provider.takesAudio;
  }

  ask({ text, subject, images = [], origin }: TaskRequest): { taskId: string } {
    this.#assertOpen();
    const atMs = this.#desk.nowMs();
    if (origin === 'text') this.#log.note({ atMs, who: this.#desk.participant, text });
    return { taskId: this.#create({ prompt: text, origin, subject, images }) };
  }

  typed({ text, subject, images = [] }: TypedRequest): AskResult {
    // Who names a subject, or shows something, asks.
    const about = subject === undefined && images.length === 0 ? this.followUp(text) : undefined;
    return (
      about ?? { taken: 'question', ...this.ask({ text, subject, images: this.#images.take(images), origin: 'text' }) }
    );
  }

  appendImage(piece: Parameters<Images['append']>[0]): void {
    this.#assertOpen();
    this.#images.append(piece);
  }

  followUp(text: string): AskResult | undefined {
    this.#assertOpen();
    const about = this.#followUp(text);
    if (about) this.#log.note({ atMs: this.#desk.nowMs(), who: this.#desk.participant, text });
    return about;
  }

  amend(taskId: string, text: string): void {
    this.#assertOpen();
    this.#apply({ type: 'amend', atMs: this.#desk.nowMs(), id: taskId, text });
  }

  answer(taskId: string, answer: string | boolean): void {
    this.#assertOpen();
    this.#apply({ type: 'answer', atMs: this.#desk.nowMs(), id: taskId, answer });
  }

  cancel(taskId: string | undefined, by: 'user' | 'client' | 'app'): void {
    this.#assertOpen();
    const atMs = this.#desk.nowMs();
    const meant =
      taskId === undefined ? this.#book.tasks.filter((task) => !isOver(task)).map(({ id }) => id) : [taskId];
    for (const id of meant) this.#apply({ type: 'cancel', atMs, id, by });
  }

  changeSubject(): void {
    this.#assertOpen();
    this.#apply({ type: 'subject', atMs: this.#desk.nowMs() });
  }

  registerTools(tools: ClientMessageOf<'tools.register'>['tools']): void {
    this.#assertOpen();
    this.#pageTools.register(tools);
  }

  toolResult(result: Pick<ClientMessageOf<'tool.result'>, 'callId' | 'output' | 'error'>): void {
    this.#assertOpen();
    this.#pageTools.result(result);
  }

  restore(events: readonly SessionEvent[], spent: SessionBackground['spent'] | undefined): void {
    for (const event of events) this.#log.take(event);
    const tasks = restoreTasks(events);
    // Ids go on behind the highest, also where the events of the oldest tasks are gone.
    this.#count = Math.max(spent?.tasks ?? 0, ...tasks.map(({ id }) => Number(id.slice('task-'.length))));
    this.#budget = new Budget(this.#parts.budget, spent);
    if (tasks.length > 0) this.#apply({ type: 'restore', atMs: this.#desk.nowMs(), tasks });
  }

  onDecision(decision: Decision, moment: Parameters<SessionBackground['onDecision']>[1]): void {
    const { responses, present, overhears } = moment;
    if (this.#closed) return;
    const atMs = this.#desk.nowMs();
    this.#apply({ type: 'tick', atMs });
    const ended = this.#utterances.push(decision);
    if (ended) this.#onUtterance(ended);
    if (decision.acts.includes('cancel')) this.#cancelMeant();
    if (decision.acts.includes('delegate')) this.#delegateMeant(this.#utterances.take() ?? ended);
    const live = responses.find(({ id }) => id === this.#weaver.liveId);
    this.#weaver.onMoment({
      atMs,
      aheadMs: !live || live.speaking > 0 ? Infinity : live.lengthMs - live.heardMs,
      floor: decision.floor,
      relays: decision.acts.includes('relay'),
      shows: decision.acts.includes('show'),
      speaks: decision.say !== '',
      taken: overhears || responses.some((response) => response !== live),
      present,
    });
  }

  read(text: string): void {
    if (this.#parts.delegate.by === 'utterance') {
      this.ask({ text, origin: 'text' });
      return;
    }
    const atMs = this.#desk.nowMs();
    this.#log.note({ atMs, who: this.#desk.participant, text });
    this.#message = { text, atMs };
  }

  onEvent(event: SessionEvent): void {
    this.#log.take(event);
    if (event.type !== 'response.completed' && event.type !== 'response.interrupted') return;
    const { liveTaskId } = this.#weaver;
    if (event.type === 'response.interrupted' && event.responseId === this.#weaver.liveId && liveTaskId !== undefined) {
      this.#talkedOver = { taskId: liveTaskId, atMs: event.at };
    }
    this.#weaver.onResponse(event);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { abort } of this.#running.values()) abort.abort(new MicroturnError('session/closed'));
    this.#running.clear();
    this.#spoken.clear();
    this.#errands.close();
    this.#pageTools.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new MicroturnError('session/closed');
  }

  /** An utterance is over: it may call something off, answer a question, or be one. */
  #onUtterance(utterance: Utterance): void {
    const words = utterance.words.join(' ');
    const { delegate, hear, provider } = this.#parts;
    // Words that the model has names for need nobody to make them out.
    if (!words.includes('<unk>') && this.#followUp(words)) return;
    if (delegate.by !== 'utterance' || utterance.answered) return;
    if (utterance.toMs - utterance.fromMs < delegate.minSpeechMs) return;
    if (hear || provider.takesAudio) this.#delegate(utterance);
  }

  /** What the model delegates is what was said just now, else the last message. */
  #delegateMeant(utterance: Utterance | undefined): void {
    const message = this.#message && this.#desk.nowMs() - this.#message.atMs < READ_MS ? this.#message.text : undefined;
    if (utterance) this.#delegate(utterance);
    else if (message !== undefined) {
      this.#message = undefined;
      this.#delegate(undefined, message);
    }
  }

  #delegate(utterance: Utterance | undefined, text?: string): void {
    const words = text ?? utterance?.words.filter((word) => word !== '<unk>').join(' ') ?? '';
    try {
      const id = this.#create({ prompt: words, origin: 'model', spoken: utterance });
      this.#parts.log.debug({ taskId: id }, 'a question was delegated');
    } catch (error) {
      this.#parts.log.info({ code: MicroturnError.from(error, 'edge/internal').code }, 'a question was not taken');
    }
  }

  #create({
    prompt,
    origin,
    subject,
    images = [],
    spoken,
  }: Pick<Task, 'prompt' | 'origin'> & {
    subject?: string | undefined;
    images?: readonly Uint8Array[];
    spoken?: Utterance | undefined;
  }): string {
    const { tasks = Infinity } = this.#parts.budget;
    if (this.#count >= tasks) throw new MicroturnError('llm/budget', `${tasks} tasks`);
    const id = `task-${this.#count + 1}`;
    const { length } = images;
    this.#images.attach(id, images);
    this.#count++;
    if (spoken) this.#spoken.set(id, spoken);
    try {
      const title = titleOf(prompt);
      this.#apply({ type: 'ask', atMs: this.#desk.nowMs(), id, prompt, title, origin, subject, images: length });
    } catch (error) {
      this.#spoken.delete(id);
      this.#dropImages();
      throw error;
    }
    return id;
  }

  /** Pictures go with their tasks. */
  #dropImages(): void {
    this.#images.keep(new Set(this.#book.tasks.filter((task) => !isOver(task)).map(({ id }) => id)));
  }

  /** What was said or typed is about a task: calls it off, adds to it or answers it. Undefined for a question of its own. */
  #followUp(text: string): AskResult | undefined {
    if (text === '') return undefined;
    const atMs = this.#desk.nowMs();
    const asking = this.#book.tasks.findLast(({ status }) => status === 'asking');
    const approved = asking?.question?.approval && approvalOf(text);
    if (asking && approved !== undefined) {
      this.#apply({ type: 'answer', atMs, id: asking.id, answer: approved });
      return { taken: 'answer', taskId: asking.id };
    }
    const meant = this.#parts.followUp(text);
    switch (meant) {
      case 'cancel':
        return { taken: 'cancel', ...this.#cancelMeant() };
      case 'cancel-all':
        this.cancel(undefined, 'user');
        return { taken: 'cancel' };
      case 'subject':
        this.changeSubject();
        return { taken: 'subject' };
      case 'amend': {
        const task = this.#book.tasks.findLast((one) => !isOver(one) && one.prompt !== '');
        if (!task) return undefined;
        this.#apply({ type: 'amend', atMs, id: task.id, text });
        return { taken: 'amend', taskId: task.id };
      }
      case 'ask':
        if (!asking || asking.question?.approval) return undefined;
        this.#apply({ type: 'answer', atMs, id: asking.id, answer: text });
        return { taken: 'answer', taskId: asking.id };
      default:
        return meant satisfies never;
    }
  }

  /** “Never mind” means what was talked over just now, else what was asked last; said of nothing, it is no question either. */
  #cancelMeant(): { taskId?: string } {
    const atMs = this.#desk.nowMs();
    const over = this.#talkedOver && atMs - this.#talkedOver.atMs < MEANT_MS ? this.#talkedOver.taskId : undefined;
    const open = this.#book.tasks.filter((task) => !isOver(task) && !this.#spoken.has(task.id));
    const task = open.find(({ id }) => id === over) ?? open.at(-1);
    if (!task) return {};
    this.#apply({ type: 'cancel', atMs, id: task.id, by: 'user' });
    return { taskId: task.id };
  }

  /** One input after the other, also where one leads to the next. */
  #apply(input: TaskInput): void {
    if (this.#closed) return;
    if (this.#stepping) {
      this.#inbox.push(input);
      return;
    }
    this.#stepping = true;
    try {
      for (let next: TaskInput | undefined = input; next; next = this.#inbox.shift()) this.#step(next);
    } finally {
      this.#stepping = false;
    }
  }

  #step(input: TaskInput): void {
    const { book, events, effects } = stepTasks(this.#book, input);
    if (book === this.#book) return;
    this.#book = book;
    for (const event of events) this.#desk.emit(event);
    for (const effect of effects) this.#run(effect);
    this.#weaver.onTasks(book.tasks);
    this.#errands.onTasks(book.tasks);
    this.#dropImages();
  }

  #run(effect: TaskEffect): void {
    switch (effect.do) {
      case 'run':
        void this.#work(effect.task);
        return;
      case 'abort': {
        const key = runKey(effect);
        this.#running.get(key)?.abort.abort(new MicroturnError('session/aborted', 'the task is not wanted any more'));
        this.#running.delete(key);
        return;
      }
      case 'answer':
        this.#running.get(runKey(effect))?.answers.get(effect.questionId)?.(effect.answer);
        return;
      default:
        effect satisfies never;
    }
  }

  /** Works on a task to its end. Nothing is thrown, and nothing is told of a run that is not wanted any more. */
  async #work(task: Task): Promise<void> {
    const { id, revision } = task;
    const about = () => ({ atMs: this.#desk.nowMs(), id, revision });
    const running: Running = {
      abort: new AbortController(),
      touched: false,
      text: new TextBatch(this.#parts.after, (text) => this.#apply({ type: 'delta', ...about(), text })),
      answers: new Map(),
    };
    this.#running.set(runKey(task), running);
    const { signal } = running.abort;
    try {
      const worded = await unlessAborted(this.#word(task, signal), signal);
      if (worded) {
        const io = this.#ioOf(task, running);
        const errand = this.#errands.runOf(id);
        await unlessAborted(errand ? errand(io) : this.#parts.provider.run(this.#briefOf(worded), io), signal);
      }
      running.text.flush();
      this.#apply({ type: 'done', ...about() });
    } catch (cause) {
      if (signal.aborted) return;
      running.text.flush();
      const error = MicroturnError.from(cause, 'edge/internal');
      // Its message may quote what was said, which stays out of the log.
      this.#parts.log.info({ taskId: id, code: error.code }, 'a task failed');
      this.#apply({ type: 'failed', ...about(), error, retryInMs: this.#retryInMs(task, running, cause) });
    } finally {
      running.text.drop();
      this.#running.delete(runKey(task));
      const now = this.#book.tasks.find((one) => one.id === id);
      if (!now || isOver(now) || now.status === 'done') this.#spoken.delete(id);
    }
  }

  /** How long to wait before a task that failed is worked on again; undefined where it should not be. */
  #retryInMs({ id, again }: Task, { touched }: Running, cause: unknown): number | undefined {
    if (!(cause instanceof MicroturnError) || !cause.retryable || touched) return undefined;
    // An answer waited for it, and has been told.
    if (this.#errands.runOf(id)) return undefined;
    // Words that were not made out are no clearer the second time.
    if (cause.code === 'task/unheard' || this.#weaver.hasBegun(id)) return undefined;
    return pauseMs((again?.times ?? 0) + 1, cause.retryAfterMs, Math.random);
  }

  #briefOf({ task, clip }: { task: Task; clip: Clip | undefined }): TaskBrief {
    return {
      task,
      clip,
      images: this.#images.of(task.id),
      conversation: this.#log.entries,
      others: this.#book.tasks.filter((other) => other.id !== task.id && other.prompt !== ''),
      nowMs: this.#desk.nowMs(),
      participant: this.#desk.participant,
      sessionId: this.#desk.sessionId,
    };
  }

  #toolBox(): ToolBox {
    return new ToolBox([...this.#parts.tools, ...this.#pageTools.tools], this.#parts.after);
  }

  /** The words of the question, where it was spoken. Undefined where it turned out to be about another task, or nothing. */
  async #word(task: Task, signal: AbortSignal): Promise<{ task: Task; clip: Clip | undefined } | undefined> {
    const utterance = this.#spoken.get(task.id);
    if (!utterance) return { task, clip: undefined };
    const { hear, provider } = this.#parts;
    const clip = hear || provider.takesAudio ? await this.#desk.clip(utterance.fromMs, utterance.toMs) : undefined;
    let prompt = utterance.words.includes('<unk>') ? '' : utterance.words.join(' ');
    if (clip && hear) prompt = (await hear(clip, signal)).trim();
    signal.throwIfAborted();
    if (prompt === '') {
      if (clip && hear) return undefined;
      if (clip && provider.takesAudio) return { task, clip };
      throw new MicroturnError('task/unheard');
    }
    this.#log.note({ atMs: utterance.fromMs, who: this.#desk.participant, text: prompt });
    if (this.#followUp(prompt)) return undefined;
    this.#spoken.delete(task.id);
    const { id, revision } = task;
    this.#apply({ type: 'worded', atMs: this.#desk.nowMs(), id, revision, prompt, title: titleOf(prompt) });
    return { task: { ...task, prompt }, clip: undefined };
  }

  #ioOf({ id, revision }: Task, running: Running): TaskIo {
    const { abort, answers, text: batch } = running;
    const { signal } = abort;
    const about = () => ({ atMs: this.#desk.nowMs(), id, revision });
    const ask = async (text: string, approval?: { tool: string; arguments: unknown }): Promise<string | boolean> => {
      const questionId = `${id}-q${++this.#questions}`;
      try {
        const answer = new Promise<string | boolean>((resolve) => answers.set(questionId, resolve));
        const question = { id: questionId, text, ...(approval && { approval }) };
        batch.flush();
        running.touched = true;
        this.#apply({ type: 'question', ...about(), question });
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
      tools: this.#toolBox(),
      budget: this.#budget,
      delta: (text) => batch.push(text),
      note: (note) => {
        batch.flush();
        this.#apply({ type: 'note', ...about(), note });
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

function titleOf(prompt: string): string {
  const line = prompt.replaceAll(/\s+/g, ' ').trim();
  if (line === '') return 'a spoken question';
  return line.length <= TITLE_CHARS ? line : `${line.slice(0, TITLE_CHARS - 1)}…`;
}
