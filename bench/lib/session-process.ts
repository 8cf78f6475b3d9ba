import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../test/support/root.js';
import type { DensityReport, DensityRequest } from './density-messages.js';

/** Besides how long it is asked to measure. */
const ANSWER_MS = 60_000;

/** A process that carries sessions, on one core. */
export class SessionProcess implements Disposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @param core that it may run on, and on no other */
  static async start(core: number, rows: number, laneSize: number, phaseMs: number): Promise<SessionProcess> {
    const script = join(root, 'bench/lib/density-process.mjs');
    const args = ['-c', String(core), process.execPath, script, String(rows), String(laneSize), String(phaseMs)];
    const started = new SessionProcess(spawn('taskset', args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }));
    await started.#answer(ANSWER_MS);
    return started;
  }

  /** Resident memory, bytes, of what it shares with others its part. */
  get pssBytes(): number {
    const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.#child.pid}/smaps_rollup`, 'utf8'))?.[1];
    return Number(kilobytes) * 1024;
  }

  /** So many of its rows from now on. */
  async carry(rows: number): Promise<void> {
    await this.#ask({ do: 'carry', rows }, ANSWER_MS);
  }

  async measure(ms: number): Promise<DensityReport> {
    return (await this.#ask({ do: 'measure', ms }, ms + ANSWER_MS))!;
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }

  #ask(request: DensityRequest, timeoutMs: number): Promise<DensityReport | undefined> {
    this.#child.send(request);
    return this.#answer(timeoutMs);
  }

  #answer(timeoutMs: number): Promise<DensityReport | undefined> {
    return new Promise((resolve, reject) => {
      const settle = (error?: string, report?: DensityReport) => {
        clearTimeout(timer);
        this.#child.off('message', onMessage).off('exit', onExit).off('error', onExit);
        if (error === undefined) resolve(report);
        else reject(new Error(error));
      };
      const onMessage = ({ report }: { report?: DensityReport }) => settle(undefined, report);
      const onExit = (why: unknown) => settle(`a process that carries sessions ended: ${String(why)}`);
      const timer = setTimeout(() => settle('a process that carries sessions does not answer'), timeoutMs);
      this.#child.on('message', onMessage).on('exit', onExit).on('error', onExit);
    });
  }
}
