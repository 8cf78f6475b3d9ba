import { MicroturnError } from '@microturn/protocol';
import type { SessionDesk } from '../session/index.js';
import type { Log } from '../telemetry/log.js';
import type { TaskImages } from './images.js';
import type { SpokenQuestions } from './spoken-questions.js';
import type { TaskLedger } from './task-ledger.js';
import { isOver, type Task } from './task-reducer.js';
import type { Utterance } from './utterances.js';

const TITLE_CHARS = 60;

export interface TaskIntakeParts {
  readonly ledger: TaskLedger;
  readonly images: TaskImages;
  readonly spoken: SpokenQuestions;
  readonly desk: Pick<SessionDesk, 'nowMs' | 'emit'>;
  /** Tasks that may be asked for in one session. */
  readonly budget: number | undefined;
  readonly log: Log;
}

/** Takes what is asked for in one session as tasks, with what belongs to them until they are over. */
export class TaskIntake {
  readonly #parts: TaskIntakeParts;
  #count = 0;

  constructor(parts: TaskIntakeParts) {
    this.#parts = parts;
  }

  /** Tasks that were taken so far. */
  get count(): number {
    return this.#count;
  }

  /** @param count tasks that were taken, where that is known */
  restore(tasks: readonly Task[], count = 0): void {
    const { ledger, desk } = this.#parts;
    // Ids go on behind the highest, also where the events of the oldest tasks are gone.
    this.#count = Math.max(count, ...tasks.map(({ id }) => Number(id.slice('task-'.length))));
    if (tasks.length > 0) ledger.apply({ type: 'restore', atMs: desk.nowMs(), tasks });
  }

  /**
   * @returns the id of the task
   * @throws {MicroturnError} `llm/budget`, or what is wrong with the images or the question
   */
  create({
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
    const { ledger, desk, budget = Infinity, images: pictures, spoken: questions } = this.#parts;
    if (this.#count >= budget) throw new MicroturnError('llm/budget', `${budget} tasks`);
    const id = `task-${this.#count + 1}`;
    const { length } = images;
    pictures.attach(id, images);
    this.#count++;
    if (spoken) questions.add(id, spoken);
    try {
      const title = titleOf(prompt);
      ledger.apply({ type: 'ask', atMs: desk.nowMs(), id, prompt, title, origin, subject, images: length });
    } catch (error) {
      questions.delete(id);
      this.#dropImages();
      throw error;
    }
    return id;
  }

  /** A tool that an answer called: nobody asks the provider for it, and it is not of the budget. */
  createErrand(title: string): string {
    const { ledger, desk } = this.#parts;
    const id = `task-${++this.#count}`;
    ledger.apply({ type: 'ask', atMs: desk.nowMs(), id, prompt: '', title, origin: 'answer' });
    return id;
  }

  /** What the model passes on: an utterance, or words. Where it is not taken, the page is told. */
  delegate(asked: Utterance | string): void {
    const { desk, log } = this.#parts;
    const spoken = typeof asked === 'string' ? undefined : asked;
    const prompt = typeof asked === 'string' ? asked : asked.words.filter((word) => word !== '<unk>').join(' ');
    try {
      const id = this.create({ prompt, origin: 'model', spoken });
      log.debug({ taskId: id }, 'a question was delegated');
    } catch (error) {
      const refused = MicroturnError.from(error, 'edge/internal');
      log.info({ code: refused.code }, 'a question was not taken');
      // Nobody asked for it by a call that would tell: who spoke is told on their page.
      desk.emit({ type: 'error', ...refused.toWire() });
    }
  }

  onTasks(tasks: readonly Task[]): void {
    this.#dropImages();
    this.#parts.spoken.keep((id) => {
      const task = tasks.find((one) => one.id === id);
      return task !== undefined && !isOver(task) && task.status !== 'done';
    });
  }

  /** Pictures go with their tasks. */
  #dropImages(): void {
    const { images, ledger } = this.#parts;
    images.keep(new Set(ledger.tasks.filter((task) => !isOver(task)).map(({ id }) => id)));
  }
}

export function titleOf(prompt: string): string {
  const line = prompt.replaceAll(/\s+/g, ' ').trim();
  if (line === '') return 'a spoken question';
  return line.length <= TITLE_CHARS ? line : `${line.slice(0, TITLE_CHARS - 1)}…`;
}
