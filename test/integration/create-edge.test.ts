import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { root } from '../support/root.js';

it('an edge that cannot be created leaves nothing behind that would keep its process', async () => {
  const program = join(root, 'test/fixtures/failed-edge.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  expect(stdout).toBe('bundle/missing\n');
});

it.skipIf(!process.env['MEDIASOUP_WORKER_BIN'])(
  'one in a program of its own is closed when that is asked to end, and the program with it',
  async () => {
    const program = spawn(process.execPath, [join(root, 'test/fixtures/own-edge.mjs')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void program.kill('SIGKILL'));
    const ended = once(program, 'exit');
    // Nothing more where it ends before it is up.
    const { value: url } = await program.stdout.setEncoding('utf8')[Symbol.asyncIterator]().next();
    expect((await fetch(new URL('/readyz', url.trim()))).status).toBe(200);
    program.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  },
);
