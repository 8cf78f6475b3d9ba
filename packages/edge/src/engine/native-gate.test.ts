import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { bundledThread } from './fixtures/bundled-thread.js';
import { engineHosts, turn } from './fixtures/engine-hosts.js';
import { SPELL, writeSpellboundBundle } from './fixtures/spellbound-bundle.js';
import { NativeGate } from './native-gate.js';
import { threadsInside } from './start-thread.js';
import type { Decision } from './types.js';

describe('NativeGate', () => {
  it('says that a thread is inside while a call is made, whatever becomes of it', async () => {
    const gate = new NativeGate();
    const seen: boolean[] = [];
    const look = async () => void seen.push(new NativeGate(gate.buffer).inside);
    await gate.pass(look);
    await expect(gate.pass(() => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
    expect([...seen, gate.inside]).toEqual([true, false]);
    expect(gate.end()).toBe(true);
  });

  it('ends the thread that comes out, or goes in, and was to end', async () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => {
      throw new Error('exit');
    });
    const gate = new NativeGate();
    await expect(gate.pass(async () => expect(gate.end()).toBe(false))).rejects.toThrow('exit');
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
  const decisions: Decision[] = [];
  const onReset = vi.fn();
  const calm = host.lease(
    (decision) => decisions.push(decision),
    ({ message }) => expect.unreachable(message),
    onReset,
  );
  const spellbound = host.lease(() => {}, vi.fn());
  let index = 0;
  const grid = setInterval(() => port.postMessage(turn(calm.id, index++, 160)), 20);
  await vi.waitFor(() => expect(decisions.length).toBeGreaterThan(2));
  port.postMessage({ ...turn(spellbound.id, 0, 160), pcm: new Float32Array(160).fill(SPELL) });
  await vi.waitFor(() => expect(onReset).toHaveBeenCalledOnce(), { timeout: 20_000, interval: 10 });
  const last = index;
  await vi.waitFor(() => expect(decisions.at(-1)!.index).toBeGreaterThan(last), { timeout: 20_000, interval: 10 });
  clearInterval(grid);
  await vi.waitFor(() => expect(threadsInside()).toBe(0), { timeout: 60_000, interval: 50 });
  expect(onFailed).not.toHaveBeenCalled();
  port.close();
}, 90_000);

describe('exitProcess', () => {
  const built: Awaited<ReturnType<typeof bundledThread>>[] = [];
  beforeAll(async () => {
    for (const entry of ['./engine-thread.ts', './fixtures/exits-inside.ts'])
      built.push(await bundledThread(new URL(entry, import.meta.url)));
  });
  afterAll(() => Promise.all(built.map(({ remove }) => remove())));

  it('ends a process with a thread inside ONNX Runtime in order, or kills it where that does not come out', async () => {
    const [thread, main] = built as [(typeof built)[0], (typeof built)[0]];
    const ended = await new Promise<{ code: unknown; signal: unknown; stderr: string }>((resolve) =>
      execFile(process.execPath, [fileURLToPath(main.url), thread.url.href], (error, _, stderr) =>
        resolve({ code: error?.code, signal: error?.signal, stderr }),
      ),
    );
    expect([7, 'SIGKILL']).toContain(ended.signal ?? ended.code);
    expect(ended.stderr).toBe('');
  });
});
