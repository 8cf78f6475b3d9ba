import type { AskResult, ClientMessageOf, SessionEvent, SessionEventBody } from '@microturn/protocol';
import type { ChatTool } from '../llm/index.js';
import type { Decision, Mark } from '../engine/index.js';
import type { Clip } from '../media/index.js';
import type { LiveResponse } from './conversation-state.js';
import type { ToldUtterance } from './session-parts.js';

/** Tokens that language models have used, and what they cost: nothing of those that have no price. */
export interface SpentTokens {
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly cost: number;
}

/** What background work may do to its session. */
export interface SessionDesk {
  readonly sessionId: string;
  readonly participant: string;
  readonly microTurnMs: number;
  /** Session ms now. */
  nowMs(): number;
  emit(event: SessionEventBody): void;
  /** For a response that begins next. */
  nextResponseId(): string;
  /** Says what a task has found: a response of kind `relay`, or more of it. One that is refused has ended when this returns. */
  relay(responseId: string, taskId: string, text: string): void;
  /** Nothing follows. */
  endRelay(responseId: string): void;
  /** Takes back what is being said. */
  drop(responseId: string): void;
  /** Changes what the page shows. @throws {MicroturnError} `ui/patch`, `protocol/malformed`, `protocol/too-large` */
  patch(surfaceId: string, patch: unknown): void;
  /** Tells the model that something waits for its word, or does not any more. */
  mark(mark: Mark): void;
  /** The sound of the participant between two session times, as far as it is kept. */
  clip(fromMs: number, toMs: number): Promise<Clip>;
}

export interface TaskRequest {
  readonly text: string;
  /** A newer task on the same subject supersedes an older one. */
  readonly subject?: string | undefined;
  /** JPEG, PNG or WebP. */
  readonly images?: readonly Uint8Array[] | undefined;
  readonly origin: 'text' | 'app';
}

/** As its client puts it. */
export type TypedRequest = Omit<TaskRequest, 'origin'>;

/** The functions that the model of a session may call: the app's, and its page's. */
export interface SessionTools {
  list(): readonly ChatTool[];
  /**
   * Calls one, as a task that the participant sees, is asked for leave by, and may call off. It may take long.
   * @returns what it gave back
   * @throws {MicroturnError} with what the model should know: `tool/failed`, `task/full`, `session/aborted`
   */
  call(call: { readonly name: string; readonly arguments: unknown }, signal: AbortSignal): Promise<string>;
}

/** What a session needs of background work. None of it may wait. */
export interface SessionBackground {
  /** By its language models, and the tasks that there were. */
  readonly spent: SpentTokens & { readonly tasks: number };
  readonly tools: SessionTools;
  /** Whether anybody may want to hear again what was said. */
  readonly keepsClip: boolean;
  /** One micro-turn has been decided, and acted upon. */
  onDecision(
    decision: Decision,
    moment: {
      readonly responses: readonly LiveResponse[];
      /** The participant is there to hear. */
      readonly present: boolean;
      /** The agent says something to the room for another participant. */
      readonly overhears: boolean;
    },
  ): void;
  onEvent(event: SessionEvent): void;
  /** An utterance is over, of a model that tells them: it may be about a task that is under way. */
  heard(utterance: ToldUtterance): void;
  /** The model reads a message, and may delegate it. */
  read(text: string): void;
  /**
   * The session was of another process, and this is what happened there: what was not finished begins again, and what was
   * spent is spent.
   */
  restore(events: readonly SessionEvent[], spent?: SessionBackground['spent']): void;
  /** The client may have missed how tasks ended: it is told how those stand that go on. */
  retell(): void;
  /** A task of its own, whatever the words are. @throws {MicroturnError} `protocol/malformed` where there are none, `task/full` */
  ask(request: TaskRequest): { taskId: string };
  /** What was typed to the agent, and what was made of it: a task, or something about one that is under way. */
  typed(request: TypedRequest): AskResult;
  /** As `typed`, where it is about a task that is under way; otherwise nothing happens. */
  followUp(text: string): AskResult | undefined;
  amend(taskId: string, text: string): void;
  /**
   * @param questionId of the `task.question` that is answered; leave (`true`, where it asks for approval) is not given without it
   * @throws {MicroturnError} `task/unknown` where the task asks nothing, or something else by now
   */
  answer(taskId: string, answer: string | boolean, questionId?: string): void;
  cancel(taskId: string | undefined, by: 'client' | 'app'): void;
  changeSubject(): void;
  /**
   * What the page offers from now on, in place of what it offered.
   * @returns which of them it cannot offer, and why
   */
  registerTools(tools: ClientMessageOf<'tools.register'>['tools']): readonly string[];
  toolResult(result: Pick<ClientMessageOf<'tool.result'>, 'callId' | 'output' | 'error'>): void;
  /** The session is over: what runs is ended, and nothing is said any more. */
  close(): void;
}

/** What the app may do of it. What it asks was not typed by the participant, and is not in their transcript. */
export interface AppBackground extends Pick<SessionBackground, 'amend' | 'answer' | 'cancel' | 'changeSubject'> {
  ask(request: TypedRequest & { readonly origin: 'app' }): { taskId: string };
}

/** Opens the background of one session. */
export type OpenBackground = (desk: SessionDesk) => SessionBackground;
