import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { SetupError } from './setup-error.mjs';

export const WORKER_BINARY = process.platform === 'win32' ? 'mediasoup-worker.exe' : 'mediasoup-worker';

/** Long, because a machine that is busy building needs seconds to start a program; the answer takes milliseconds. */
const START_TIMEOUT_MS = 20_000;

/** @returns {string} the folder that holds the worker of one mediasoup, machine type and recipe */
export function workerCacheDir({
  version,
  recipeHash,
  env = process.env,
  platform = process.platform,
  arch = process.arch,
}) {
  const base = env.XDG_CACHE_HOME || join(os.homedir(), '.cache');
  return join(base, 'microturn', 'mediasoup-worker', `${version}-${platform}-${arch}-${recipeHash}`);
}

/**
 * Started without MEDIASOUP_VERSION a worker leaves with code 41 before it does anything: proof that its libraries are
 * here and that it is for this machine. mediasoup's own installer asks the same.
 * @param {string} path
 */
export async function workerRuns(path) {
  if (!existsSync(path)) return false;
  return new Promise((resolve) => {
    const child = spawn(path, [], { env: {}, stdio: 'ignore', timeout: START_TIMEOUT_MS });
    child.on('error', () => resolve(false));
    child.on('close', (code) => resolve(code === 41));
  });
}

/**
 * Makes a worker beside the cache and moves it there in one step, so that two runs at once, or one that is stopped
 * halfway, leave a whole worker or none.
 * @param {string} cacheDir
 * @param {string} origin kept beside the worker, for whoever wonders
 * @param {(dir: string, log: string) => Promise<void>} make puts the worker into `dir`
 */
export async function cacheWorker(cacheDir, origin, make) {
  await mkdir(dirname(cacheDir), { recursive: true });
  const dir = await mkdtemp(`${cacheDir}.tmp-`);
  try {
    await make(dir, join(dir, 'build.log'));
    if (!(await workerRuns(join(dir, WORKER_BINARY)))) throw new SetupError('the worker does not run on this machine');
    await writeFile(join(dir, 'origin.txt'), `${origin}, ${new Date().toISOString()}\n`);
    await replaceDir(dir, cacheDir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** A folder cannot be renamed onto one with content: what is there moves aside first, unless a faster run's worker is it. */
async function replaceDir(dir, target) {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      return await rename(dir, target);
    } catch (error) {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    }
    if (await workerRuns(join(target, WORKER_BINARY))) return;
    const aside = await mkdtemp(`${target}.old-`);
    await rename(target, aside).catch(() => {});
    await rm(aside, { recursive: true, force: true });
  }
  throw new Error(`could not replace ${target}`);
}
