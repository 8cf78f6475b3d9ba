import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundledThread } from '../engine/fixtures/bundled-thread.js';

let program: Awaited<ReturnType<typeof bundledThread>>;
beforeAll(async () => {
  program = await bundledThread(new URL('./fixtures/logging-program.ts', import.meta.url));
});
afterAll(() => program.remove());

/** Runs it to its end. One that never ends is killed, and has no exit code. */
async function run(stderr: number | 'pipe') {
  const args = [fileURLToPath(program.url)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', stderr], timeout: 30_000 });
  // Its reader is gone before the first line.
  child.stderr?.destroy();
  let stdout = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { stdout, exitCode };
}

const ended = { stdout: 'alive\n', exitCode: 0 };

it('fault 33: a log whose reader is gone costs its lines, and nothing else', async () => {
  expect(await run('pipe')).toEqual(ended);
});

it.skipIf(process.platform !== 'linux')('fault 33: so does one on a disk that is full', async () => {
  const full = openSync('/dev/full', 'w');
  try {
    expect(await run(full)).toEqual(ended);
  } finally {
    closeSync(full);
  }
});

it('a log in a file has every line, in order, to the last', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'microturn-log-'));
  const file = openSync(join(folder, 'log'), 'a');
  try {
    expect(await run(file)).toEqual(ended);
    const lines = readFileSync(join(folder, 'log'), 'utf8').trim().split('\n');
    const read = lines.map((line) => JSON.parse(line) as { i?: number; j?: number; msg: string });
    expect(read).toHaveLength(2001);
    expect(read.slice(0, -1).every(({ i, j }, at) => i === Math.floor(at / 100) && j === at % 100)).toBe(true);
    expect(read.at(-1)!.msg).toBe('the last line');
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
});
