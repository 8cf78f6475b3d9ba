import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { MessagePort } from 'node:worker_threads';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { monotonicClock } from '../clock.js';
import { silentLog } from '../telemetry/log.js';
import { ManualClock } from '../testing/manual-clock.js';
import { EngineHost, type EngineHostOptions, type EngineLease } from './engine-host.js';
import { bend } from './fixtures/bend.js';
import { bundledThread } from './fixtures/bundled-thread.js';
import { tinyGraph, tinyManifest, writeBundle } from './fixtures/tiny-bundle.js';
import type { Decision, MicroTurn, ProviderChoice } from './types.js';

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
    const { name, version, microTurnMs, inputHz, inputs } = JSON.parse(
      await readFile(join(nano, 'bundle.json'), 'utf8'),
    );
    expect(host.info).toMatchObject({ name, version, microTurnMs, inputHz, inputs: Object.keys(inputs) });
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

  it('starts each session where the lane of its row has its boundaries, and fills one lane after the other', async () => {
    const clock = new ManualClock(10_007);
    const host = await start({ rows: 5, laneSize: 2, clock });
    const zeros = Array.from({ length: 5 }, () => host.lease(() => {}, never).zeroMs);
    expect(zeros).toEqual([10_200, 10_200, 10_100, 10_100, 10_050]);
  });

  it('spreads leases over its threads, and answers for all of them', async () => {
    const files = { 'step.onnx': tinyGraph() };
    const bundleDir = await writeBundle(tinyManifest(files), files);
    folders.push(bundleDir);
    const host = await start({ bundleDir, rows: 5, threads: 2 });
    const ports = new Map(host.engines.map((id) => [id, host.connect(id)]));
    const decided = vi.fn();
    const leases = Array.from({ length: 5 }, () => host.lease(decided, never));
    expect(leases.map(({ engine }) => host.engines.indexOf(engine))).toEqual([0, 1, 0, 1, 0]);
    for (const { id, engine } of leases) ports.get(engine)!.postMessage(turn(id, 0, 160));
    await vi.waitFor(() => expect(decided).toHaveBeenCalledTimes(5));
    expect(await host.stats()).toMatchObject({ leases: 5, unknown: 0 });
    leases[1]!.release();
    expect(host.lease(decided, never).engine).toBe(host.engines[1]);
    for (const port of ports.values()) port.close();
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
    for (let index = 0; index < 7; index++) {
      port.postMessage({ ...turn(bad.id, index, 160), pcm: new Float32Array(160).fill(NaN) });
      port.postMessage(turn(good.id, index, 160));
      await vi.waitFor(() => expect(decisions).toHaveLength(index + 1));
    }
    await vi.waitFor(() =>
      expect(failed).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'engine/failed' })),
    );
    expect(host.free).toBe(1);
    expect(await host.stats()).toMatchObject({ muted: 6, leases: 1 });
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

  describe('when a model is swapped in', () => {
    async function bundle(version: string, spoil: Record<string, unknown> = {}): Promise<string> {
      const files = { 'step.onnx': tinyGraph() };
      const folder = await writeBundle(bend(tinyManifest(files), { version, ...spoil }), files);
      folders.push(folder);
      return folder;
    }

    it('gives it to new leases, and leaves those that are open with the one they have', async () => {
      const onThread = vi.fn();
      const host = await start({ bundleDir: await bundle('1'), rows: 3, threads: 2, onThread });
      const [oldPort, before] = [host.connect(), host.engines];
      const decisions: Decision[] = [];
      const old = host.lease((decision) => decisions.push(decision), never);
      oldPort.postMessage({ ...turn(old.id, 0), pcm: new Float32Array(160).fill(0.5) });
      await vi.waitFor(() => expect(decisions).toHaveLength(1));

      expect(await host.swap(await bundle('2'))).toMatchObject({ version: '2' });
      expect([host.info.version, onThread.mock.calls.flat()]).toEqual(['2', host.engines]);
      expect(host.engines.some((id) => before.includes(id))).toBe(false);
      const ports = new Map(host.engines.map((id) => [id, host.connect(id)]));
      const young = host.lease((decision) => decisions.push(decision), never);
      expect([host.free, host.engines.includes(young.engine)]).toEqual([1, true]);
      oldPort.postMessage(turn(old.id, 1, 160));
      await vi.waitFor(() => expect(decisions).toHaveLength(2));
      ports.get(young.engine)!.postMessage(turn(young.id, 0, 160));
      await vi.waitFor(() => expect(decisions).toHaveLength(3));
      // The old one still knows what it heard; the young one starts from nothing.
      expect(decisions.map(({ lease, confidence }) => [lease, confidence > 0.6])).toEqual([
        [old.id, true],
        [old.id, true],
        [young.id, false],
      ]);
      expect(await host.stats()).toMatchObject({ leases: 2, steps: 3, unknown: 0 });

      const ended = new Promise((resolve) => oldPort.once('close', resolve));
      old.release();
      await ended;
      expect(await host.stats()).toMatchObject({ leases: 1 });
      for (const port of ports.values()) port.close();
    });

    it('fault 25, refuses one that is corrupt, by the name of the file, and goes on with the old', async () => {
      const host = await start({ bundleDir: await bundle('1') });
      const port = host.connect();
      const decided = vi.fn();
      const lease = host.lease(decided, never);
      const bad = await bundle('2', { 'files/step.onnx/sha256': '0'.repeat(64) });
      await expect(host.swap(bad)).rejects.toEqual(
        expect.objectContaining({ code: 'bundle/hash', message: expect.stringContaining('step.onnx') }),
      );
      await expect(host.swap(join(bad, 'nowhere'))).rejects.toMatchObject({ code: 'bundle/missing' });
      expect(host.info.version).toBe('1');
      port.postMessage(turn(lease.id, 0, 160));
      await vi.waitFor(() => expect(decided).toHaveBeenCalledOnce());
      host.lease(decided, never);
      expect(await host.swap(await bundle('3'))).toMatchObject({ version: '3' });
      port.close();
    });

    it('is closed while it loads, leaves no thread behind', async () => {
      const host = await start({ bundleDir: await bundle('1') });
      const swapping = host.swap(await bundle('2'));
      await host.close();
      await expect(swapping).rejects.toMatchObject({ code: 'engine/failed' });
    });
  });

  describe('when the thread', () => {
    /** A thread that says it is ready, and then does as written on each lease. */
    async function threadThat(onOpen: string, more = ''): Promise<URL> {
      const folder = await mkdtemp(join(tmpdir(), 'microturn-thread-'));
      folders.push(folder);
      const path = join(folder, 'thread.mjs');
      const info = { name: 'stub', version: '1', microTurnMs: 200, inputHz: 16_000, capabilities: [] };
      await writeFile(
        path,
        `import { parentPort } from 'node:worker_threads';
         parentPort.on('message', ({ type, lease }) => { if (type === 'open') { ${onOpen} } });
         ${more}
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

    it('falls behind, lends no more rows than it kept time with, and says how many those are', async () => {
      const clock = new ManualClock(0);
      const decide = `for (let index = 0; index < 10; index++) {
        const lagMs = lease > 4 ? 350 : 40;
        parentPort.postMessage({ type: 'decision', decision: { lease, index, lagMs } });
      }`;
      const host = await start({ threadUrl: await threadThat(decide), rows: 20, clock });
      const decided = vi.fn();
      const leases = Array.from({ length: 4 }, () => host.lease(decided, never));
      await vi.waitFor(() => expect(decided).toHaveBeenCalledTimes(40));
      expect(host.load).toMatchObject({ leases: 4, capacity: 20, lateShare: 0 });
      leases.push(host.lease(decided, never));
      await vi.waitFor(() => expect(decided).toHaveBeenCalledTimes(50));
      expect(() => host.lease(decided, never)).toThrow(
        expect.objectContaining({ code: 'edge/full', message: expect.stringContaining('5 of the 4 ') }),
      );
      expect(host.load).toMatchObject({ leases: 5, capacity: 4, lateShare: 0.2 });
      clock.advance(15_000);
      expect(() => host.lease(decided, never)).toThrow(expect.objectContaining({ code: 'edge/full' }));
      clock.advance(60_000);
      host.lease(decided, never);
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
           if (request.again) parentPort.postMessage({ type: 'lease.reset', lease: request.lease, error: request.again, recovery: {} });
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
      const onThread = vi.fn(() => (port = host.connect()));
      const onFailed = vi.fn();
      const host = await start({ threadUrl: await threadThatRecovers(onFirst), onThread, onFailed });
      let port = host.connect();
      const decisions: Decision[] = [];
      const onReset = vi.fn();
      const lease = host.lease((decision) => decisions.push(decision), never, onReset);
      let index = 0;
      const grid = setInterval(() => port.postMessage(turn(lease.id, index++)), 50);
      await vi.waitFor(() => expect(decisions.length).toBeGreaterThan(2), { timeout: withinMs, interval: 10 });
      clearInterval(grid);
      expect(onReset).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'engine/failed' }), {});
      expect(onThread).toHaveBeenCalledOnce();
      expect(decisions.every((decision) => decision.lease === lease.id && decision.index > 0)).toBe(true);
      expect(decisions.map((decision) => decision.index)).toEqual(decisions.map((_, i) => decisions[0]!.index + i));
      expect([host.closed, host.free, onFailed.mock.calls.length]).toEqual([false, 1, 0]);
      port.close();
    });

    describe('a row whose input ends it', () => {
      let poisonous: Awaited<ReturnType<typeof bundledThread>>;
      beforeAll(async () => {
        poisonous = await bundledThread(new URL('./fixtures/poisonous-thread.ts', import.meta.url));
      });
      afterAll(() => poisonous.remove());

      /** Rows that send on and on, each a sound of its own, and what becomes of them. */
      async function talking(sounds: readonly number[], laneSize: number, provider: ProviderChoice = 'cpu') {
        let ports: MessagePort;
        const onFailed = vi.fn();
        const host = await start({
          threadUrl: poisonous.url,
          rows: sounds.length,
          laneSize,
          provider,
          onThread: () => (ports = host.connect()),
          onFailed,
        });
        ports = host.connect();
        const rows = sounds.map((sound) => {
          const row = {
            sound,
            /** Heard once. */
            once: undefined as number | undefined,
            decisions: [] as Decision[],
            failed: vi.fn(),
            reset: vi.fn(),
            id: 0,
          };
          row.id = host.lease((decision) => row.decisions.push(decision), row.failed, row.reset).id;
          return row;
        });
        let index = 0;
        const grid = setInterval(() => {
          for (const row of rows) {
            const pcm = new Float32Array(160).fill(row.once ?? row.sound);
            row.once = undefined;
            ports.postMessage({ ...turn(row.id, index, 160), pcm });
          }
          index++;
        }, 20);
        return { host, rows, onFailed, stop: () => (clearInterval(grid), ports.close()) };
      }

      it.each([1, 4])('fault 5, twice: it is put aside, in lanes of %i, and the others go on', async (laneSize) => {
        const { host, rows, onFailed, stop } = await talking([1, 666, 2], laneSize);
        const [first, poison, last] = rows as [(typeof rows)[0], (typeof rows)[0], (typeof rows)[0]];
        await vi.waitFor(() => expect(poison.failed).toHaveBeenCalledOnce(), { timeout: 20_000 });
        expect(poison.failed).toHaveBeenCalledWith(expect.objectContaining({ code: 'engine/failed' }));
        const before = [first, last].map(({ decisions }) => decisions.length);
        await vi.waitFor(
          () => expect([first, last].every(({ decisions }, i) => decisions.length > before[i]! + 20)).toBe(true),
          { timeout: 20_000 },
        );
        stop();
        expect([first.failed, last.failed, onFailed].map(({ mock }) => mock.calls.length)).toEqual([0, 0, 0]);
        expect([host.closed, host.free]).toEqual([false, 1]);
      });

      it('fault 5, once: every row goes on from its last snapshot, and says how old that is', async () => {
        const { rows, stop } = await talking([1, 0], 1);
        const [calm, once] = rows as [(typeof rows)[0], (typeof rows)[0]];
        // The first snapshot is of the first micro-turn, the second a second later.
        await vi.waitFor(() => expect(calm.decisions.length).toBeGreaterThan(60), { timeout: 20_000 });
        once.once = 666;
        await vi.waitFor(() => expect(calm.reset).toHaveBeenCalled(), { timeout: 20_000, interval: 1 });
        const [error, { snapshotAgeMs: ageMs }] = calm.reset.mock.calls[0]!;
        expect(error).toMatchObject({ code: 'engine/failed' });
        expect(ageMs).toBeGreaterThan(0);
        expect(ageMs).toBeLessThan(10_000);
        await vi.waitFor(() => expect(calm.decisions.at(-1)!.index).toBeGreaterThan(100), { timeout: 20_000 });
        stop();
        expect([calm.failed, once.failed].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
      });

      it('fault 5, once, on a device: every row hears again what it heard, and says how much that was', async () => {
        const { rows, stop } = await talking([1, 0], 1, 'webgpu');
        const [calm, once] = rows as [(typeof rows)[0], (typeof rows)[0]];
        await vi.waitFor(() => expect(calm.decisions.length).toBeGreaterThan(60), { timeout: 20_000 });
        once.once = 666;
        await vi.waitFor(() => expect(calm.reset).toHaveBeenCalled(), { timeout: 20_000, interval: 1 });
        const [error, { snapshotAgeMs, replayedMs }] = calm.reset.mock.calls[0]!;
        expect([error.code, snapshotAgeMs]).toEqual(['engine/failed', undefined]);
        expect(replayedMs).toBeGreaterThan(60 * 20);
        expect(replayedMs).toBeLessThanOrEqual(20_000);
        await vi.waitFor(() => expect(calm.decisions.at(-1)!.index).toBeGreaterThan(100), { timeout: 20_000 });
        stop();
        expect([calm.failed, once.failed].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
      });
    });

    it('is being started again, it gets no new lease while another thread is there', async () => {
      const host = await start({
        threadUrl: await threadThatEchoes(),
        rows: 6,
        threads: 2,
        onThread: () => undefined,
      });
      const [first, second] = host.engines;
      const died = vi.fn();
      const leases = [died, undefined, undefined, undefined].map((onReset) => host.lease(() => {}, never, onReset));
      leases[2]!.release(); // the first has one, the second two
      const next = () => {
        using lease = host.lease(() => {}, never);
        return lease.engine;
      };
      expect(next()).toBe(first);
      host.connect(first).postMessage(turn(leases[0]!.id, -1));
      await vi.waitFor(() => expect(next()).toBe(second), { timeout: 5000, interval: 1 });
      await vi.waitFor(() => expect(died).toHaveBeenCalledOnce(), { timeout: 5000 });
      expect(next()).toBe(first);
    });

    /** One that echoes micro-turns as decisions, and dies of an index below 0. */
    async function threadThatEchoes(): Promise<URL> {
      return threadThat(
        '',
        `
         parentPort.on('message', ({ type }) => type === 'ping' && parentPort.postMessage({ type: 'pong', taken: 0 }));
         parentPort.on('message', ({ type }) => type === 'shutdown' && process.exit(0));
         parentPort.on('message', ({ lease, again }) =>
           again && parentPort.postMessage({ type: 'lease.reset', lease, error: again, recovery: {} }));
         parentPort.on('message', ({ port }) => port?.on('message', ({ lease, index }) => {
           if (index < 0) throw new Error('boom');
           parentPort.postMessage({ type: 'decision', decision: { lease, index } });
         }));`,
      );
    }

    it('is one of several, the rows of the others notice nothing, also where its model was swapped out', async () => {
      const ports = new Map<number, MessagePort>();
      const host = await start({
        threadUrl: await threadThatEchoes(),
        rows: 4,
        threads: 2,
        onThread: (id) => ports.set(id, host.connect(id)),
      });
      for (const [id, port] of host.connectAll()) ports.set(id, port);
      const decided = vi.fn();
      const resets = [vi.fn(), vi.fn()];
      const leases = resets.map((onReset) => host.lease(({ lease, index }) => decided(lease, index), never, onReset));
      const [mortal, other] = leases as [EngineLease, EngineLease];
      for (let life = 1; life <= 2; life++) {
        ports.get(mortal.engine)!.postMessage(turn(mortal.id, -1));
        await vi.waitFor(() => expect(resets[0]).toHaveBeenCalledTimes(life), { timeout: 3000 });
        for (const { id, engine } of leases) ports.get(engine)!.postMessage(turn(id, life));
        await vi.waitFor(() => expect(decided.mock.calls).toContainEqual([mortal.id, life]));
        await vi.waitFor(() => expect(decided.mock.calls).toContainEqual([other.id, life]));
        if (life === 1) await host.swap(nano);
      }
      expect(resets[1]).not.toHaveBeenCalled();
      expect([...host.connectAll().keys()]).toEqual([2, 3, 0, 1]);
      expect([host.free, host.engines]).toEqual([2, [2, 3]]);
    });

    it('dies again and again, gives up and tells everybody', async () => {
      const onFailed = vi.fn();
      const onThread = vi.fn();
      const host = await start({ threadUrl: await threadThat(`throw new Error('boom')`), onThread, onFailed });
      const failed = vi.fn();
      host.lease(() => {}, failed);
      await vi.waitFor(() => expect(onFailed).toHaveBeenCalledOnce(), { timeout: 5000 });
      expect(onThread).toHaveBeenCalledTimes(3);
      expect(failed).toHaveBeenCalledOnce();
      expect(host.closed).toBe(true);
    });

    it('has nothing to do, is left alone', async () => {
      const onThread = vi.fn();
      const host = await start({ onThread });
      host.lease(() => {}, never);
      await new Promise((resolve) => setTimeout(resolve, 2600));
      expect(onThread).not.toHaveBeenCalled();
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
