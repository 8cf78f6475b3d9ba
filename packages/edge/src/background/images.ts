import { MicroturnError, limits } from '@microturn/protocol';
import { toPicture, type Picture } from '../picture.js';

/** Pictures that a session's tasks may have at once; policy: reject. */
const ATTACHED = 8;

/** The pictures that belong to the tasks of one session. */
export class TaskImages {
  readonly #attached = new Map<string, readonly Picture[]>();

  /**
   * Keeps pictures for a task, until it is over.
   * @throws {MicroturnError} `image/invalid`, `protocol/too-large`, or `task/full` where the tasks have too many
   */
  attach(taskId: string, images: readonly Uint8Array[]): void {
    if (images.length === 0) return;
    const attached = [...this.#attached.values()].reduce((sum, { length }) => sum + length, images.length);
    if (images.length > limits.images)
      throw new MicroturnError('protocol/too-large', `at most ${limits.images} images`);
    if (attached > ATTACHED) throw new MicroturnError('task/full', `at most ${ATTACHED} images are kept for them`);
    this.#attached.set(taskId, images.map(toPicture));
  }

  of(taskId: string): readonly Picture[] {
    return this.#attached.get(taskId) ?? [];
  }

  /** Those of all other tasks are dropped. */
  keep(taskIds: ReadonlySet<string>): void {
    for (const id of this.#attached.keys()) if (!taskIds.has(id)) this.#attached.delete(id);
  }
}
