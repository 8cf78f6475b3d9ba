// What a page pays for `import … from '@microturn/sdk'`: everything it exports, bundled, minified, compressed.
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './lib/root.mjs';

const BUDGET_BYTES = 65_000;

const { outputFiles } = await build({
  stdin: { contents: "import * as sdk from '@microturn/sdk'; globalThis.sdk = sdk;", resolveDir: root },
  bundle: true,
  minify: true,
  write: false,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  legalComments: 'none',
});
const [{ contents }] = outputFiles;
const gzipBytes = gzipSync(contents, { level: 9 }).length;
const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
console.log(`@microturn/sdk: ${kB(contents.length)} minified, ${kB(gzipBytes)} gzip, budget ${kB(BUDGET_BYTES)}`);
if (gzipBytes > BUDGET_BYTES) process.exitCode = 1;
