import { execFile } from 'node:child_process';
import { accessSync, constants, cpSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';

const folder = fileURLToPath(new URL('../..', import.meta.url));
const { bin, files } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
  bin: { microturn: string };
  files: string[];
};

describe('the microturn command', () => {
  it('is a file that no build makes, since npm links what is there when it installs', () => {
    const path = join(folder, bin.microturn);
    expect(bin.microturn).not.toContain('dist');
    expect(files).toContain(bin.microturn.split('/')[1]);
    accessSync(path, constants.X_OK);
    expect(readFileSync(path, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(realpathSync(join(folder, '../../node_modules/.bin/microturn'))).toBe(realpathSync(path));
  });

  it('says what to do where nothing is built yet', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'microturn-command-'));
    onTestFinished(() => rmSync(elsewhere, { recursive: true }));
    cpSync(join(folder, 'bin'), join(elsewhere, 'bin'), { recursive: true });
    cpSync(join(folder, 'package.json'), join(elsewhere, 'package.json'));
    const run = promisify(execFile)(process.execPath, [join(elsewhere, bin.microturn), 'doctor']);
    await expect(run).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('npm start') as string });
  });
});
