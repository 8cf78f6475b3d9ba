import { MicroturnError, type SessionEvent } from '@microturn/protocol';
import type { SessionDesk } from '../session/index.js';
import { ConversationLog } from './conversation-log.js';
import type { TaskImages } from './images.js';
import type { TaskBrief } from './provider.js';
import type { SessionFollowUps } from './session-follow-ups.js';
import type { SpokenQuestions } from './spoken-questions.js';
import { titleOf } from './task-intake.js';
import type { TaskLedger } from './task-ledger.js';
import type { Task } from './task-reducer.js';

export interface TaskBriefsParts {
  readonly ledger: TaskLedger;
  readonly images: TaskImages;
  readonly spoken: SpokenQuestions;
  readonly followUps: SessionFollowUps;
  readonly desk: Pick<SessionDesk, 'nowMs' | 'participant' | 'sessionId'>;
}

/** What whoever works on a task of one session is told: its words, which may have to be made out first, and what was said. */
export class TaskBriefs {
  readonly #parts: TaskBriefsParts;
  readonly #log = new ConversationLog();

  constructor(parts: TaskBriefsParts) {
    this.#parts = parts;
  }

  onEvent(event: SessionEvent): void {
    this.#log.take(event);
  }

  /**
   * All that is known of a task. Undefined where it turned out to be about another one, or nothing.
   * @throws {MicroturnError} `task/unheard` where its words are not known, and cannot be any more
   */
  async of(task: Task, signal: AbortSignal): Promise<TaskBrief | undefined> {
    const { ledger, spoken, followUps, desk } = this.#parts;
    if (!spoken.has(task.id)) {
      // Its sound was with the edge that is gone.
      if (task.origin === 'model' && task.prompt === '') throw new MicroturnError('task/unheard');
      return this.#brief(task);
    }
    const heard = await spoken.listen(task.id, signal);
    signal.throwIfAborted();
    if (!heard) return undefined;
    if ('clip' in heard) return this.#brief(task, heard.clip);
    const { words: prompt, fromMs } = heard;
    this.#log.note({ atMs: fromMs, who: desk.participant, text: prompt });
    if (followUps.take(prompt, fromMs)) return undefined;
    const { id, revision } = task;
    spoken.delete(id);
    ledger.apply({ type: 'worded', atMs: desk.nowMs(), id, revision, prompt, title: titleOf(prompt) });
    return this.#brief({ ...task, prompt });
  }

  #brief(task: Task, clip?: TaskBrief['clip']): TaskBrief {
    const { ledger, images, desk } = this.#parts;
    return {
      task,
      clip,
      images: images.of(task.id),
      conversation: this.#log.entries,
      others: ledger.tasks.filter((other) => other.id !== task.id && other.prompt !== ''),
      nowMs: desk.nowMs(),
      participant: desk.participant,
      sessionId: desk.sessionId,
    };
  }
}
