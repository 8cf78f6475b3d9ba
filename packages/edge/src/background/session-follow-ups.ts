import { meantTask, stepFollowUp, type FollowUpRule, type FollowUpStep, type TaskTalk } from './follow-up.js';
import type { Task } from './task-reducer.js';
import type { AskedAloud } from './weaver.js';

/** How long ago a result may have been talked over for “never mind” to mean it. */
const MEANT_MS = 30_000;

export interface SessionFollowUpsParts {
  readonly rule: FollowUpRule;
  readonly nowMs: () => number;
  readonly tasks: () => readonly Task[];
  /** The words of its question are known. */
  readonly worded: (task: Task) => boolean;
  /** The question of a task that was said last. */
  readonly asked: () => AskedAloud | undefined;
}

/** What is said or typed about the tasks of one session, and which of them is meant. */
export class SessionFollowUps {
  readonly #parts: SessionFollowUpsParts;
  /** The task that was being said last, and when it was talked over. */
  #talkedOver: { readonly taskId: string; readonly atMs: number } | undefined;

  constructor(parts: SessionFollowUpsParts) {
    this.#parts = parts;
  }

  noteTalkedOver(taskId: string, atMs: number): void {
    this.#talkedOver = { taskId, atMs };
  }

  /**
   * What was said or typed is about a task: what is to be done then. Undefined for a question of its own.
   * @param spokenFromMs when it was begun; undefined where it was typed
   */
  step(text: string, spokenFromMs?: number): FollowUpStep | undefined {
    return stepFollowUp(text, this.#talk(), this.#parts.nowMs(), spokenFromMs);
  }

  /** The task that “never mind” means now. */
  meant(): Task | undefined {
    return meantTask(this.#talk());
  }

  #talk(): TaskTalk {
    const { tasks, rule, worded, asked, nowMs } = this.#parts;
    const over = this.#talkedOver;
    return {
      tasks: tasks(),
      rule,
      overId: over && nowMs() - over.atMs < MEANT_MS ? over.taskId : undefined,
      worded,
      asked: asked(),
    };
  }
}
