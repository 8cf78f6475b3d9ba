// Runs a TypeScript program of this folder: bundled by esbuild into a cache file, then imported.
import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/**
 * @param {string} entry absolute path of the TypeScript file
 * @returns {Promise<any>} its exports
 */
export async function importTypeScript(entry) {
  const folder = join(root, 'node_modules/.cache/microturn-test');
  await mkdir(folder, { recursive: true });
  // One file per process: two that start at the same time do not read what the other has half written.
  const outfile = join(folder, `${basename(entry, '.ts')}-${process.pid}.mjs`);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    await rm(outfile, { force: true });
  }
}
