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
import { Delegation, type DelegateRule } from './delegation.js';
import { Errands } from './errands.js';
import type { FollowUpRule } from './follow-up.js';
import { TaskImages } from './images.js';
import { PageTools } from './page-tools.js';
import type { BackgroundProvider } from './provider.js';
import { restoreTasks } from './restore.js';
import { SessionFollowUps } from './session-follow-ups.js';
import { SpokenQuestions, type Hear } from './spoken-questions.js';
import { TaskBriefs } from './task-briefs.js';
import { TaskIntake } from './task-intake.js';
import { TaskLedger } from './task-ledger.js';
import { isOver, type Task, type TaskLimits } from './task-reducer.js';
import { TaskRuns } from './task-runs.js';
import { ToolBox, type Tool } from './toolbox.js';
import { askUser } from './tools/ask-user.js';
import type { Turnstile } from './turnstile.js';
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

/** The background of one session: its tasks, what they may do, and how their results come into the conversation. */
export class BackgroundDesk implements SessionBackground {
  readonly #parts: BackgroundDeskParts;
  readonly #desk: SessionDesk;
  #budget: Budget;
  readonly #delegation: Delegation;
  readonly #weaver: Weaver;
  readonly #pageTools: PageTools;
  readonly #runs: TaskRuns;
  readonly #errands = new Errands({
    create: (title) => {
      this.#assertOpen();
      return this.#intake.createErrand(title);
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
  readonly #intake: TaskIntake;
  readonly #briefs: TaskBriefs;
  #closed = false;

  constructor(parts: BackgroundDeskParts, desk: SessionDesk) {
    this.#parts = parts;
    this.#desk = desk;
    this.#budget = new Budget(parts.budget);
    this.#ledger = new TaskLedger({
      limits: parts.limits,
      emit: (event) => desk.emit(event),
      run: (effect) => this.#runs.run(effect),
      onTasks: (tasks) => this.#onTasks(tasks),
    });
    this.#followUps = new SessionFollowUps({
      rule: parts.followUp,
      nowMs: () => desk.nowMs(),
      tasks: () => this.#ledger.tasks,
      apply: (input) => this.#ledger.apply(input),
      worded: ({ id }) => !this.#spoken.has(id),
      understood: () => this.#spoken.understood,
      asked: () => this.#weaver.asked,
    });
    this.#delegation = new Delegation({
      rule: parts.delegate,
      told: parts.tellsUtterances,
      microTurnMs: desk.microTurnMs,
      understood: () => this.#spoken.understood,
      followUp: (words, fromMs) => this.#followUps.takeAsHeard(words, fromMs),
      awaited: () => this.#ledger.tasks.some(({ status }) => status === 'asking'),
      delegate: (asked) => this.#intake.delegate(asked),
    });
    this.#pageTools = new PageTools(
      (event) => desk.emit(event),
      [askUser.name, ...parts.tools.map(({ name }) => name)],
    );
    const { hear, provider, starts, after, log } = parts;
    this.#spoken = new SpokenQuestions({
      hear,
      takesAudio: () => provider.takesAudio,
      clip: (fromMs, toMs) => desk.clip(fromMs, toMs),
      sends: starts,
    });
    const taken = { ledger: this.#ledger, images: new TaskImages(), spoken: this.#spoken, desk };
    this.#intake = new TaskIntake({ ...taken, budget: parts.budget.tasks, log });
    this.#briefs = new TaskBriefs({ ...taken, followUps: this.#followUps });
    this.#runs = new TaskRuns({
      provider,
      starts,
      after,
      log,
      host: {
        nowMs: () => desk.nowMs(),
        apply: (input) => this.#ledger.apply(input),
        brief: (task, signal) => this.#briefs.of(task, signal),
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
    return { ...this.#budget.spent, tasks: this.#intake.count };
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
    // Providers refuse a message without a word, and there is nothing to answer.
    if (text.trim() === '') throw new MicroturnError('protocol/malformed', 'task.ask text: it is blank');
    return { taskId: this.#intake.create({ prompt: text, origin, subject, images }) };
  }

  typed({ text, subject, images = [] }: TypedRequest): AskResult {
    // Who names a subject, or shows something, asks.
    const about = subject === undefined && images.length === 0 ? this.followUp(text) : undefined;
    return about ?? { taken: 'question', ...this.ask({ text, subject, images, origin: 'text' }) };
  }

  followUp(text: string): AskResult | undefined {
    this.#assertOpen();
    return this.#followUps.take(text);
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

  registerTools(tools: ClientMessageOf<'tools.register'>['tools']): readonly string[] {
    this.#assertOpen();
    return this.#pageTools.register(tools);
  }

  toolResult(result: Pick<ClientMessageOf<'tool.result'>, 'callId' | 'output' | 'error'>): void {
    this.#assertOpen();
    this.#pageTools.result(result);
  }

  restore(events: readonly SessionEvent[], spent: SessionBackground['spent'] | undefined): void {
    for (const event of events) this.#briefs.onEvent(event);
    this.#budget = new Budget(this.#parts.budget, spent);
    this.#intake.restore(restoreTasks(events), spent?.tasks);
  }

  retell(): void {
    this.#ledger.apply({ type: 'retell', atMs: this.#desk.nowMs() });
  }

  onDecision(decision: Decision, moment: Parameters<SessionBackground['onDecision']>[1]): void {
    const { responses, present, overhears } = moment;
    if (this.#closed) return;
    const atMs = this.#desk.nowMs();
    this.#ledger.apply({ type: 'tick', atMs });
    if (decision.acts.includes('cancel')) this.#followUps.cancelMeant();
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
    this.#followUps.take(words.join(' '), fromMs);
  }

  read(text: string): void {
    if (this.#parts.delegate.by === 'utterance') {
      this.ask({ text, origin: 'text' });
      return;
    }
    this.#delegation.onMessage(text, this.#desk.nowMs());
  }

  onEvent(event: SessionEvent): void {
    this.#briefs.onEvent(event);
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

  #onTasks(tasks: readonly Task[]): void {
    this.#weaver.onTasks(tasks);
    this.#errands.onTasks(tasks);
    this.#intake.onTasks(tasks);
  }

  #toolBox(): ToolBox {
    return new ToolBox([...this.#parts.tools, ...this.#pageTools.tools], this.#parts.after);
  }
}
