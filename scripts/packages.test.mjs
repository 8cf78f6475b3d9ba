import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { published } from './lib/stages.mjs';
import { root } from './lib/root.mjs';

it.each(published)('$folder takes the licence along', async ({ folder }) => {
  // npm packs the LICENSE of a package's own folder, and follows no link.
  expect(await readFile(join(root, folder, 'LICENSE'), 'utf8')).toBe(await readFile(join(root, 'LICENSE'), 'utf8'));
});
