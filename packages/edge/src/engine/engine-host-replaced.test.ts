import { cp, mkdtemp, rename, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EngineHost } from './engine-host.js';
import { bend } from './fixtures/bend.js';
import { bundledThread } from './fixtures/bundled-thread.js';
import { engineHosts, turn } from './fixtures/engine-hosts.js';
import { tinyGraph, tinyManifest, tinyWeights, writeBundle } from './fixtures/tiny-bundle.js';
import type { Decision } from './types.js';

const { start, folders } = engineHosts();

/** Adds up what it hears, or with another sign takes it away: the floor is `speaking` above zero. */
async function bundle(version: string, sign: 1 | -1): Promise<string> {
  const weights = new Uint8Array(new Float32Array(160).fill(sign / 160).buffer);
  expect(weights.length).toBe(tinyWeights.length);
  const files = { 'step.onnx': tinyGraph({ external: 'weights.bin' }), 'weights.bin': weights };
  const folder = await writeBundle(bend(tinyManifest(files), { version }), files);
  folders.push(folder);
  return folder;
}

/** A row that has heard 0.5, and what becomes of it when its thread dies. */
async function row(host: EngineHost) {
  const decisions: Decision[] = [];
  const onReset = vi.fn();
  const never = ({ message }: Error) => expect.unreachable(message);
  const lease = host.lease((decision) => decisions.push(decision), never, onReset);
  const hears = async (index: number, sample: number) => {
    const port = host.connect(lease.engine);
    port.postMessage({ ...turn(lease.id, index, 160), pcm: new Float32Array(160).fill(sample) });
    const floor = await vi.waitFor(() => decisions.find((decision) => decision.index === index)!.floor);
    port.close();
    return floor;
  };
  await hears(0, 0.5);
  /** What it goes on from. */
  const loses = async () => {
    const times = onReset.mock.calls.length + 1;
    lease.perceive({ type: 'typed', text: 'die' });
    await vi.waitFor(() => expect(onReset).toHaveBeenCalledTimes(times));
    return onReset.mock.lastCall![1];
  };
  return { hears, loses };
}

describe('the bundle of a thread that is lost', () => {
  let thread: Awaited<ReturnType<typeof bundledThread>>;
  beforeAll(async () => {
    thread = await bundledThread(new URL('./fixtures/mortal-thread.ts', import.meta.url));
  });
  afterAll(() => thread.remove());

  it('is the one that it had, also where the link to it was moved, with a swap and without', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'microturn-current-'));
    folders.push(folder);
    const current = join(folder, 'current');
    await symlink(await bundle('1', 1), current);
    const host = await start({ bundleDir: current, rows: 2, threadUrl: thread.url, onThread: () => undefined });
    const one = await row(host);
    await symlink(await bundle('2', -1), join(folder, 'next'));
    await rename(join(folder, 'next'), current);
    expect(await one.loses()).toEqual({ snapshotAgeMs: expect.any(Number) });
    expect([host.info.version, await one.hears(1, 0.75)]).toEqual(['1', 'speaking']);

    expect(await host.swap(current)).toMatchObject({ version: '2' });
    expect(await one.loses()).toEqual({ snapshotAgeMs: expect.any(Number) });
    expect(await one.hears(2, 0.75)).toBe('speaking');
    const young = await row(host);
    expect(await young.hears(1, 0.75)).toBe('silent');
  });

  it('was replaced by another in the same folder: its rows begin anew, and are told', async () => {
    const bundleDir = await bundle('1', 1);
    const host = await start({ bundleDir, threadUrl: thread.url, onThread: () => undefined });
    const one = await row(host);
    await cp(await bundle('2', -1), bundleDir, { recursive: true });
    expect(await one.loses()).toEqual({});
    // From 0.5 it would still speak.
    expect([host.info.version, await one.hears(1, 0.25)]).toEqual(['2', 'silent']);
    expect(await one.hears(2, -0.5)).toBe('speaking');
  });
});
