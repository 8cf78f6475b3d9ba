import { MicroturnError } from '@microturn/protocol';
import type { TaskIo } from './provider.js';
import { isOver, type Task } from './task-reducer.js';
import type { ToolCall, ToolContext } from './toolbox.js';

export interface ErrandsHost {
  /** Makes a task of it. @throws {MicroturnError} `task/full`, `session/closed` */
  create(title: string): string;
  cancel(taskId: string): void;
  context(taskId: string, io: TaskIo): ToolContext;
}

interface Errand {
  readonly run: (io: TaskIo) => Promise<void>;
  readonly drop: (error: MicroturnError) => void;
}

/**
 * Tools that an answer of the session's own model calls. Each is a task without words: there is nothing of it to be said, and
 * all else is as for any, that it is seen, asks for leave, takes its turn and can be called off.
 */
export class Errands {
  readonly #host: ErrandsHost;
  readonly #open = new Map<string, Errand>();

  constructor(host: ErrandsHost) {
    this.#host = host;
  }

  /** What is to be done for a task, where it is an errand. */
  runOf(taskId: string): Errand['run'] | undefined {
    return this.#open.get(taskId)?.run;
  }

  /**
   * @returns what the tool gave back
   * @throws {MicroturnError} `tool/failed`, `task/full`, `session/aborted` where it was called off
   */
  call(call: ToolCall, signal: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) throw signal.reason;
      // It begins to be worked on once this is over.
      const taskId = this.#host.create(call.name.replaceAll('_', ' '));
      const run = async (io: TaskIo) => {
        try {
          resolve(await io.tools.call(call, this.#host.context(taskId, io), io.approve));
        } catch (error) {
          reject(error as Error);
          throw error;
        }
      };
      this.#open.set(taskId, { run, drop: reject });
      signal.addEventListener('abort', () => this.#open.has(taskId) && this.#host.cancel(taskId), { once: true });
    });
  }

  /** A task that is over took its errand with it. */
  onTasks(tasks: readonly Task[]): void {
    for (const [id, { drop }] of this.#open) {
      const task = tasks.find((one) => one.id === id);
      if (task && !isOver(task)) continue;
      this.#open.delete(id);
      // Where it has a result, that was told before.
      drop(new MicroturnError('session/aborted', `it is ${task?.status ?? 'forgotten'}`));
    }
  }

  close(): void {
    for (const { drop } of this.#open.values()) drop(new MicroturnError('session/closed'));
    this.#open.clear();
  }
}
