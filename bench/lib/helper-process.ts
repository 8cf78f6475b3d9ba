import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../../test/support/root.js';

const ANSWER_MS = 60_000;

interface HelperAnswer<Answer> {
  readonly id: number;
  readonly answer?: Answer;
  readonly error?: string;
}

/** A process that does a benchmark's bidding, so that neither its CPU time nor its libraries are the benchmark's. */
export class HelperProcess<Request, Answer> {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #waiting = new Map<number, (answer: Omit<HelperAnswer<Answer>, 'id'>) => void>();
  #id = 0;

  private constructor(child: ChildProcess, name: string) {
    this.#child = child;
    this.#name = name;
    child.on('message', (answer: HelperAnswer<Answer>) => this.#waiting.get(answer.id)?.(answer));
    child.once('exit', (code, signal) => {
      for (const settle of this.#waiting.values()) settle({ error: `${name} ended (${code ?? signal})` });
    });
  }

  /** @param script of this folder, which calls `answerRequests` */
  static async start<Request, Answer>(script: string, name: string): Promise<HelperProcess<Request, Answer>> {
    const child = fork(join(root, 'bench/lib', script), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const helper = new HelperProcess<Request, Answer>(child, name);
    await helper.#answer(0);
    return helper;
  }

  get pid(): number {
    return this.#child.pid!;
  }
  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** @throws {Error} what it says went wrong, or that it ended or does not answer */
  ask(request: Request): Promise<Answer | undefined> {
    const id = ++this.#id;
    this.#child.send({ id, request });
    return this.#answer(id);
  }

  /** Twice is harmless. */
  async kill(): Promise<void> {
    if (!this.alive) return;
    this.#child.kill('SIGKILL');
    await new Promise((resolve) => this.#child.once('exit', resolve));
  }

  #answer(id: number): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle({ error: `${this.#name} does not answer` }), ANSWER_MS);
      const settle = ({ answer, error }: Omit<HelperAnswer<Answer>, 'id'>) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        if (error === undefined) resolve(answer);
        else reject(new Error(error));
      };
      this.#waiting.set(id, settle);
    });
  }
}

/** The side of the helper: answers each request of the process that started it, and ends with it. */
export function answerRequests<Request, Answer>(handle: (request: Request) => Promise<Answer | undefined>): void {
  process.on('message', async ({ id, request }: { id: number; request: Request }) => {
    try {
      process.send!({ id, answer: await handle(request) });
    } catch (error) {
      process.send!({ id, error: error instanceof Error ? error.message : String(error) });
    }
  });
  // The benchmark is gone.
  process.on('disconnect', () => process.exit());
  process.send!({ id: 0 });
}
