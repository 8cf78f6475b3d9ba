import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/root.js';

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

/** As `npm run eval` starts it, once everything is built. No test sets are found. */
function evaluate(...args: string[]): Promise<Ended> {
  const options = { cwd: folder, env: { ...process.env, MICROTURN_NANO_HOME: folder }, timeout: 110_000 };
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'test/eval/main.mjs'), ...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? (error.code ?? error.signal) : 0, stdout, stderr }),
    );
  });
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'microturn-eval-'));
  await writeFile(join(folder, 'read.txt'), 'What was read.');
});
afterAll(() => rm(folder, { recursive: true }));

describe('npm run eval', () => {
  it.each([
    ['an option that it does not have', ['--nope'], '--nope'],
    ['what is no option', ['espeak'], 'espeak'],
    ['an option without its value', ['--wav'], '--wav'],
    ['a value for an option without one', ['--quick=yes'], '--quick'],
    ['a text without a recording', ['--text', 'read.txt'], '--text needs --wav'],
    ['a part that there is not', ['--part', 'echo', '--part', 'nobody'], 'no part nobody, but espeak, slt'],
    ['options that exclude each other', ['--alone', '--compare', 'other'], '--alone and --compare'],
  ])(
    'refuses %s',
    async (_, args, named) => {
      const { code, stdout, stderr } = await evaluate(...args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^eval: .+\n$/);
      expect(stderr).toContain(named);
    },
    120_000,
  );

  it.each([
    ['a recording that is not there', ['--wav', 'nowhere.wav'], 'nowhere.wav'],
    ['a recording that is none', ['--wav', 'read.txt'], 'does not begin as a WAV file does'],
    ['a bundle that is not there', ['--bundle', 'nowhere'], 'nowhere'],
    ['another bundle that is not there', ['--compare', 'nowhere'], 'nowhere'],
    ['test sets that nobody made', ['--json', '--alone'], 'no test set espeak '],
    ['those of a part', ['--json', '--alone', '--part', 'slt'], 'no test set slt '],
    ['a folder without the published benchmark', ['--json', '--fdb', '.'], 'none of'],
  ])(
    'fails for %s, in one line that says so',
    async (_, args, named) => {
      const { code, stdout, stderr } = await evaluate(...args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^eval: .+\n$/);
      expect(stderr).toContain(named);
    },
    120_000,
  );

  it('tells what it can do', async () => {
    const { code, stdout, stderr } = await evaluate('--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const option of [
      '--json',
      '--quick',
      '--bundle',
      '--compare',
      '--alone',
      '--part',
      '--wav',
      '--text',
      '--fdb',
    ]) {
      expect(stdout).toContain(option);
    }
  }, 120_000);
});
