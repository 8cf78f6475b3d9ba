import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { MessagePort } from 'node:worker_threads';
import { MicroturnError } from '@microturn/protocol';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import type { EngineLease } from './engine-host.js';
import { bundledThread } from './fixtures/bundled-thread.js';
import { engineHosts, nano, turn } from './fixtures/engine-hosts.js';
import { silentLog } from '../telemetry/log.js';
import type { Decision, ProviderChoice } from './types.js';

const { start, folders } = engineHosts();
const never = (error: Error) => expect.unreachable(error.message);

describe('EngineHost, when the thread', () => {
  const info = { name: 'stub', version: '1', microTurnMs: 200, inputHz: 16_000, capabilities: [] };

  /** In a folder of its own, which is gone after the tests. */
  async function threadPath(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'microturn-thread-'));
    folders.push(folder);
    return join(folder, 'thread.mjs');
  }

  /** A thread that says it is ready, and then does as written on each lease. */
  async function threadThat(onOpen: string, more = ''): Promise<URL> {
    const path = await threadPath();
    await writeFile(
      path,
      `import { parentPort } from 'node:worker_threads';
       parentPort.on('message', ({ type, lease }) => {
         if (type === 'open') { ${onOpen} }
         if (type === 'shutdown') process.exit(0);
       });
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
    // One who takes the place of another adds nothing to what there is to do, but needs a row.
    leases[0]!.release();
    host.leaseAgain(decided, never);
    expect(host.load.leases).toBe(5);
    clock.advance(60_000);
    host.lease(decided, never);
  });

  it('fault 36: a storm of leases, of which none has stepped yet, gets as many rows as fit by the steps of the others', async () => {
    const clock = new ManualClock(0);
    const decide = `if (lease <= 2) for (let index = 0; index < 10; index++) {
      parentPort.postMessage({ type: 'decision', decision: { lease, index, lagMs: 4, stepMs: 7, stepRows: 1 } });
    }`;
    const host = await start({ threadUrl: await threadThat(decide), rows: 50, clock });
    const decided = vi.fn();
    for (let lease = 0; lease < 2; lease++) host.lease(decided, never);
    await vi.waitFor(() => expect(decided).toHaveBeenCalledTimes(20));
    const storm = Array.from({ length: 19 }, () => host.lease(decided, never)); // 20 of 7 ms are 140 of 200, and one more
    expect(() => host.lease(decided, never)).toThrow(
      expect.objectContaining({ code: 'edge/full', message: expect.stringContaining('21 of the 21 ') }),
    );
    storm[0]!.release();
    host.lease(decided, never);
    expect(() => host.assertRoom()).toThrow(expect.objectContaining({ code: 'edge/full' }));
  });

  it('took long for the steps of one who has left, lets two in before either has stepped', async () => {
    const clock = new ManualClock(0);
    const decide = `if (lease === 1) parentPort.postMessage({
      type: 'decision', decision: { lease, index: 0, lagMs: 101, stepMs: 100, stepRows: 1 },
    });`;
    const host = await start({ threadUrl: await threadThat(decide), rows: 4, clock });
    const decided = vi.fn();
    const lease = host.lease(decided, never);
    await vi.waitFor(() => expect(decided).toHaveBeenCalledOnce());
    lease.release();
    host.lease(decided, never);
    host.lease(decided, never);
    expect(() => host.lease(decided, never)).toThrow(
      expect.objectContaining({ code: 'edge/full', message: expect.stringContaining('2 of the 2 ') }),
    );
  });

  /**
   * A thread that decides on every micro-turn, but for the first it is given in its first life: then it does as
   * written. It knows its life by the file that its first one leaves behind.
   */
  async function threadThatRecovers(onFirst: string): Promise<URL> {
    const path = await threadPath();
    await writeFile(
      path,
      `import { existsSync, writeFileSync } from 'node:fs';
       import { parentPort } from 'node:worker_threads';
       const mark = ${JSON.stringify(join(dirname(path), 'lived'))};
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
    ['fault 5, crashes in a step', `throw new Error('boom')`],
    ['fault 6, hangs in a step', 'for (;;);'],
    ['fault 6, answers and never decides', 'return'],
  ])('%s, another takes its place, with the same leases and indices', async (_, onFirst) => {
    const onThread = vi.fn(() => (port = host.connect()));
    const onFailed = vi.fn();
    const host = await start({ threadUrl: await threadThatRecovers(onFirst), onThread, onFailed });
    let port = host.connect();
    const decisions: Decision[] = [];
    const onReset = vi.fn();
    const lease = host.lease((decision) => decisions.push(decision), never, onReset);
    let index = 0;
    const grid = setInterval(() => port.postMessage(turn(lease.id, index++)), 50);
    await vi.waitFor(() => expect(decisions.length).toBeGreaterThan(2), { interval: 10 });
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
      await vi.waitFor(() => expect(poison.failed).toHaveBeenCalledOnce());
      expect(poison.failed).toHaveBeenCalledWith(expect.objectContaining({ code: 'engine/failed' }));
      const before = [first, last].map(({ decisions }) => decisions.length);
      await vi.waitFor(() =>
        expect([first, last].every(({ decisions }, i) => decisions.length > before[i]! + 20)).toBe(true),
      );
      stop();
      expect([first.failed, last.failed, onFailed].map(({ mock }) => mock.calls.length)).toEqual([0, 0, 0]);
      expect([host.closed, host.free]).toEqual([false, 1]);
    });

    it('fault 5, once: every row goes on from its last snapshot, and says how old that is', async () => {
      const { rows, stop } = await talking([1, 0], 1);
      const [calm, once] = rows as [(typeof rows)[0], (typeof rows)[0]];
      // The first snapshot is of the first micro-turn, the second a second later.
      await vi.waitFor(() => expect(calm.decisions.length).toBeGreaterThan(60));
      once.once = 666;
      await vi.waitFor(() => expect(calm.reset).toHaveBeenCalled(), { interval: 1 });
      const [error, { snapshotAgeMs: ageMs }] = calm.reset.mock.calls[0]!;
      expect(error).toMatchObject({ code: 'engine/failed' });
      expect(ageMs).toBeGreaterThan(0);
      expect(ageMs).toBeLessThan(10_000);
      await vi.waitFor(() => expect(calm.decisions.at(-1)!.index).toBeGreaterThan(100));
      stop();
      expect([calm.failed, once.failed].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
    });

    it('fault 5, once, on a device: every row hears again what it heard, and says how much that was', async () => {
      const { rows, stop } = await talking([1, 0], 1, 'webgpu');
      const [calm, once] = rows as [(typeof rows)[0], (typeof rows)[0]];
      await vi.waitFor(() => expect(calm.decisions.length).toBeGreaterThan(60));
      once.once = 666;
      await vi.waitFor(() => expect(calm.reset).toHaveBeenCalled(), { interval: 1 });
      const [error, { snapshotAgeMs, replayedMs }] = calm.reset.mock.calls[0]!;
      expect([error.code, snapshotAgeMs]).toEqual(['engine/failed', undefined]);
      expect(replayedMs).toBeGreaterThan(60 * 20);
      expect(replayedMs).toBeLessThanOrEqual(20_000);
      await vi.waitFor(() => expect(calm.decisions.at(-1)!.index).toBeGreaterThan(100));
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
    await vi.waitFor(() => expect(next()).toBe(second), { interval: 1 });
    await vi.waitFor(() => expect(died).toHaveBeenCalledOnce());
    expect(next()).toBe(first);
  });

  /** One that echoes micro-turns as decisions, and dies of an index below 0. */
  async function threadThatEchoes(): Promise<URL> {
    return threadThat(
      '',
      `
       parentPort.on('message', ({ type }) => type === 'ping' && parentPort.postMessage({ type: 'pong', taken: 0 }));
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
      await vi.waitFor(() => expect(resets[0]).toHaveBeenCalledTimes(life));
      for (const { id, engine } of leases) ports.get(engine)!.postMessage(turn(id, life));
      await vi.waitFor(() => expect(decided.mock.calls).toContainEqual([mortal.id, life]));
      await vi.waitFor(() => expect(decided.mock.calls).toContainEqual([other.id, life]));
      if (life === 1) await host.swap(nano);
    }
    expect(resets[1]).not.toHaveBeenCalled();
    expect([...host.connectAll().keys()]).toEqual([2, 3, 0, 1]);
    expect([host.free, host.engines]).toEqual([2, [2, 3]]);
  });

  it('sets a row back, the log has what the runtime said, and the client has not', async () => {
    const error = new MicroturnError('engine/failed', '3 steps were bad').toWire();
    const report = { type: 'lease.reset', error, reason: 'MatMul: wrong shape', recovery: {} };
    const warn = vi.fn();
    const threadUrl = await threadThat(`parentPort.postMessage({ ...${JSON.stringify(report)}, lease });`);
    const host = await start({ threadUrl, log: { ...silentLog, warn } });
    const onReset = vi.fn();
    const { id } = host.lease(() => {}, never, onReset);
    await vi.waitFor(() => expect(onReset).toHaveBeenCalledExactlyOnceWith(expect.objectContaining(error), {}));
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      { lease: id, error: error.message, reason: report.reason },
      'a row was set back',
    );
  });

  it('dies again and again, gives up and tells everybody', async () => {
    const onFailed = vi.fn();
    const onThread = vi.fn();
    const host = await start({ threadUrl: await threadThat(`throw new Error('boom')`), onThread, onFailed });
    const failed = vi.fn();
    host.lease(() => {}, failed);
    await vi.waitFor(() => expect(onFailed).toHaveBeenCalledOnce());
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
    const path = await threadPath();
    for (const source of [`throw new Error('boom')`, 'process.exit(1)', '']) {
      await writeFile(path, source);
      await expect(start({ threadUrl: pathToFileURL(path) })).rejects.toMatchObject({ code: 'engine/failed' });
    }
  });
});
