import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { spareDescriptors } from './descriptors.js';

const proc = mkdtempSync(join(tmpdir(), 'microturn-proc-'));
afterEach(() => rmSync(proc, { recursive: true, force: true }));

function say(limit: string, open: number): void {
  mkdirSync(join(proc, 'fd'), { recursive: true });
  for (let i = 0; i < open; i++) writeFileSync(join(proc, 'fd', String(i)), '');
  writeFileSync(
    join(proc, 'limits'),
    `Limit   Soft Limit  Hard Limit  Units\nMax open files   ${limit}   1048576   files\n`,
  );
}

it('what can be opened is the limit, less what is open and a reserve', () => {
  say('1024', 40);
  expect(spareDescriptors(proc)).toBe(1024 - 40 - 48);
});

it('never is nothing, and is unlimited where the system says so or nothing', () => {
  say('64', 40);
  expect(spareDescriptors(proc)).toBe(4);
  say('unlimited', 1);
  expect(spareDescriptors(proc)).toBe(Infinity);
  expect(spareDescriptors('/no/such/folder')).toBe(Infinity);
});
