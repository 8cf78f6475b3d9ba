import type { InteractionSession } from '@microturn/sdk';
import { expect } from '@playwright/test';
import { Caller, type CallerOptions } from '../call/caller.js';
import { withTaskStory } from './task-story.js';
import { microphoneOnCue } from './voice-on-cue.js';

export interface TaskPage {
  readonly caller: Promise<{ readonly session: InteractionSession }>;
  booked: unknown[];
}

/** Longer than anything that a test waits for takes, on a slow machine. */
export const WAIT = { timeout: 60_000 };

/** A caller who asks the background, and whose page offers to book tables where the user allows it. */
export class TaskCaller implements AsyncDisposable {
  readonly call: Caller;

  private constructor(call: Caller) {
    this.call = call;
  }

  static async open(options: CallerOptions): Promise<TaskCaller> {
    const call = await Caller.open({ record: false, ...options });
    await call.page.evaluate(async () => {
      const page = window as unknown as TaskPage;
      page.booked = [];
      (await page.caller).session.registerTool({
        name: 'book_table',
        description: 'Books a table.',
        parameters: { type: 'object', properties: { persons: { type: 'integer' } }, required: ['persons'] },
        approval: true,
        execute: (args) => {
          page.booked.push(args);
          return 'done';
        },
      });
    });
    return new TaskCaller(call);
  }

  /** As `open`; what it hears is said by `sayTo`. */
  static openOnCue(options: CallerOptions): Promise<TaskCaller> {
    // Of the file nothing is heard; a caller without one joins without a microphone.
    const microphone = { samples: new Float32Array(16_000), rateHz: 16_000 };
    return TaskCaller.open({ ...options, microphone, initScript: microphoneOnCue });
  }

  get page() {
    return this.call.page;
  }

  ask(text: string): Promise<string> {
    return this.page.evaluate(async (question) => {
      const { session } = await (window as unknown as TaskPage).caller;
      return (await session.ask(question)).taskId!;
    }, text);
  }

  answer(taskId: string, allowed: boolean): Promise<unknown> {
    return this.page.evaluate(
      async ([id, yes]) => (await (window as unknown as TaskPage).caller).session.answer(id, yes),
      [taskId, allowed] as const,
    );
  }

  cancel(taskId: string): Promise<unknown> {
    return this.page.evaluate(async (id) => (await (window as unknown as TaskPage).caller).session.cancel(id), taskId);
  }

  booked(): Promise<unknown[]> {
    return this.page.evaluate(() => (window as unknown as TaskPage).booked);
  }

  /** What was heard of a task, response by response. It is woven when its last word is sent, and heard to its end after that. */
  heardOf(taskId: string): string[] {
    const relays = this.call.eventsOf('response.started').filter((response) => response.taskId === taskId);
    return relays.map(({ responseId }) => this.#heard(responseId));
  }

  /** The last report comes before the last word; one that is completed was heard to its end. */
  #heard(responseId: string): string {
    const of = <T extends { readonly responseId: string }>(events: readonly T[]) =>
      events.filter((event) => event.responseId === responseId);
    if (of(this.call.eventsOf('response.completed')).length > 0) {
      return of(this.call.eventsOf('response.text'))
        .map(({ text }) => text.trim())
        .join(' ');
    }
    return of(this.call.eventsOf('response.heard')).at(-1)?.heardText ?? '';
  }

  /** @throws {Error} with the story of all tasks, where it does not come */
  until(
    type:
      | 'task.woven'
      | 'task.question'
      | 'task.progress'
      | 'task.completed'
      | 'task.failed'
      | 'task.cancelled'
      | 'task.stale',
    taskId: string,
    fits: (event: { readonly revision: number }) => boolean = () => true,
  ): Promise<void> {
    return withTaskStory(
      () => this.call.events,
      () =>
        expect
          .poll(() => this.call.eventsOf(type).some((task) => task.taskId === taskId && fits(task)), WAIT)
          .toBe(true),
    );
  }

  /** @throws {Error} with the story of all tasks, where that is never heard of this one */
  untilHeard(taskId: string, text: string): Promise<void> {
    return withTaskStory(
      () => this.call.events,
      () => expect.poll(() => this.heardOf(taskId).join(' | '), WAIT).toContain(text),
    );
  }

  close(): Promise<void> {
    return this.call.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
