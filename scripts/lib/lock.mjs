import { mkdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from './root.mjs';
import { Interrupted } from './run.mjs';
import { stopSignal } from './signals.mjs';

const LOCK = join(root, '.microturn/setup.lock');
const REFRESH_MS = 2_000;
/** A lock that nobody refreshes was left by a set-up that was killed. */
const STALE_MS = 15_000;
const POLL_MS = 250;

/**
 * Lets one set-up at a time work on this checkout: two `npm ci` at once leave a broken node_modules.
 * @template T
 * @param {import('./report.mjs').Report} report
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withSetupLock(report, work) {
  await mkdir(dirname(LOCK), { recursive: true });
  if (!(await tryLock())) await report.during('waiting for another set-up of this checkout to end', waitForLock);
  const refresh = setInterval(() => void utimes(LOCK, new Date(), new Date()).catch(() => {}), REFRESH_MS);
  try {
    return await work();
  } finally {
    clearInterval(refresh);
    await rm(LOCK, { force: true });
  }
}

async function waitForLock() {
  while (!(await tryLock())) {
    if (stopSignal()) throw new Interrupted();
    const { mtimeMs } = await stat(LOCK).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > STALE_MS) await rm(LOCK, { force: true });
    else await sleep(POLL_MS);
  }
}

/** `wx` is what makes it a lock: of two that create the file, one fails. */
async function tryLock() {
  try {
    await writeFile(LOCK, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}
