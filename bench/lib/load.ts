import { HelperProcess } from './helper-process.js';
import type { LoadReport, LoadRequest } from './load-messages.js';
import type { MeasuredEdge } from './measured-edge.js';

/** Between two sentences of every agent: with some 2.5 s each, an agent speaks for a quarter of the time. */
const SAY_EVERY_MS = 10_000;

/** Callers of an edge, each in a room of its own, who talk all the time. */
export class Load implements AsyncDisposable {
  readonly #process: HelperProcess<LoadRequest, LoadReport>;
  readonly #edge: MeasuredEdge;
  #sessions = 0;

  private constructor(process: HelperProcess<LoadRequest, LoadReport>, edge: MeasuredEdge) {
    this.#process = process;
    this.#edge = edge;
  }

  static async start(edge: MeasuredEdge): Promise<Load> {
    return new Load(await HelperProcess.start('load-process.mjs', 'the load process'), edge);
  }

  get sessions(): number {
    return this.#sessions;
  }

  /** Adds callers until there are so many. */
  async growTo(sessions: number): Promise<void> {
    const tokens: string[] = [];
    for (; this.#sessions < sessions; this.#sessions++)
      tokens.push(await this.#edge.process.token({ room: `bench-${this.#sessions}` }));
    await this.#process.ask({ do: 'join', url: this.#edge.url, tokens });
  }

  /** Every caller asks the background so many things, by these words and a number. */
  async ask(tasks: number, words: string): Promise<void> {
    await this.#process.ask({ do: 'ask', tasks, words });
  }

  /** Every caller calls off what it asked. */
  async cancelTasks(): Promise<void> {
    await this.#process.ask({ do: 'cancel' });
  }

  /** Lets the calls settle: the callers talk, the agents do not. */
  async settle(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** Lets the calls go on for a while, in which every agent speaks a quarter of the time. */
  async run(ms: number): Promise<LoadReport> {
    await this.#process.ask({ do: 'collect' });
    for (let atMs = 0; atMs < ms; atMs += SAY_EVERY_MS) {
      if (this.#sessions > 0) await this.#process.ask({ do: 'say' });
      await new Promise((resolve) => setTimeout(resolve, Math.min(SAY_EVERY_MS, ms - atMs)));
    }
    return (await this.#process.ask({ do: 'collect' }))!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.alive) await this.#process.ask({ do: 'leave' }).catch(() => undefined);
    // libwebrtc in Node does not always end by itself.
    await this.#process.kill();
  }
}
