import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../telemetry/log.js';
import { ManualClock } from '../testing/manual-clock.js';
import { defaultBounds } from './admission.js';
import { EngineWorker } from './engine-worker.js';
import { Standstills } from './standstills.js';
import { engineThreads, startThread, type ThreadOptions } from './start-thread.js';

const info = { name: 'stub', version: '1', microTurnMs: 200, inputHz: 16_000, capabilities: [] };
const READY = `parentPort.postMessage({ type: 'ready', provider: workerData.provider, info: ${JSON.stringify(info)} });`;
/** What it does on a GPU that hangs: it is inside until it is told that the step is over. */
const HANG = `
  const gate = new Int32Array(workerData.gate);
  Atomics.or(gate, 0, 1);
  setInterval(() => {
    if (existsSync(out) && (Atomics.and(gate, 0, ~1) & 2) !== 0) process.exit();
  }, 5);`;

describe('an engine thread that is not ready in time', () => {
  let folder: string;
  let clock: ManualClock;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'microturn-thread-'));
    clock = new ManualClock();
  });
  afterEach(async () => {
    await comeOut();
    await vi.waitFor(() => expect(engineThreads().all).toBe(0));
    await rm(folder, { recursive: true });
  });
  const comeOut = () => writeFile(join(folder, 'out'), '');

  async function optionsOf(does: string, provider: ThreadOptions['provider'] = 'webgpu'): Promise<ThreadOptions> {
    const path = join(folder, 'thread.mjs');
    const names = ['lived', 'out'].map((name) => `const ${name} = ${JSON.stringify(join(folder, name))};`);
    await writeFile(
      path,
      `import { existsSync, writeFileSync } from 'node:fs';
       import { parentPort, workerData } from 'node:worker_threads';
       ${names.join('\n')}
       parentPort.on('message', ({ type }) => {
         if (type === 'open') process.exit(3);
         if (type === 'shutdown') process.exit(0);
       });
       ${does}`,
    );
    return { bundleDir: '', rows: 1, laneSize: 1, provider, threadUrl: pathToFileURL(path), after: clock.after };
  }
  const isInside = (inside: number) => vi.waitFor(() => expect(engineThreads().inside).toBe(inside), { interval: 5 });
  const late = { code: 'engine/failed', message: expect.stringContaining('within 60 s') as string };

  it('is ended where it is outside of ONNX Runtime', async () => {
    const starting = expect(startThread(await optionsOf(''))).rejects.toMatchObject(late);
    expect(engineThreads().all).toBe(1);
    clock.advance(60_000);
    await starting;
    expect(engineThreads().all).toBe(0);
  });

  it('is left where it is inside, and ends itself once it comes out', async () => {
    const starting = expect(startThread(await optionsOf(HANG))).rejects.toMatchObject(late);
    await isInside(1);
    clock.advance(59_999);
    expect(engineThreads().left).toBe(0);
    clock.advance(1);
    await starting;
    expect(engineThreads()).toEqual({ all: 1, inside: 1, left: 1 });
    await comeOut();
    await vi.waitFor(() => expect(engineThreads().all).toBe(0));
  });

  it('has another take its place on the CPU where it chose the GPU itself', async () => {
    const starting = startThread(
      await optionsOf(`if (workerData.provider === 'cpu') { ${READY} } else { ${HANG} }`, 'auto'),
    );
    await isInside(1);
    clock.advance(60_000);
    const { thread, provider } = await starting;
    expect([provider, clock.pending]).toEqual(['cpu', 0]);
    await thread.terminate();
  });

  it('and was to take the place of one that died: its leases are told, and the owner', async () => {
    const options = await optionsOf(`if (!existsSync(lived)) { writeFileSync(lived, ''); ${READY} } else { ${HANG} }`);
    const [onDied, onFailed] = [vi.fn(), vi.fn()];
    const now = () => clock.now();
    const worker = await EngineWorker.start({
      ...options,
      id: 1,
      index: 0,
      bounds: defaultBounds,
      standstills: new Standstills(0),
      now,
      log: silentLog,
      onRestarted: vi.fn(),
      onDied,
    });
    worker.lease(1, { onDecision: vi.fn(), onFailed });
    await isInside(1);
    expect(onFailed).not.toHaveBeenCalled();
    clock.advance(60_000);
    await vi.waitFor(() => expect(onFailed).toHaveBeenCalledExactlyOnceWith(expect.objectContaining(late)));
    expect(onDied).toHaveBeenCalledExactlyOnceWith(worker, expect.objectContaining(late));
    await worker.close();
  });
});
