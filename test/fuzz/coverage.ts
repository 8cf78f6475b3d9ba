import { Session, type Profiler } from 'node:inspector';

/** Which blocks of code run, as V8 counts them; of the scripts whose URL `of` accepts. Slow to ask: thousands of runs apart. */
export class Coverage {
  readonly #session = new Session();
  readonly #of: (url: string) => boolean;

  constructor(of: (url: string) => boolean) {
    this.#of = of;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Since the last call. */
  readonly take = (): ReadonlySet<string> => {
    const blocks = new Set<string>();
    for (const { url, functions } of this.#take()) {
      if (!this.#of(url)) continue;
      for (const { ranges } of functions)
        for (const { startOffset, endOffset, count } of ranges)
          if (count > 0) blocks.add(`${url} ${startOffset}-${endOffset}`);
    }
    return blocks;
  };

  close(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  #take(): Profiler.ScriptCoverage[] {
    let result: Profiler.ScriptCoverage[] = [];
    // Of its own thread, the session answers before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (!error) result = answer.result;
    });
    return result;
  }
}
