import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { aptPackages } from '../mediasoup-worker/recipe.mjs';
import { ensureAptPackages } from './apt.mjs';
import { root } from './root.mjs';
import { Interrupted } from './run.mjs';
import { SetupError } from './setup-error.mjs';
import { stopSignal } from './signals.mjs';
import { WORKER_BINARY, cacheWorker, workerCacheDir, workerRuns } from './worker-cache.mjs';
import { downloadWorker, prebuiltUrl } from './worker-prebuilt.mjs';
import { buildWorker, hashRecipe } from './worker-source.mjs';

/**
 * The four places a worker can come from, best first. Each answers with a path, or `undefined` for "not here".
 * @typedef {object} WorkerSources
 * @property {() => Promise<string | undefined>} fromEnvironment
 * @property {() => Promise<string | undefined>} fromCache
 * @property {() => Promise<string | undefined>} fromPrebuilt
 * @property {() => Promise<string>} fromSource
 */

/**
 * @param {WorkerSources} sources
 * @returns {Promise<string>} absolute path of a worker that runs on this machine
 */
export async function resolveWorker({ fromEnvironment, fromCache, fromPrebuilt, fromSource }) {
  return (await fromEnvironment()) ?? (await fromCache()) ?? (await fromPrebuilt()) ?? (await fromSource());
}

/**
 * Provides mediasoup-worker, which mediasoup's own install script would download or build.
 * @param {import('./report.mjs').Report} report
 * @returns {Promise<string>} absolute path of a worker that runs on this machine
 */
export async function ensureWorker(report) {
  const packageDir = await mediasoupDir();
  const manifest = JSON.parse(await readFile(join(packageDir, 'package.json'), 'utf8'));
  const cacheDir = workerCacheDir({ version: manifest.version, recipeHash: await hashRecipe() });
  const cached = join(cacheDir, WORKER_BINARY);

  return resolveWorker({
    async fromEnvironment() {
      const path = process.env.MEDIASOUP_WORKER_BIN;
      if (!path) return undefined;
      if (await workerRuns(path)) return path;
      report.line(`• MEDIASOUP_WORKER_BIN is set to ${path}, which does not run here; looking further`);
      return undefined;
    },
    async fromCache() {
      return (await workerRuns(cached)) ? cached : undefined;
    },
    async fromPrebuilt() {
      const url = prebuiltUrl(manifest);
      return report.during(`downloading mediasoup-worker ${manifest.version}`, async () => {
        try {
          await cacheWorker(cacheDir, 'prebuilt', (dir) => downloadWorker(url, dir));
          return cached;
        } catch (error) {
          if (stopSignal()) throw new Interrupted();
          report.line(`  not to be had (${error.message})`);
          return undefined;
        }
      });
    },
    async fromSource() {
      await ensureAptPackages(aptPackages, {
        purpose: 'building mediasoup-worker',
        report,
        elsewhere:
          'allow the download of the prebuilt worker, or point MEDIASOUP_WORKER_BIN at a mediasoup-worker ' +
          `${manifest.version} (see scripts/mediasoup-worker/README.md)`,
      });
      await report.during(
        `building mediasoup-worker ${manifest.version} from source, once: 3 to 9 minutes`,
        (progress) =>
          cacheWorker(cacheDir, 'built from source', (dir, log) => buildWorker(packageDir, dir, log, progress)),
      );
      return cached;
    },
  });
}

/** npm hoists it to the root unless two versions are wanted. */
async function mediasoupDir() {
  const found = ['packages/edge/node_modules/mediasoup', 'node_modules/mediasoup']
    .map((path) => join(root, path))
    .find((path) => existsSync(join(path, 'package.json')));
  if (!found) throw new SetupError('the npm package mediasoup is not installed', 'npm ci');
  return found;
}
