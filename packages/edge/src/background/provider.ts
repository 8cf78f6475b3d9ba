import type { Budget } from '../llm/index.js';
import type { Clip } from '../media/types.js';
import type { ConversationEntry } from './conversation-log.js';
import type { Picture } from '../picture.js';
import type { Task } from './task-reducer.js';
import type { ToolBox } from './toolbox.js';

/** All that is known when a task begins. */
export interface TaskBrief {
  readonly task: Task;
  /** The question as it was spoken, where its words are not known and the provider takes sound. */
  readonly clip: Clip | undefined;
  /** Those that came with it, unless an edge that is gone had them: then they are fewer than `task.images`. */
  readonly images: readonly Picture[];
  /** The conversation with its times, and what was heard of the agent; oldest first. */
  readonly conversation: readonly ConversationEntry[];
  /** Others that are under way or were answered. */
  readonly others: readonly Task[];
  readonly nowMs: number;
  readonly participant: string;
  readonly sessionId: string;
}

/** What a provider may do while it works on a task. */
export interface TaskIo {
  /** The task is not wanted any more. */
  readonly signal: AbortSignal;
  readonly tools: ToolBox;
  readonly budget: Budget;
  /** More of the result, to be shown and said. */
  delta(text: string): void;
  /** What is being done, to be shown. */
  note(text: string): void;
  /** Changes what the page shows, as a tool does: see `ToolContext`. */
  patch(surfaceId: string, patch: unknown): void;
  /** Asks the participant, and waits for what they say or type. */
  ask(question: string): Promise<string>;
  /** Asks for leave to call a tool that changes something. */
  approve(tool: string, args: unknown): Promise<boolean>;
}

/** Works on tasks: a language model, or the embedded tools alone. */
export interface BackgroundProvider {
  /** Takes the sound of a question where its words are not known. */
  readonly takesAudio: boolean;
  /** @throws {MicroturnError} where there is no answer; what was streamed until then stays */
  run(brief: TaskBrief, io: TaskIo): Promise<void>;
}
