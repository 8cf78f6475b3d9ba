import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.js';

/**
 * The folder of the built demo page.
 * @throws {Error} where it is not built
 */
export function demoFolder(): string {
  const folder = join(root, 'examples/demo/dist');
  if (!existsSync(folder)) throw new Error('expected the demo to be built: run `npm run build` first');
  return folder;
}
