import { createWriteStream } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { run } from './run.mjs';
import { onStopSignal } from './signals.mjs';
import { WORKER_BINARY } from './worker-cache.mjs';

const CONNECT_TIMEOUT_MS = 8_000;
const DOWNLOAD_TIMEOUT_MS = 60_000;

/**
 * @param {{ version: string, repository: { url: string } }} manifest of mediasoup
 * @returns {string} the address that the package's own install script would ask
 */
export function prebuiltUrl({ version, repository }) {
  const base =
    process.env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL ||
    `${repository.url.replace(/^git\+/, '').replace(/\.git$/, '')}/releases/download`;
  const kernel = process.platform === 'linux' ? `-kernel${os.release().split('.')[0]}` : '';
  return `${base}/${version}/mediasoup-worker-${version}-${process.platform}-${process.arch}${kernel}.tgz`;
}

/**
 * Puts the prebuilt worker into a folder. A closed network often swallows packets, so connecting gets its own, shorter time.
 * @param {string} url
 * @param {string} dir
 */
export async function downloadWorker(url, dir) {
  const giveUp = new AbortController();
  const timer = setTimeout(
    () => giveUp.abort(new Error(`no answer in ${CONNECT_TIMEOUT_MS / 1000} s`)),
    CONNECT_TIMEOUT_MS,
  );
  const stopListening = onStopSignal(() => giveUp.abort());
  const signal = AbortSignal.any([giveUp.signal, AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS)]);
  try {
    const response = await fetch(url, { signal });
    clearTimeout(timer);
    if (!response.ok || !response.body) throw new Error(`the server answered ${response.status}`);
    const archive = join(dir, 'worker.tgz');
    await pipeline(Readable.fromWeb(response.body), createWriteStream(archive), { signal });
    await run('tar', ['-xzf', archive, '-C', dir]);
    await rm(archive);
    await chmod(join(dir, WORKER_BINARY), 0o755);
  } catch (error) {
    // fetch says no more than "fetch failed"; the reason is underneath.
    throw new Error(error.cause?.code ?? error.cause?.message ?? error.message, { cause: error });
  } finally {
    clearTimeout(timer);
    stopListening();
  }
}
