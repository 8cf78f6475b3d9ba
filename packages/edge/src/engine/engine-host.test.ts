import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import { bend } from './fixtures/bend.js';
import { engineHosts, nano, turn } from './fixtures/engine-hosts.js';
import { tinyGraph, tinyManifest, writeBundle } from './fixtures/tiny-bundle.js';
import { rememberedFromJson, rememberedToJson } from './remembered.js';
import type { Decision } from './types.js';

const { start, folders } = engineHosts();
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
    expect(await host.stats()).toMatchObject({ leases: 2, steps: 10, unknown: 0, malformed: 0 });
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

  it('has a row go on from what one of another process remembered, where the model has that shape', async () => {
    const bundleDir = await writeBundle(tinyManifest({ 'step.onnx': tinyGraph() }), { 'step.onnx': tinyGraph() });
    folders.push(bundleDir);
    const hosts = [await start({ bundleDir }), await start({ bundleDir })] as const;
    const row = (host: (typeof hosts)[number]) => {
      const port = host.connect();
      const decisions: Decision[] = [];
      const lease = host.lease((decision) => decisions.push(decision), never);
      const hears = async (index: number, sample: number) => {
        port.postMessage({ ...turn(lease.id, index, 160), pcm: new Float32Array(160).fill(sample) });
        return vi.waitFor(() => decisions.find((decision) => decision.index === index)!.floor);
      };
      return { lease, hears, close: () => port.close() };
    };
    // The tiny bundle adds up what it hears, and the floor is its sign.
    const before = row(hosts[0]);
    expect(before.lease.remembered()).toBeUndefined();
    expect(await before.hears(7, 0.5)).toBe('speaking');
    const remembered = rememberedFromJson(rememberedToJson(before.lease.remembered()!));
    expect(remembered).toMatchObject({ index: 7, floor: 'speaking' });
    expect([...remembered.state]).toEqual([expect.closeTo(0.5)]);

    const [after, fresh] = [row(hosts[1]), row(hosts[1])];
    expect(after.lease.goOn(remembered)).toBe(true);
    expect([await after.hears(9, -0.25), await fresh.hears(9, -0.25)]).toEqual(['speaking', 'silent']);
    expect(await after.hears(10, -0.5)).toBe('silent');

    const ofNano = (await start()).lease(() => {}, never);
    expect(ofNano.goOn(remembered)).toBe(false);
    before.lease.release();
    expect([before.lease.remembered(), before.lease.goOn(remembered)]).toEqual([undefined, false]);
    for (const { close } of [before, after, fresh]) close();
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

    it('ends the threads of the old one also where the model gives up their last row', async () => {
      const host = await start({ bundleDir: await bundle('1') });
      const port = host.connect();
      const decided = vi.fn();
      const failed = vi.fn();
      const lease = host.lease(decided, failed);
      await host.swap(await bundle('2'));
      const ended = new Promise((resolve) => port.once('close', resolve));
      for (let index = 0; failed.mock.calls.length === 0; index++) {
        port.postMessage({ ...turn(lease.id, index, 160), pcm: new Float32Array(160).fill(NaN) });
        await vi.waitFor(() => expect(decided.mock.calls.length + failed.mock.calls.length).toBeGreaterThan(index));
      }
      await ended;
      lease.release();
      expect(host.free).toBe(2);
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
