import type { EventEmitter } from 'node:events';
import type { Edge } from '../edge.js';
import { reload, type ReloadParts } from './reload.js';

/** A supervisor gives a process about 10 s to end. */
const CLOSE_MS = 8000;
const FAILED_MS = 500;

export type RunningEdge = Pick<Edge, 'close' | 'onFailed'> & ReloadParts['edge'];

export interface RunEdgeParts<E extends RunningEdge> {
  readonly create: () => Promise<E>;
  /** What is printed once it is up. */
  readonly greeting: (edge: E) => Promise<string>;
  /** The configuration as it is now. */
  readonly read: ReloadParts['read'];
  /** Where signals come: the process. */
  readonly signals: Pick<EventEmitter, 'on'>;
  readonly after: (ms: number, fn: () => void) => void;
  readonly exit: (code: number) => void;
  readonly say: (text: string) => void;
  readonly complain: (text: unknown) => void;
}

/**
 * Starts an edge, and ends it, and the process with it, when it is asked to or has failed. Signals are listened for from
 * the first moment on: callers may come before this has gone on, and none is left without a farewell.
 * @throws what `create` throws
 */
export async function runEdge<E extends RunningEdge>(parts: RunEdgeParts<E>): Promise<void> {
  const { create, greeting, read, signals, after, exit, say, complain } = parts;
  let edge: E | undefined;
  let stopping = false;
  const stop = (why: string, exitCode: number, handOver: boolean) => {
    // Asked twice, it does not wait for anybody any more.
    if (stopping) return exit(exitCode || 1);
    // Nobody is there to be told.
    if (!edge) return exit(exitCode);
    stopping = true;
    say(`  ${why}: telling callers and closing`);
    after(CLOSE_MS, () => {
      complain(`microturn: not closed after ${CLOSE_MS / 1000} s, and ended`);
      exit(1);
    });
    edge.close({ handOver }).then(
      () => exit(exitCode),
      (error: unknown) => {
        complain(error);
        exit(1);
      },
    );
  };
  signals.on('SIGINT', () => stop('SIGINT', 0, false));
  // A supervisor's: another process follows.
  signals.on('SIGTERM', () => stop('SIGTERM', 0, true));
  const up = create();
  signals.on('SIGHUP', () => {
    // Where it does not start, that is said already.
    void up.then((running) => reload({ read, edge: running, say })).catch(() => {});
  });
  edge = await up;
  edge.onFailed = (error) => {
    complain(`microturn: ${error.message} (${error.code})\n  fix: ${error.hint}`);
    // After those who ask have read it: /readyz, and the goodbyes.
    after(FAILED_MS, () => {
      if (!stopping) stop(error.code, 1, true);
    });
  };
  say(await greeting(edge));
}
