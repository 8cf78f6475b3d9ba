import { build } from 'esbuild';
import { gzipSync } from 'node:zlib';
import { root } from '../test/support/root.js';
import type { Benchmark } from './lib/benchmark.js';
import { round } from './lib/stats.js';

const BUDGET_KB = 65;

/**
 * What: what a page downloads for everything that @microturn/sdk exports, mediasoup-client and rxjs included.
 * How: bundled for browsers and minified by esbuild, gzip level 9; 1 kB is 1000 bytes. It is the same on every machine.
 * Against: mediasoup-client alone, bundled in the same way: what a page would pay to speak with mediasoup by hand.
 */
export const sdkSize: Benchmark = {
  name: 'sdk-size',
  about: '@microturn/sdk with all it needs, minified and compressed',
  async run() {
    const [sdk, client, rxjs] = await Promise.all([size('@microturn/sdk'), size('mediasoup-client'), size('rxjs')]);
    return [
      {
        name: 'sdk-size min+gzip',
        value: sdk.gzipKb,
        unit: 'kB',
        baseline: { name: 'mediasoup-client alone', value: client.gzipKb },
        budget: BUDGET_KB,
        conditions: {
          n: 1,
          minifiedKb: sdk.minifiedKb,
          allOfRxjsKb: rxjs.gzipKb,
          why: 'one observation: a build has no spread',
        },
      },
    ];
  },
};

async function size(name: string): Promise<{ minifiedKb: number; gzipKb: number }> {
  const { outputFiles } = await build({
    // From the SDK's folder, so that the versions are those that it uses.
    stdin: { contents: `import * as all from '${name}'; globalThis.all = all;`, resolveDir: `${root}/packages/sdk-js` },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'error',
  });
  const { contents } = outputFiles[0]!;
  return {
    minifiedKb: round(contents.length / 1000, 1),
    gzipKb: round(gzipSync(contents, { level: 9 }).length / 1000, 1),
  };
}
