import type { AskResult } from '@microturn/protocol';
import {
  meantTask,
  passesOnWords,
  stepFollowUp,
  type FollowUpRule,
  type FollowUpStep,
  type TaskTalk,
} from './follow-up.js';
import type { Task, TaskInput } from './task-reducer.js';
import type { AskedAloud } from './weaver.js';

/** How long ago a result may have been talked over for “never mind” to mean it. */
const MEANT_MS = 30_000;

export interface SessionFollowUpsParts {
  readonly rule: FollowUpRule;
  readonly nowMs: () => number;
  readonly tasks: () => readonly Task[];
  readonly apply: (input: TaskInput) => void;
  /** The words of its question are known. */
  readonly worded: (task: Task) => boolean;
  /** Somebody understands words better than the interaction model does. */
  readonly understood: () => boolean;
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
   * Does what was said or typed about a task. Undefined for a question of its own.
   * @param spokenFromMs when it was begun; undefined where it was typed
   */
  take(text: string, spokenFromMs?: number): AskResult | undefined {
    const step = this.#step(text, spokenFromMs);
    return step && this.#apply(step);
  }

  /** By the words that the interaction model has for it: they do to call something off, and are not passed on where others are better. */
  takeAsHeard(words: string, fromMs: number): 'taken' | 'unclear' | undefined {
    const step = this.#step(words, fromMs);
    if (!step) return undefined;
    if (this.#parts.understood() && passesOnWords(step)) return 'unclear';
    this.#apply(step);
    return 'taken';
  }

  /** Calls off the task that “never mind” means now. */
  cancelMeant(): void {
    const { apply, nowMs } = this.#parts;
    const task = meantTask(this.#talk());
    if (task) apply({ type: 'cancel', atMs: nowMs(), id: task.id, by: 'user' });
  }

  #step(text: string, spokenFromMs: number | undefined): FollowUpStep | undefined {
    return stepFollowUp(text, this.#talk(), this.#parts.nowMs(), spokenFromMs);
  }

  #apply({ inputs, result }: FollowUpStep): AskResult {
    for (const input of inputs) this.#parts.apply(input);
    return result;
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
