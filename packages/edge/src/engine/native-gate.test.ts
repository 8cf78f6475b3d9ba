import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { bundledThread } from './fixtures/bundled-thread.js';
import { engineHosts, turn } from './fixtures/engine-hosts.js';
import { writeSpellboundBundle } from './fixtures/spellbound-bundle.js';
import { NativeGate } from './native-gate.js';
import { engineThreads } from './start-thread.js';
import type { Decision } from './types.js';

/** A step that shows how fast this machine is, and how long the one is to take that hangs. */
const [PROBE_WIDTH, HANG_FOR_MS] = [800, 6000];

describe('NativeGate', () => {
  it('says that a thread is inside while a call is made, whatever becomes of it', async () => {
    const gate = new NativeGate();
    const seen: boolean[] = [];
    const look = async () => void seen.push(new NativeGate(gate.buffer).inside);
    await gate.pass(look);
    await expect(gate.pass(() => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
    expect([...seen, gate.inside]).toEqual([true, false]);
    expect(gate.end()).toBe(true);
    expect(gate.left).toBe(false);
  });

  it('ends the thread that comes out, or goes in, and was to end', async () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => {
      throw new Error('exit');
    });
    const gate = new NativeGate();
    const end = async () => expect([gate.left, gate.end(), gate.left]).toEqual([false, false, true]);
    await expect(gate.pass(end)).rejects.toThrow('exit');
    await expect(gate.pass(async () => expect.unreachable())).rejects.toThrow('exit');
    expect(exit).toHaveBeenCalledTimes(2);
    exit.mockRestore();
  });
});

const { start, folders } = engineHosts();

it('fault 6, hangs inside ONNX Runtime: another takes its place, and it ends itself when it comes out', async () => {
  const bundleDir = await writeSpellboundBundle();
  folders.push(bundleDir);
  const onFailed = vi.fn();
  const host = await start({ bundleDir, onFailed, onThread: () => (port = host.connect()) });
  let port = host.connect();
  const [calm, spellbound]: Decision[][] = [[], []];
  const onReset = vi.fn();
  const never = ({ message }: Error) => expect.unreachable(message);
  const calmly = host.lease((decision) => calm!.push(decision), never, onReset);
  const bound = host.lease((decision) => spellbound!.push(decision), vi.fn());
  const spell = (index: number, width: number) =>
    port.postMessage({ ...turn(bound.id, index, 160), pcm: new Float32Array(160).fill(width) });
  spell(0, PROBE_WIDTH);
  await vi.waitFor(() => expect(spellbound).toHaveLength(1), { interval: 10 });
  const width = Math.round(PROBE_WIDTH * Math.cbrt(HANG_FOR_MS / spellbound![0]!.stepMs));

  let index = 0;
  const grid = setInterval(() => port.postMessage(turn(calmly.id, index++, 160)), 20);
  await vi.waitFor(() => expect(calm!.length).toBeGreaterThan(2));
  spell(1, width);
  await vi.waitFor(() => expect(onReset).toHaveBeenCalledOnce(), { interval: 10 });
  const last = index;
  await vi.waitFor(() => expect(calm!.at(-1)!.index).toBeGreaterThan(last), { interval: 10 });
  clearInterval(grid);
  expect(engineThreads()).toEqual({ all: 2, inside: 1, left: 1 });
  await vi.waitFor(() => expect(engineThreads()).toEqual({ all: 1, inside: 0, left: 0 }), {
    timeout: 60_000,
    interval: 50,
  });
  expect(onFailed).not.toHaveBeenCalled();
  port.close();
}, 120_000);

it('fault 5, beside threads that are in the middle of a step: another takes its place, and none is given up', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'microturn-thread-'));
  folders.push(folder);
  const info = { name: 'stub', version: '1', microTurnMs: 200, inputHz: 16_000, capabilities: [] };
  // It is inside from its first lease on, or dies of a message.
  await writeFile(
    join(folder, 'thread.mjs'),
    `import { parentPort, workerData } from 'node:worker_threads';
     const gate = new Int32Array(workerData.gate);
     parentPort.on('message', ({ type, lease, again }) => {
       if (type === 'ping') parentPort.postMessage({ type: 'pong', taken: 0 });
       if (type === 'open' && !again) Atomics.or(gate, 0, 1);
       if (again) parentPort.postMessage({ type: 'lease.reset', lease, error: again, recovery: {} });
       if (type === 'perceive') { Atomics.and(gate, 0, ~1); throw new Error('boom'); }
       if (type === 'shutdown') process.exit(0);
     });
     parentPort.postMessage({ type: 'ready', info: ${JSON.stringify(info)} });`,
  );
  const threadUrl = pathToFileURL(join(folder, 'thread.mjs'));
  const host = await start({ threadUrl, rows: 4, threads: 4, onThread: () => undefined });
  const engines = host.engines;
  const rows = engines.map(() => {
    const [onFailed, onReset] = [vi.fn(), vi.fn()];
    return { lease: host.lease(() => {}, onFailed, onReset), onFailed, onReset };
  });
  await vi.waitFor(() => expect(engineThreads()).toEqual({ all: 4, inside: 4, left: 0 }), { interval: 10 });
  const mortal = rows[3]!;
  mortal.lease.perceive({ type: 'typed', text: 'die' });
  await vi.waitFor(() => expect(mortal.onReset.mock.calls.length + mortal.onFailed.mock.calls.length).toBe(1));
  expect(mortal.onReset).toHaveBeenCalledOnce();
  expect([host.engines, host.free]).toEqual([engines, 0]);
}, 20_000);

describe('exitProcess, with a thread inside ONNX Runtime', () => {
  const built: Awaited<ReturnType<typeof bundledThread>>[] = [];
  beforeAll(async () => {
    for (const entry of ['./engine-thread.ts', './fixtures/exits-inside.ts'])
      built.push(await bundledThread(new URL(entry, import.meta.url)));
  });
  afterAll(() => Promise.all(built.map(({ remove }) => remove())));

  it.each([
    ['that comes out, ends the process as it was told to', 400, { code: 7, signal: null }],
    ['that does not, kills it', 5000, { code: null, signal: 'SIGKILL' }],
  ])('%s', async (_, sound, how) => {
    const [thread, main] = built as [(typeof built)[0], (typeof built)[0]];
    const ended = await new Promise<object>((resolve) => {
      const child = execFile(
        process.execPath,
        [fileURLToPath(main.url), thread.url.href, String(sound)],
        (_, out, err) => resolve({ code: child.exitCode, signal: child.signalCode, printed: out + err }),
      );
    });
    expect(ended).toEqual({ ...how, printed: '' });
  });
});
