import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EdgeProcess } from '../../test/support/edge-process.js';
import { root } from '../../test/support/root.js';
import { childPids, rssBytes, threadCpuMs } from './process-figures.js';

/** What edge-probe.mjs notes; times are ms of the machine's monotonic clock. */
export type Station =
  | { is: 'thread'; role: string; tid: number }
  /** Media posts a micro-turn; `soundEndMs` is where in it the last sound ends. */
  | { is: 'turn'; atMs: number; lease: number; index: number; dueMs: number; soundEndMs?: number }
  /** The engine posts what it decided. */
  | {
      is: 'decision';
      atMs: number;
      lease: number;
      index: number;
      say: string;
      acts: string[];
      stepMs: number;
      lagMs: number;
    }
  /** Main takes that decision. */
  | { is: 'decided'; atMs: number; lease: number; index: number }
  /** Main asks the voice; the voice posts sound to media; media has sent the first packet; main asks media to cut. */
  | { is: 'speak' | 'speech' | 'sent' | 'cut'; atMs: number; responseId: string };

export type StationOf<I extends Station['is']> = Extract<Station, { is: I }>;

/** A real edge in a process of its own, with a probe in its threads. */
export class MeasuredEdge implements AsyncDisposable {
  readonly process: EdgeProcess;
  readonly #folder: string;

  private constructor(edge: EdgeProcess, folder: string) {
    this.process = edge;
    this.#folder = folder;
  }

  /** @param path also trace the way of micro-turns and responses; costs some 20 µs a message */
  static async start({
    path = false,
    args = [],
  }: { path?: boolean; args?: readonly string[] } = {}): Promise<MeasuredEdge> {
    const folder = await mkdtemp(join(tmpdir(), 'microturn-bench-'));
    try {
      const edge = await EdgeProcess.start({
        args,
        nodeArgs: ['--import', pathToFileURL(join(root, 'bench/lib/edge-probe.mjs')).href],
        env: { BENCH_PROBE: join(folder, 'probe.jsonl'), ...(path && { BENCH_PROBE_PATH: '1' }) },
      });
      return new MeasuredEdge(edge, folder);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get url(): string {
    return this.process.url;
  }

  async stations(): Promise<Station[]> {
    const text = await readFile(join(this.#folder, 'probe.jsonl'), 'utf8');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Station);
  }

  /** CPU time used so far, ms, by thread; what Node starts for itself (garbage, files) is `node`, mediasoup's process `worker`. */
  async cpuMs(): Promise<Readonly<Record<string, number>>> {
    const roles = new Map(
      (await this.stations()).flatMap((station) =>
        station.is === 'thread' ? [[station.tid, station.role] as const] : [],
      ),
    );
    const used: Record<string, number> = {};
    const add = (role: string, ms: number) => (used[role] = (used[role] ?? 0) + ms);
    for (const [tid, ms] of threadCpuMs(this.process.pid)) add(roles.get(tid) ?? 'node', ms);
    for (const pid of childPids(this.process.pid)) for (const ms of threadCpuMs(pid).values()) add('worker', ms);
    return used;
  }

  /** Of the edge and the mediasoup worker, bytes. */
  rssBytes(): number {
    const { pid } = this.process;
    return [pid, ...childPids(pid)].reduce((sum, each) => sum + rssBytes(each), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** What was used between two readings, per thread. */
export function used(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> {
  return Object.fromEntries(Object.entries(after).map(([role, ms]) => [role, ms - (before[role] ?? 0)]));
}

export function total(parts: Readonly<Record<string, number>>): number {
  return Object.values(parts).reduce((sum, part) => sum + part, 0);
}
