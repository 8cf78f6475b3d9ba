import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { monotonicClock } from '../clock.js';
import { silentLog } from '../telemetry/log.js';
import { EngineHost, type EngineHostOptions } from './engine-host.js';
import { bend } from './fixtures/bend.js';
import { bundledThread } from './fixtures/bundled-thread.js';
import { tinyGraph, tinyManifest, writeBundle } from './fixtures/tiny-bundle.js';
import type { Decision, MicroTurn } from './types.js';

const nano = new URL('../../../../models/nano/bundle/', import.meta.url).pathname;

const hosts: EngineHost[] = [];
const folders: string[] = [];
let thread: Awaited<ReturnType<typeof bundledThread>>;
beforeAll(async () => {
  thread = await bundledThread(new URL('./engine-thread.ts', import.meta.url));
});
afterAll(() => thread.remove());
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

async function start(options: Partial<EngineHostOptions> = {}): Promise<EngineHost> {
  const host = await EngineHost.start({
    bundleDir: nano,
    rows: 2,
    log: silentLog,
    threadUrl: thread.url,
    ...options,
  });
  hosts.push(host);
  return host;
}

const turn = (lease: number, index: number, length = 3200): MicroTurn => ({
  lease,
  index,
  pcm: new Float32Array(length),
  lost: 0,
  play: 0,
  dueMs: monotonicClock.now(),
});
const never = (error: Error) => expect.unreachable(error.message);

describe('EngineHost', () => {
  it('tells what model it runs', async () => {
    const host = await start({ rows: 3 });
    expect(host.info).toMatchObject({ name: 'nano-bootstrap', microTurnMs: 200, inputHz: 16_000 });
    expect([host.rows, host.free]).toEqual([3, 3]);
  });

  it('decides on what a port brings, under the lease it is for', async () => {
    const host = await start();
    const port = host.connect();
    const decisions: Decision[] = [];
    const leases = [1, 2].map(() => host.lease((decision) => decisions.push(decision), never));
    for (let index = 0; index < 5; index++) {
      for (const { id } of leases) {
        const message = turn(id, index);
        port.postMessage(message, [message.pcm.buffer as ArrayBuffer]);
      }
      await vi.waitFor(() => expect(decisions).toHaveLength(2 * (index + 1)));
    }
    expect(decisions.filter(({ lease }) => lease === leases[0]!.id).map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    expect(decisions.every(({ floor, say }) => floor === 'silent' && say === '')).toBe(true);
    expect(decisions.every(({ stepMs, lagMs }) => stepMs > 0 && lagMs >= stepMs)).toBe(true);
    expect(await host.stats()).toMatchObject({ leases: 2, steps: 10, late: 0, unknown: 0, malformed: 0 });
    port.close();
  });

  it('steps rows of one lane together', async () => {
    const host = await start({ rows: 8, laneSize: 8 });
    const port = host.connect();
    const decisions: Decision[] = [];
    const leases = Array.from({ length: 8 }, () => host.lease((decision) => decisions.push(decision), never));
    await host.stats(); // the rows are open
    for (const { id } of leases) port.postMessage(turn(id, 0));
    await vi.waitFor(() => expect(decisions).toHaveLength(8));
    expect((await host.stats()).steps).toBeLessThan(8);
    port.close();
  });

  it('says that it is full, and never uses an id again', async () => {
    const host = await start({ rows: 1 });
    const first = host.lease(() => {}, never);
    expect(() => host.lease(() => {}, never)).toThrow(expect.objectContaining({ code: 'edge/full' }));
    first.release();
    const second = host.lease(() => {}, never);
    expect(second.id).not.toBe(first.id);
    first.release(); // twice: not the second's
    expect(host.free).toBe(0);
  });

  it('gives a lease back at the end of a `using` block', async () => {
    const host = await start({ rows: 1 });
    {
      using lease = host.lease(() => {}, never);
      expect([lease.id > 0, host.free]).toEqual([true, 0]);
    }
    expect(host.free).toBe(1);
  });

  it('drops and counts micro-turns of leases that are not open, and what is no micro-turn', async () => {
    const host = await start();
    const port = host.connect();
    const decisions: Decision[] = [];
    const lease = host.lease((decision) => decisions.push(decision), never);
    const old = host.lease((decision) => decisions.push(decision), never);
    old.release();
    await host.stats();
    for (const message of [
      turn(old.id, 0),
      turn(999, 0),
      turn(lease.id, 0, 3199),
      turn(lease.id, 0, 0),
      { ...turn(lease.id, 0), ref: new Float32Array(1) },
      { ...turn(lease.id, 0), pcm: [1, 2, 3] },
      null,
      'hello',
      turn(lease.id, 1),
    ]) {
      port.postMessage(message);
    }
    await vi.waitFor(() => expect(decisions).toHaveLength(1));
    expect(decisions[0]).toMatchObject({ lease: lease.id, index: 1 });
    expect(await host.stats()).toMatchObject({ unknown: 2, malformed: 6, steps: 1 });
    port.close();
  });

  it('brings the code of a bundle that cannot be used across the thread', async () => {
    const files = { 'step.onnx': tinyGraph() };
    const manifest = bend(tinyManifest(files), { 'files/step.onnx/sha256': '0'.repeat(64) });
    const bundleDir = await writeBundle(manifest, files);
    folders.push(bundleDir);
    await expect(start({ bundleDir })).rejects.toEqual(
      expect.objectContaining({ code: 'bundle/hash', message: expect.stringContaining('step.onnx') }),
    );
    await expect(start({ bundleDir: join(bundleDir, 'nowhere') })).rejects.toMatchObject({ code: 'bundle/missing' });
  });

  it('gives up one row whose numbers are not finite, and says so; the others go on', async () => {
    const files = { 'step.onnx': tinyGraph() };
    const bundleDir = await writeBundle(tinyManifest(files), files);
    folders.push(bundleDir);
    const host = await start({ bundleDir });
    const port = host.connect();
    const failed = vi.fn();
    const decisions: Decision[] = [];
    const bad = host.lease(() => {}, failed);
    const good = host.lease((decision) => decisions.push(decision), never);
    for (let index = 0; index < 4; index++) {
      port.postMessage({ ...turn(bad.id, index, 160), pcm: new Float32Array(160).fill(NaN) });
      port.postMessage(turn(good.id, index, 160));
      await vi.waitFor(() => expect(decisions).toHaveLength(index + 1));
    }
    await vi.waitFor(() =>
      expect(failed).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'engine/failed' })),
    );
    expect(host.free).toBe(1);
    expect(await host.stats()).toMatchObject({ muted: 3, leases: 1 });
    bad.release();
    expect(host.free).toBe(1);
    port.close();
  });

  it('ends without a word to its leases, and once', async () => {
    const host = await start();
    const failed = vi.fn();
    host.lease(() => {}, failed);
    await Promise.all([host.close(), host.close()]);
    await host.close();
    expect(failed).not.toHaveBeenCalled();
    expect(host.closed).toBe(true);
    expect(() => host.lease(() => {}, never)).toThrow(expect.objectContaining({ code: 'engine/failed' }));
    expect(() => host.connect()).toThrow(expect.objectContaining({ code: 'engine/failed' }));
    await expect(host.stats()).rejects.toMatchObject({ code: 'engine/failed' });
  });

  describe('when the thread', () => {
    /** A thread that says it is ready, and then does as written on the first lease. */
    async function threadThat(onOpen: string): Promise<URL> {
      const folder = await mkdtemp(join(tmpdir(), 'microturn-thread-'));
      folders.push(folder);
      const path = join(folder, 'thread.mjs');
      const info = { name: 'stub', version: '1', microTurnMs: 200, inputHz: 16_000, capabilities: [] };
      await writeFile(
        path,
        `import { parentPort } from 'node:worker_threads';
         parentPort.on('message', ({ type }) => { if (type === 'open') { ${onOpen} } });
         parentPort.postMessage({ type: 'ready', info: ${JSON.stringify(info)} });`,
      );
      return pathToFileURL(path);
    }

    it.each([
      ['throws', `throw new Error('boom')`],
      ['exits', 'process.exit(3)'],
    ])('%s, tells every lease and the owner, and what waits', async (_, onOpen) => {
      const onFailed = vi.fn();
      const host = await start({ threadUrl: await threadThat(onOpen), onFailed });
      const failed = [vi.fn(), vi.fn()];
      const leases = failed.map((listener) => host.lease(() => {}, listener));
      await expect(host.stats()).rejects.toMatchObject({ code: 'engine/failed' });
      await vi.waitFor(() => expect(onFailed).toHaveBeenCalledOnce());
      for (const listener of failed) {
        expect(listener).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'engine/failed' }));
      }
      for (const lease of leases) lease.release();
      expect(() => host.lease(() => {}, never)).toThrow(expect.objectContaining({ code: 'engine/failed' }));
      await host.close();
    });

    /**
     * A thread that decides on every micro-turn, but for the first it is given in its first life: then it does as
     * written. It knows its life by the file that its first one leaves behind.
     */
    async function threadThatRecovers(onFirst: string): Promise<URL> {
      const folder = await mkdtemp(join(tmpdir(), 'microturn-thread-'));
      folders.push(folder);
      const path = join(folder, 'thread.mjs');
      const info = { name: 'stub', version: '1', microTurnMs: 200, inputHz: 16_000, capabilities: [] };
      await writeFile(
        path,
        `import { existsSync, writeFileSync } from 'node:fs';
         import { parentPort } from 'node:worker_threads';
         const mark = ${JSON.stringify(join(folder, 'lived'))};
         const first = !existsSync(mark);
         writeFileSync(mark, '');
         let taken = 0;
         parentPort.on('message', (request) => {
           if (request.type === 'ping') parentPort.postMessage({ type: 'pong', taken });
           if (request.type === 'shutdown') process.exit(0);
           if (request.type === 'connect') request.port.on('message', ({ lease, index }) => {
             taken++;
             if (first) { ${onFirst} }
             parentPort.postMessage({ type: 'decision', decision: { lease, index } });
           });
         });
         parentPort.postMessage({ type: 'ready', info: ${JSON.stringify(info)} });`,
      );
      return pathToFileURL(path);
    }

    it.each([
      ['fault 5, crashes in a step', `throw new Error('boom')`, 3000],
      ['fault 6, hangs in a step', 'for (;;);', 6000],
      ['fault 6, answers and never decides', 'return', 6000],
    ])('%s, another takes its place, with the same leases and indices', async (_, onFirst, withinMs) => {
      const onRestart = vi.fn(() => (port = host.connect()));
      const onFailed = vi.fn();
      const host = await start({ threadUrl: await threadThatRecovers(onFirst), onRestart, onFailed });
      let port = host.connect();
      const decisions: Decision[] = [];
      const onReset = vi.fn();
      const lease = host.lease((decision) => decisions.push(decision), never, onReset);
      let index = 0;
      const grid = setInterval(() => port.postMessage(turn(lease.id, index++)), 50);
      await vi.waitFor(() => expect(decisions.length).toBeGreaterThan(2), { timeout: withinMs, interval: 10 });
      clearInterval(grid);
      expect(onReset).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'engine/failed' }));
      expect(onRestart).toHaveBeenCalledOnce();
      expect(decisions.every((decision) => decision.lease === lease.id && decision.index > 0)).toBe(true);
      expect(decisions.map((decision) => decision.index)).toEqual(decisions.map((_, i) => decisions[0]!.index + i));
      expect([host.closed, host.free, onFailed.mock.calls.length]).toEqual([false, 1, 0]);
      port.close();
    });

    it('dies again and again, gives up and tells everybody', async () => {
      const onFailed = vi.fn();
      const onRestart = vi.fn();
      const host = await start({ threadUrl: await threadThat(`throw new Error('boom')`), onRestart, onFailed });
      const failed = vi.fn();
      host.lease(() => {}, failed);
      await vi.waitFor(() => expect(onFailed).toHaveBeenCalledOnce(), { timeout: 5000 });
      expect(onRestart).toHaveBeenCalledTimes(3);
      expect(failed).toHaveBeenCalledOnce();
      expect(host.closed).toBe(true);
    });

    it('has nothing to do, is left alone', async () => {
      const onRestart = vi.fn();
      const host = await start({ onRestart });
      host.lease(() => {}, never);
      await new Promise((resolve) => setTimeout(resolve, 2600));
      expect(onRestart).not.toHaveBeenCalled();
      expect(host.closed).toBe(false);
    });

    it('hangs, is ended all the same', async () => {
      const host = await start({ threadUrl: await threadThat('for (;;);') });
      host.lease(() => {}, never);
      await host.close();
      expect(host.closed).toBe(true);
    });

    it('does not start, says so', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'microturn-thread-'));
      folders.push(folder);
      const path = join(folder, 'thread.mjs');
      for (const source of [`throw new Error('boom')`, 'process.exit(1)', '']) {
        await writeFile(path, source);
        await expect(start({ threadUrl: pathToFileURL(path) })).rejects.toMatchObject({ code: 'engine/failed' });
      }
    });
  });
});

describe('the main thread', () => {
  it('loads no ONNX Runtime through the engine’s index', async () => {
    const { metafile } = await build({
      entryPoints: [new URL('./index.ts', import.meta.url).pathname],
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      write: false,
      metafile: true,
      logLevel: 'silent',
    });
    const imports = Object.values(metafile.inputs).flatMap((input) => input.imports.map(({ path }) => path));
    expect(imports).toContain('valibot');
    expect(imports.filter((path) => path.includes('onnxruntime'))).toEqual([]);
  });
});
