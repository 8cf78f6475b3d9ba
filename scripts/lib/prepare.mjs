import { ensureBuild } from './build.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { withSetupLock } from './lock.mjs';
import { ensureWorker } from './worker.mjs';

/**
 * What every command needs before it can start: dependencies, the media worker, the built packages.
 * @param {import('./report.mjs').Report} report
 * @param {{ needsWorker?: boolean }} [options]
 * @returns {Promise<NodeJS.ProcessEnv>} the environment for what is started next
 */
export function prepare(report, { needsWorker = true } = {}) {
  return withSetupLock(report, async () => {
    await ensureDependencies(report);
    const worker = needsWorker ? { MEDIASOUP_WORKER_BIN: await ensureWorker(report) } : {};
    await ensureBuild(report);
    return { ...process.env, ...worker };
  });
}
