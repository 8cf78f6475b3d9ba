import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/root.js';
import { TemporaryFolder } from '../support/temporary-folder.js';
import { silence } from './signals.js';
import { encodeWav, toInt16 } from './wav.js';

const NOBODY = 'http://127.0.0.1:9';

/** Runs the call tool as `npm run call` does. */
function call(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, 'test/call/main.mjs'), ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}

async function withWav<T>(use: (file: string, folder: TemporaryFolder) => Promise<T>): Promise<T> {
  await using folder = await TemporaryFolder.create();
  const file = folder.file('hello.wav');
  await writeFile(file, encodeWav([toInt16(silence(200, 16_000))], 16_000));
  return await use(file, folder);
}

describe('the call tool', () => {
  it('explains its times, its segments and its figures', async () => {
    const { exitCode, stdout } = await call(['--help']);
    expect(exitCode).toBe(0);
    for (const part of [
      '--record',
      'frames of 10 ms',
      'noise floor',
      'hangover',
      'responseGapMs',
      'heardErrorMs',
      'Exit codes',
    ])
      expect(stdout).toContain(part);
  });

  it.each([
    [['--json'], '--wav is missing'],
    [['--wav', 'x.wav', '--dance'], '--dance'],
    [['--wav', 'HELLO', '--say', 'hi'], '--say-at'],
    [['--wav', 'HELLO', '--tail', 'long'], '--tail'],
    [['--wav', 'HELLO', '--url', 'no address'], '--url'],
  ])('refuses wrong arguments, naming them: %j', async (args, named) => {
    await withWav(async (file) => {
      const { exitCode, stderr } = await call(args.map((arg) => (arg === 'HELLO' ? file : arg)));
      expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining('call/usage') as string });
      expect(stderr).toContain(named);
      expect(stderr).toContain('fix: ');
    });
  });

  it('refuses a file that is no WAV, naming it and what is wrong', async () => {
    await withWav(async (_, folder) => {
      const file = folder.file('song.wav');
      await writeFile(file, 'la la la');
      for (const [path, what] of [
        [file, 'does not begin as a WAV file does'],
        [folder.file('none.wav'), 'ENOENT'],
      ] as const) {
        const { exitCode, stderr } = await call(['--wav', path]);
        expect(exitCode).toBe(2);
        expect(stderr).toContain('call/bad-wav');
        expect(stderr).toContain(path);
        expect(stderr).toContain(what);
      }
    });
  });

  it('says so where there is no edge, also as JSON', async () => {
    await withWav(async (file) => {
      const { exitCode, stdout, stderr } = await call(['--wav', file, '--url', NOBODY, '--json']);
      expect(exitCode).toBe(1);
      expect(stderr).toContain('net/unreachable');
      expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toMatchObject({ type: 'failed', code: 'net/unreachable' });
    });
  });

  it('says so where there is no Chromium, and how to have one', async () => {
    await withWav(async (file) => {
      const { exitCode, stderr } = await call(['--wav', file, '--url', NOBODY, '--token', 'any'], {
        MICROTURN_CHROMIUM: '/no/such/chromium',
      });
      expect(exitCode).toBe(3);
      expect(stderr).toContain('call/no-chromium');
      expect(stderr).toContain('/no/such/chromium');
      expect(stderr).toMatch(/fix: .*MICROTURN_CHROMIUM/);
    });
  });

  it('says so where that is another program', async () => {
    await withWav(async (file) => {
      const { exitCode, stderr } = await call(['--wav', file, '--url', NOBODY, '--token', 'any'], {
        MICROTURN_CHROMIUM: process.execPath,
      });
      expect(exitCode).toBe(3);
      expect(stderr).toContain('call/browser');
    });
  });
});
