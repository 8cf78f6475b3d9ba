import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../../test/support/root.js';
import type { LoadReport, LoadRequest } from './load-messages.js';
import type { MeasuredEdge } from './measured-edge.js';

const ANSWER_MS = 60_000;
/** Between two sentences of every agent: with some 2.5 s each, an agent speaks for a quarter of the time. */
const SAY_EVERY_MS = 10_000;

/** Callers of an edge, each in a room of its own, who talk all the time. */
export class Load implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #edge: MeasuredEdge;
  readonly #answers = new Map<number, (answer: { report?: LoadReport; error?: string }) => void>();
  #id = 0;
  #sessions = 0;

  private constructor(child: ChildProcess, edge: MeasuredEdge) {
    this.#child = child;
    this.#edge = edge;
    child.on('message', (message: { id: number; report?: LoadReport; error?: string }) =>
      this.#answers.get(message.id)?.(message),
    );
    child.once('exit', (code, signal) => {
      for (const answer of this.#answers.values()) answer({ error: `the load process ended (${code ?? signal})` });
    });
  }

  static async start(edge: MeasuredEdge): Promise<Load> {
    const child = fork(join(root, 'bench/lib/load-process.mjs'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const load = new Load(child, edge);
    await load.#answer(0);
    return load;
  }

  get sessions(): number {
    return this.#sessions;
  }

  /** Adds callers until there are so many. */
  async growTo(sessions: number): Promise<void> {
    const tokens: string[] = [];
    for (; this.#sessions < sessions; this.#sessions++)
      tokens.push(await this.#edge.process.token({ room: `bench-${this.#sessions}` }));
    await this.#ask({ do: 'join', url: this.#edge.url, tokens });
  }

  /** Every caller asks the background so many things. */
  async ask(tasks: number): Promise<void> {
    await this.#ask({ do: 'ask', tasks });
  }

  /** Every caller calls off what it asked. */
  async cancelTasks(): Promise<void> {
    await this.#ask({ do: 'cancel' });
  }

  /** Lets the calls settle: the callers talk, the agents do not. */
  async settle(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** Lets the calls go on for a while, in which every agent speaks a quarter of the time. */
  async run(ms: number): Promise<LoadReport> {
    await this.#ask({ do: 'collect' });
    for (let atMs = 0; atMs < ms; atMs += SAY_EVERY_MS) {
      if (this.#sessions > 0) await this.#ask({ do: 'say' });
      await new Promise((resolve) => setTimeout(resolve, Math.min(SAY_EVERY_MS, ms - atMs)));
    }
    return (await this.#ask({ do: 'collect' }))!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    await this.#ask({ do: 'leave' }).catch(() => undefined);
    // libwebrtc in Node does not always end by itself.
    this.#child.kill('SIGKILL');
    await new Promise((resolve) => this.#child.once('exit', resolve));
  }

  #ask(request: LoadRequest): Promise<LoadReport | undefined> {
    const id = ++this.#id;
    this.#child.send({ id, request });
    return this.#answer(id);
  }

  #answer(id: number): Promise<LoadReport | undefined> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle({ error: 'the load process does not answer' }), ANSWER_MS);
      const settle = ({ report, error }: { report?: LoadReport; error?: string }) => {
        clearTimeout(timer);
        this.#answers.delete(id);
        if (error === undefined) resolve(report);
        else reject(new Error(error));
      };
      this.#answers.set(id, settle);
    });
  }
}
