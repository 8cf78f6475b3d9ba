import { Worker } from 'node:worker_threads';
import { MicroturnError } from '@microturn/protocol';
import { after as afterTimeout } from '../clock.js';
import type { EngineReport, EngineThreadData } from './engine-messages.js';
import { NativeGate } from './native-gate.js';
import { RowMemory } from './row-memory.js';
import type { ModelInfo, Provider } from './types.js';

// Runs on main, and must never import what loads ONNX Runtime.

/**
 * How long a thread may take until its bundle is loaded and has run. A gigabyte from a slow disk, and all that a GPU compiles, takes less;
 * a GPU that hangs never gives an answer, and without a thread the rows would wait for it for good.
 */
const READY_MS = 60_000;

export type ThreadOptions = Omit<EngineThreadData, 'gate' | 'memory'> & {
  readonly threadUrl: URL;
  /** Runs `fn` once, `ms` from now; the result calls it off. */
  readonly after?: (ms: number, fn: () => void) => () => void;
};

/** An engine thread whose bundle is loaded. */
export interface StartedThread {
  readonly thread: Worker;
  /** Where the thread may be ended. */
  readonly gate: NativeGate;
  readonly info: ModelInfo;
  readonly provider: Provider;
  readonly memory: RowMemory | undefined;
}

const gates = new Set<NativeGate>();

let refused = false;

/** Of this process: how many there are, how many of them are inside ONNX Runtime, and how many of those were left behind there. */
export function engineThreads(): { all: number; inside: number; left: number } {
  const count = (is: 'inside' | 'left') => [...gates].filter((gate) => gate[is]).length;
  return { all: gates.size, inside: count('inside'), left: count('left') };
}

/** Of the threads that there are and will be, none goes into ONNX Runtime any more, and those that are inside end when they come out. */
export function refuseCalls(): void {
  refused = true;
  for (const gate of gates) gate.end();
}

/**
 * Starts an engine thread and waits until its bundle is loaded, for a minute at most: `auto` is the CPU then.
 * @param memory what the thread before it left of its rows
 * @throws {MicroturnError} `bundle/…` as the thread met it, `engine/failed` where the thread itself did not start, or not in time
 */
export async function startThread(options: ThreadOptions, memory?: RowMemory): Promise<StartedThread> {
  let late = false;
  try {
    return await startThreadOn(options, memory, () => (late = true));
  } catch (error) {
    if (!late || options.provider !== 'auto') throw error;
    return startThreadOn({ ...options, provider: 'cpu' }, memory);
  }
}

async function startThreadOn(
  { bundleDir, rows, laneSize, provider, threadUrl, after = afterTimeout }: ThreadOptions,
  memory: RowMemory | undefined,
  onLate?: () => void,
): Promise<StartedThread> {
  const gate = new NativeGate();
  const workerData: EngineThreadData = {
    bundleDir,
    rows,
    laneSize,
    provider,
    gate: gate.buffer,
    memory: memory?.buffer,
  };
  // ONNX Runtime 1.30 sends usage to its maker unless told not to, and a self-hosted edge calls nobody. It asks the process:
  // the environment of a thread would not reach it.
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
  const thread = new Worker(threadUrl, { workerData, name: 'engine' });
  gates.add(gate);
  if (refused) gate.end();
  thread.once('exit', () => gates.delete(gate));
  let cancel: (() => void) | undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = after(READY_MS, () => {
      onLate?.();
      reject(new MicroturnError('engine/failed', `its thread was not ready within ${READY_MS / 1000} s`));
    });
  });
  try {
    return { thread, gate, ...(await Promise.race([ready(thread), late])) };
  } catch (error) {
    // Nobody waits for what it says of itself any more.
    thread.on('error', () => undefined);
    // One that is inside ONNX Runtime ends by itself once it comes out, if it does.
    if (gate.end()) await thread.terminate();
    throw MicroturnError.from(error, 'engine/failed');
  } finally {
    cancel?.();
  }
}

/** Waits for the thread's first word. */
function ready(thread: Worker): Promise<Omit<StartedThread, 'thread' | 'gate'>> {
  return new Promise((resolve, reject) => {
    const onMessage = (report: EngineReport) => {
      if (report.type === 'ready') {
        const { info, provider, memory } = report;
        settle(() => resolve({ info, provider, memory: memory && new RowMemory(memory) }));
      }
      if (report.type === 'failed') settle(() => reject(MicroturnError.fromWire(report.error)));
    };
    const onError = (error: Error) => settle(() => reject(error));
    const onExit = (code: number) => settle(() => reject(new Error(`the engine thread exited with code ${code}`)));
    const settle = (then: () => void) => {
      thread.off('message', onMessage).off('error', onError).off('exit', onExit);
      then();
    };
    thread.on('message', onMessage).on('error', onError).on('exit', onExit);
  });
}
