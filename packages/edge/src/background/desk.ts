import { MicroturnError, type AskResult, type ClientMessageOf, type SessionEvent } from '@microturn/protocol';
import type { Decision } from '../engine/types.js';
import { Budget, type BudgetLimits } from '../llm/index.js';
import type {
  SessionBackground,
  SessionDesk,
  SessionTools,
  TaskRequest,
  ToldUtterance,
  TypedRequest,
} from '../session/index.js';
import type { Log } from '../telemetry/log.js';
import { ConversationLog } from './conversation-log.js';
import { Delegation, type DelegateRule } from './delegation.js';
import { Errands } from './errands.js';
import { passesOnWords, type FollowUpRule, type FollowUpStep } from './follow-up.js';
import { TaskImages } from './images.js';
import { PageTools } from './page-tools.js';
import type { BackgroundProvider, TaskBrief } from './provider.js';
import { restoreTasks } from './restore.js';
import { SessionFollowUps } from './session-follow-ups.js';
import { SpokenQuestions, type Hear } from './spoken-questions.js';
import { TaskLedger } from './task-ledger.js';
import { isOver, type Task, type TaskEffect, type TaskLimits } from './task-reducer.js';
import { TaskRuns } from './task-runs.js';
import { ToolBox, type Tool } from './toolbox.js';
import type { Turnstile } from './turnstile.js';
import type { Utterance } from './utterances.js';
import { Weaver, type RelayRule } from './weaver.js';

export interface BackgroundDeskParts {
  readonly provider: BackgroundProvider;
  /** Of the server: the app's, the embedded ones, those of MCP servers. */
  readonly tools: readonly Tool[];
  readonly limits: TaskLimits;
  readonly budget: BudgetLimits & { readonly tasks?: number | undefined };
  readonly relay: RelayRule;
  readonly delegate: DelegateRule;
  /** The model tells utterances once all their words are known. */
  readonly tellsUtterances: boolean;
  readonly progressMs: number;
  readonly followUp: FollowUpRule;
  readonly hear: Hear | undefined;
  readonly moderate: ((text: string, task: Task) => Promise<string | undefined>) | undefined;
  /** Of the edge: what begins tasks takes turns with all sessions. */
  readonly starts: Turnstile;
  readonly after: (ms: number, fn: () => void) => () => void;
  readonly log: Log;
}

const TITLE_CHARS = 60;

/** The background of one session: its tasks, what they may do, and how their results come into the conversation. */
export class BackgroundDesk implements SessionBackground {
  readonly #parts: BackgroundDeskParts;
  readonly #desk: SessionDesk;
  #budget: Budget;
  readonly #log = new ConversationLog();
  readonly #delegation: Delegation;
  readonly #weaver: Weaver;
  readonly #pageTools: PageTools;
  readonly #images = new TaskImages();
  readonly #runs: TaskRuns;
  readonly #errands = new Errands({
    create: (title) => {
      this.#assertOpen();
      const id = `task-${++this.#count}`;
      this.#ledger.apply({ type: 'ask', atMs: this.#desk.nowMs(), id, prompt: '', title, origin: 'answer' });
      return id;
    },
    cancel: (id) => this.#ledger.apply({ type: 'cancel', atMs: this.#desk.nowMs(), id, by: 'app' }),
    context: (taskId, { signal, note, patch }) => {
      const { sessionId, participant } = this.#desk;
      return { signal, note, patch, sessionId, participant, taskId };
    },
  });
  readonly #spoken: SpokenQuestions;
  readonly #ledger: TaskLedger;
  readonly #followUps: SessionFollowUps;
  #count = 0;
  #closed = false;

  constructor(parts: BackgroundDeskParts, desk: SessionDesk) {
    this.#parts = parts;
    this.#desk = desk;
    this.#budget = new Budget(parts.budget);
    this.#ledger = new TaskLedger({
      limits: parts.limits,
      emit: (event) => desk.emit(event),
      run: (effect) => this.#run(effect),
      onTasks: (tasks) => this.#onTasks(tasks),
    });
    this.#followUps = new SessionFollowUps({
      rule: parts.followUp,
      nowMs: () => desk.nowMs(),
      tasks: () => this.#ledger.tasks,
      worded: ({ id }) => !this.#spoken.has(id),
      asked: () => this.#weaver.asked,
    });
    this.#delegation = new Delegation({
      rule: parts.delegate,
      told: parts.tellsUtterances,
      microTurnMs: desk.microTurnMs,
      understood: () => this.#spoken.understood,
      followUp: (words, fromMs) => this.#followUpAsHeard(words, fromMs),
      awaited: () => this.#ledger.tasks.some(({ status }) => status === 'asking'),
      delegate: (asked) => this.#delegate(asked),
    });
    this.#pageTools = new PageTools((event) => desk.emit(event));
    const { hear, provider, starts, after, log } = parts;
    this.#spoken = new SpokenQuestions({
      hear,
      takesAudio: () => provider.takesAudio,
      clip: (fromMs, toMs) => desk.clip(fromMs, toMs),
      sends: starts,
    });
    this.#runs = new TaskRuns({
      provider,
      starts,
      after,
      log,
      host: {
        nowMs: () => desk.nowMs(),
        apply: (input) => this.#ledger.apply(input),
        brief: (task, signal) => this.#briefOf(task, signal),
        errandOf: (taskId) => this.#errands.runOf(taskId),
        hasBegun: (taskId) => this.#weaver.hasBegun(taskId),
        tools: () => this.#toolBox(),
        patch: (surfaceId, patch) => desk.patch(surfaceId, patch),
        budget: () => this.#budget,
      },
    });
    this.#weaver = new Weaver({
      rule: parts.relay,
      microTurnMs: desk.microTurnMs,
      progressMs: parts.progressMs,
      moderate: parts.moderate,
      host: {
        nextResponseId: () => desk.nextResponseId(),
        say: (responseId, taskId, text) => desk.relay(responseId, taskId, text),
        end: (responseId) => desk.endRelay(responseId),
        drop: (responseId) => desk.drop(responseId),
        mark: (mark) => desk.mark(mark),
      },
      onSaid: ({ id, revision }, chars, responseId) =>
        this.#ledger.apply({ type: 'said', atMs: desk.nowMs(), id, revision, chars, responseId }),
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
    return this.#ledger.tasks;
  }

  get keepsClip(): boolean {
    return this.#spoken.understood;
  }

  ask({ text, subject, images = [], origin }: TaskRequest): { taskId: string } {
    this.#assertOpen();
    return { taskId: this.#create({ prompt: text, origin, subject, images }) };
  }

  typed({ text, subject, images = [] }: TypedRequest): AskResult {
    // Who names a subject, or shows something, asks.
    const about = subject === undefined && images.length === 0 ? this.followUp(text) : undefined;
    return about ?? { taken: 'question', ...this.ask({ text, subject, images, origin: 'text' }) };
  }

  followUp(text: string): AskResult | undefined {
    this.#assertOpen();
    const step = this.#followUps.step(text);
    return step && this.#take(step);
  }

  amend(taskId: string, text: string): void {
    this.#assertOpen();
    this.#ledger.apply({ type: 'amend', atMs: this.#desk.nowMs(), id: taskId, text });
  }

  answer(taskId: string, answer: string | boolean, questionId?: string): void {
    this.#assertOpen();
    this.#ledger.apply({ type: 'answer', atMs: this.#desk.nowMs(), id: taskId, answer, questionId });
  }

  cancel(taskId: string | undefined, by: 'user' | 'client' | 'app'): void {
    this.#assertOpen();
    const atMs = this.#desk.nowMs();
    const meant =
      taskId === undefined ? this.#ledger.tasks.filter((task) => !isOver(task)).map(({ id }) => id) : [taskId];
    for (const id of meant) this.#ledger.apply({ type: 'cancel', atMs, id, by });
  }

  changeSubject(): void {
    this.#assertOpen();
    this.#ledger.apply({ type: 'subject', atMs: this.#desk.nowMs() });
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
    if (tasks.length > 0) this.#ledger.apply({ type: 'restore', atMs: this.#desk.nowMs(), tasks });
  }

  onDecision(decision: Decision, moment: Parameters<SessionBackground['onDecision']>[1]): void {
    const { responses, present, overhears } = moment;
    if (this.#closed) return;
    const atMs = this.#desk.nowMs();
    this.#ledger.apply({ type: 'tick', atMs });
    if (decision.acts.includes('cancel')) this.#cancelMeant();
    this.#delegation.onDecision(decision, atMs);
    const live = responses.find(({ id }) => id === this.#weaver.liveId);
    this.#weaver.onMoment({
      atMs,
      aheadMs: !live || live.speaking > 0 ? Infinity : live.lengthMs - live.heardMs,
      soundsFromMs: live?.startedAtMs,
      floor: decision.floor,
      relays: decision.acts.includes('relay'),
      shows: decision.acts.includes('show'),
      speaks: decision.say !== '',
      // Of one that was cut only what was heard is still to be told: nothing of it is in the way.
      taken: overhears || responses.some((response) => response !== live && response.phase !== 'cut'),
      present,
    });
  }

  heard({ words, fromMs }: ToldUtterance): void {
    // What was not understood may have said the opposite.
    if (this.#closed || words.includes('<unk>')) return;
    const step = this.#followUps.step(words.join(' '), fromMs);
    if (step) this.#take(step);
  }

  read(text: string): void {
    if (this.#parts.delegate.by === 'utterance') {
      this.ask({ text, origin: 'text' });
      return;
    }
    this.#delegation.onMessage(text, this.#desk.nowMs());
  }

  onEvent(event: SessionEvent): void {
    this.#log.take(event);
    if (event.type !== 'response.completed' && event.type !== 'response.interrupted') return;
    const { liveTaskId } = this.#weaver;
    if (event.type === 'response.interrupted' && event.responseId === this.#weaver.liveId && liveTaskId !== undefined) {
      this.#followUps.noteTalkedOver(liveTaskId, event.at);
    }
    this.#weaver.onResponse(event);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ledger.close();
    this.#runs.close();
    this.#spoken.clear();
    this.#errands.close();
    this.#pageTools.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new MicroturnError('session/closed');
  }

  #delegate(asked: Utterance | string): void {
    const spoken = typeof asked === 'string' ? undefined : asked;
    const prompt = typeof asked === 'string' ? asked : asked.words.filter((word) => word !== '<unk>').join(' ');
    try {
      const id = this.#create({ prompt, origin: 'model', spoken });
      this.#parts.log.debug({ taskId: id }, 'a question was delegated');
    } catch (error) {
      const refused = MicroturnError.from(error, 'edge/internal');
      this.#parts.log.info({ code: refused.code }, 'a question was not taken');
      // Nobody asked for it by a call that would tell: who spoke is told on their page.
      this.#desk.emit({ type: 'error', ...refused.toWire() });
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
    if (spoken) this.#spoken.add(id, spoken);
    try {
      const title = titleOf(prompt);
      this.#ledger.apply({ type: 'ask', atMs: this.#desk.nowMs(), id, prompt, title, origin, subject, images: length });
    } catch (error) {
      this.#spoken.delete(id);
      this.#dropImages();
      throw error;
    }
    return id;
  }

  /** Pictures go with their tasks. */
  #dropImages(): void {
    this.#images.keep(new Set(this.#ledger.tasks.filter((task) => !isOver(task)).map(({ id }) => id)));
  }

  #take({ inputs, result }: FollowUpStep): AskResult {
    for (const input of inputs) this.#ledger.apply(input);
    return result;
  }

  /** By the words that the interaction model has for it: they do to call something off, and are not passed on where others are better. */
  #followUpAsHeard(words: string, fromMs: number): 'taken' | 'unclear' | undefined {
    const step = this.#followUps.step(words, fromMs);
    if (!step) return undefined;
    if (this.#spoken.understood && passesOnWords(step)) return 'unclear';
    this.#take(step);
    return 'taken';
  }

  #cancelMeant(): void {
    const task = this.#followUps.meant();
    if (task) this.#ledger.apply({ type: 'cancel', atMs: this.#desk.nowMs(), id: task.id, by: 'user' });
  }

  #onTasks(tasks: readonly Task[]): void {
    this.#weaver.onTasks(tasks);
    this.#errands.onTasks(tasks);
    this.#dropImages();
    this.#spoken.keep((id) => {
      const task = tasks.find((one) => one.id === id);
      return task !== undefined && !isOver(task) && task.status !== 'done';
    });
  }

  #run(effect: TaskEffect): void {
    switch (effect.do) {
      case 'run':
        void this.#runs.start(effect.task);
        return;
      case 'abort':
        this.#runs.abort(effect);
        return;
      case 'answer':
        this.#runs.answer(effect);
        return;
      default:
        effect satisfies never;
    }
  }

  #toolBox(): ToolBox {
    return new ToolBox([...this.#parts.tools, ...this.#pageTools.tools], this.#parts.after);
  }

  /**
   * All that is known of a task. Undefined where it turned out to be about another one, or nothing.
   * @throws {MicroturnError} `task/unheard` where its words are not known, and cannot be any more
   */
  async #briefOf(task: Task, signal: AbortSignal): Promise<TaskBrief | undefined> {
    if (!this.#spoken.has(task.id)) {
      // Its sound was with the edge that is gone.
      if (task.origin === 'model' && task.prompt === '') throw new MicroturnError('task/unheard');
      return this.#brief(task);
    }
    const heard = await this.#spoken.listen(task.id, signal);
    signal.throwIfAborted();
    if (!heard) return undefined;
    if ('clip' in heard) return this.#brief(task, heard.clip);
    const { words: prompt, fromMs } = heard;
    this.#log.note({ atMs: fromMs, who: this.#desk.participant, text: prompt });
    const about = this.#followUps.step(prompt, fromMs);
    if (about) {
      this.#take(about);
      return undefined;
    }
    const { id, revision } = task;
    this.#spoken.delete(id);
    this.#ledger.apply({ type: 'worded', atMs: this.#desk.nowMs(), id, revision, prompt, title: titleOf(prompt) });
    return this.#brief({ ...task, prompt });
  }

  #brief(task: Task, clip?: TaskBrief['clip']): TaskBrief {
    return {
      task,
      clip,
      images: this.#images.of(task.id),
      conversation: this.#log.entries,
      others: this.#ledger.tasks.filter((other) => other.id !== task.id && other.prompt !== ''),
      nowMs: this.#desk.nowMs(),
      participant: this.#desk.participant,
      sessionId: this.#desk.sessionId,
    };
  }
}

function titleOf(prompt: string): string {
  const line = prompt.replaceAll(/\s+/g, ' ').trim();
  if (line === '') return 'a spoken question';
  return line.length <= TITLE_CHARS ? line : `${line.slice(0, TITLE_CHARS - 1)}…`;
}
