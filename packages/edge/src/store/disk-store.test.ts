import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { bundledThread } from '../engine/fixtures/bundled-thread.js';
import { silentLog, type Log } from '../telemetry/log.js';
import { DiskStore } from './disk-store.js';
import { at, sessionStoreContract, storedSession, wordEvent } from './session-store.contract.js';

let thread: Awaited<ReturnType<typeof bundledThread>>;
let folder: string;
const stores: DiskStore[] = [];

beforeAll(async () => {
  thread = await bundledThread(new URL('./store-thread.ts', import.meta.url));
});
afterAll(() => thread.remove());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'microturn-store-'));
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await rm(folder, { recursive: true, force: true });
});

const file = () => join(folder, 'data', 'sessions.db');
function open(options: Partial<ConstructorParameters<typeof DiskStore>[0]> = {}): DiskStore {
  const store = new DiskStore({ file: file(), log: silentLog, threadUrl: thread.url, ...options });
  stores.push(store);
  return store;
}
const save = (store: DiskStore, id: string) =>
  store.write([{ do: 'save', session: storedSession(id), events: [wordEvent(1)] }]);
const has = async (store: DiskStore, id: string) => (await store.find(`hash of ${id}`, at(0))) !== undefined;

/** On a thread of its own, since libsql lets go of a file only with its thread. */
async function elsewhere(code: string): Promise<void> {
  const worker = new Worker(`const db = new (require('libsql'))(${JSON.stringify(file())}); ${code}`, { eval: true });
  await once(worker, 'exit');
}

sessionStoreContract('libsql', (maxBytes) => Promise.resolve(open(maxBytes === undefined ? {} : { maxBytes })));

describe('sessions on disk', () => {
  it('are there for the next process', async () => {
    const first = open();
    await save(first, 'a');
    await first.close();
    expect(await has(open(), 'a')).toBe(true);
  });

  it('are readable by nobody else, token hashes and all', async () => {
    const store = open();
    await save(store, 'a');
    for (const name of readdirSync(join(folder, 'data'))) {
      expect([name, statSync(join(folder, 'data', name)).mode & 0o777]).toEqual([name, 0o600]);
    }
    expect(statSync(join(folder, 'data')).mode & 0o777).toBe(0o700);
    await store.close();
    chmodSync(file(), 0o644);
    await save(open(), 'b');
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  it('fault 32, the file is broken: it is set aside by name, whole, and another begun', async () => {
    writeFileSync(join(folder, 'sessions.db'), 'this is no database, however long it may be. '.repeat(200));
    const said: object[] = [];
    const log: Log = { ...silentLog, error: (fields) => void said.push(fields) };
    const store = open({ file: join(folder, 'sessions.db'), log });
    await save(store, 'a');
    expect(await has(store, 'a')).toBe(true);
    expect(said).toEqual([{ name: expect.stringContaining('sessions.db.unusable-'), reason: expect.any(String) }]);
    const { name } = said[0] as { name: string };
    expect(readFileSync(name, 'utf8')).toContain('this is no database');
  });

  it('fault 32, the file is broken inside: as if it were none', async () => {
    const first = open();
    for (let i = 0; i < 50; i++) await save(first, `a${i}`);
    await first.close();
    const bytes = readFileSync(file());
    for (let page = 1; page * 4096 < bytes.length; page++) bytes.fill(0xa5, page * 4096, page * 4096 + 64);
    writeFileSync(file(), bytes);
    const store = open();
    await save(store, 'b');
    expect([await has(store, 'a1'), await has(store, 'b')]).toEqual([false, true]);
    expect(readdirSync(join(folder, 'data')).some((name) => name.includes('.unusable-'))).toBe(true);
  });

  it('of a newer version are set aside, not misread', async () => {
    const first = open();
    await save(first, 'a');
    await first.close();
    await elsewhere(`db.pragma('user_version = 99')`);
    const store = open();
    expect(await has(store, 'a')).toBe(false);
    expect(readdirSync(join(folder, 'data')).some((name) => name.includes('.unusable-'))).toBe(true);
  });

  it('are one process’s at a time', async () => {
    const first = open();
    await save(first, 'a');
    await expect(save(open(), 'b')).rejects.toMatchObject({ code: 'edge/store' });
    await save(first, 'c');
    await first.close();
    expect(await has(open(), 'c')).toBe(true);
  });

  it('fault 32, there is no room: a batch is refused whole, and taken once there is', async () => {
    const store = open({ maxBytes: 128 * 1024 });
    await save(store, 'a');
    const much = Array.from({ length: 500 }, (_, i) => wordEvent(i + 2, 'x'.repeat(1000)));
    await expect(store.write([{ do: 'save', session: storedSession('b'), events: much }])).rejects.toMatchObject({
      code: 'edge/store',
      message: expect.stringContaining('SQLITE_FULL'),
    });
    expect([await has(store, 'a'), await has(store, 'b')]).toEqual([true, false]);
    await save(store, 'b');
    expect(await has(store, 'b')).toBe(true);
  });

  it('fault 32, there is no room: nothing is written no better, until there is', async () => {
    const store = open({ maxBytes: 128 * 1024 });
    await store.write([]);
    const much = Array.from({ length: 40 }, (_, i) => wordEvent(i + 1, 'x'.repeat(700)));
    await store.write([{ do: 'save', session: storedSession('a'), events: much }]);
    for (let i = 0; i < 2; i++) {
      await expect(store.write([])).rejects.toMatchObject({ message: expect.stringContaining('SQLITE_FULL') });
    }
    expect(await has(store, 'a')).toBe(true);
    await store.write([{ do: 'remove', sessionId: 'a' }]);
    for (let i = 0; i < 2; i++) await store.write([]);
    await save(store, 'b');
    expect(await has(store, 'b')).toBe(true);
  });

  it('fault 32, the disk does not answer: one request waits for it, and those after that are refused until it does', async () => {
    const path = join(folder, 'thread.mjs');
    writeFileSync(
      path,
      `import { parentPort } from 'node:worker_threads';
       let asked = 0;
       parentPort.on('message', ({ id, method }) => {
         if (++asked === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
         parentPort.postMessage({ id, result: asked });
         if (method === 'close') parentPort.close();
       });`,
    );
    const store = open({ threadUrl: pathToFileURL(path), answerMs: 100 });
    await expect(save(store, 'a')).rejects.toMatchObject({
      code: 'edge/store',
      message: expect.stringContaining('100 ms'),
    });
    for (let i = 0; i < 100; i++) {
      await expect(save(store, 'a')).rejects.toMatchObject({ message: expect.stringContaining('does not answer') });
    }
    expect(await vi.waitFor(() => store.expire(at(0)))).toBe(2);
  });

  it('fault 32, the folder cannot be made: refused, until it can', async () => {
    const blocked = join(folder, 'taken');
    writeFileSync(blocked, 'a file where the folder should be');
    const store = open({ file: join(blocked, 'sessions.db') });
    await expect(save(store, 'a')).rejects.toMatchObject({ code: 'edge/store' });
    await rm(blocked);
    await save(store, 'a');
    expect(await has(store, 'a')).toBe(true);
  });
});
