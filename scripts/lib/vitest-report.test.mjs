import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countVitest, failuresVitest, unfinishedVitest } from './count.mjs';
import { root } from './root.mjs';

const files = {
  aborts: `it('one', () => {}); it('two', () => process.abort()); it('three', () => {});`,
  'never-begins': 'process.abort();',
  'throws-late': `it('throws', async () => { setTimeout(() => { throw new Error('late') }); await new Promise((done) => setTimeout(done, 50)); });`,
  passes: `it('one', () => {}); it.skip('two', () => {});`,
};

let folder, json;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'microturn-vitest-report-'));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [name, tests] of Object.entries(files)) {
    await writeFile(join(folder, `${name}.test.mjs`), `import { it } from 'vitest'; ${tests}`);
  }
  const reporter = join(root, 'scripts/lib/vitest-report.mjs');
  const args = ['run', '--root', folder, `--reporter=${reporter}`, '--outputFile.json=results.json'];
  await promisify(execFile)(join(root, 'node_modules/.bin/vitest'), args, {
    cwd: folder,
    env: { PATH: process.env.PATH },
  }).catch(({ code }) => expect(code).toBe(1));
  json = JSON.parse(await readFile(join(folder, 'results.json'), 'utf8'));
});
afterAll(() => rm(folder, { recursive: true }));

test('what became of files whose process died is not known: they run again, and are not counted', () => {
  const { files: again, why } = unfinishedVitest(json);
  expect(again.map((file) => file.split('/').at(-1)).toSorted()).toEqual(['aborts.test.mjs', 'never-begins.test.mjs']);
  expect(why).toHaveLength(2);
  expect(why[0]).toContain('Worker exited unexpectedly');
  expect(countVitest(json)).toEqual({ passed: 2, failed: 0, skipped: 1 });
});

test('an error that no test caught is told with the test that it came in', () => {
  expect(failuresVitest(json)).toEqual([expect.stringMatching(/throws-late\.test\.mjs › throws › late$/)]);
});
