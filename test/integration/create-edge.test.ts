import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { root } from '../support/root.js';

it('an edge that cannot be created leaves nothing behind that would keep its process', async () => {
  const program = join(root, 'test/fixtures/failed-edge.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  expect(stdout).toBe('bundle/missing\n');
});
