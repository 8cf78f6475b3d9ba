import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const binary = process.platform === 'win32' ? 'mediasoup-worker.exe' : 'mediasoup-worker';

export interface FindWorkerOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly home?: string;
  readonly platform?: string;
  readonly arch?: string;
  /** Folder of the npm package. */
  readonly mediasoup?: string;
}

/**
 * The worker that the repository's own scripts have provided, where mediasoup came without one: the newest of this version
 * and for this kind of machine. The folder and its name are those of scripts/lib/worker-cache.mjs.
 */
export function findWorker({
  env = process.env,
  home = homedir(),
  platform = process.platform,
  arch = process.arch,
  mediasoup = mediasoupFolder(),
}: FindWorkerOptions = {}): string | undefined {
  const buildType = env['MEDIASOUP_BUILDTYPE'] === 'Debug' ? 'Debug' : 'Release';
  if (existsSync(join(mediasoup, 'worker', 'out', buildType, binary))) return undefined;
  const { version } = JSON.parse(readFileSync(join(mediasoup, 'package.json'), 'utf8')) as { version: string };
  const cache = join(env['XDG_CACHE_HOME'] || join(home, '.cache'), 'microturn', 'mediasoup-worker');
  const prefix = `${version}-${platform}-${arch}-`;
  const workers = foldersIn(cache)
    // After it comes the hash of a recipe; a folder that is being filled, or given up, has a dot.
    .filter((name) => name.startsWith(prefix) && !name.slice(prefix.length).includes('.'))
    .map((name) => join(cache, name, binary))
    .filter((path) => existsSync(path))
    .map((path) => ({ path, atMs: statSync(path).mtimeMs }));
  return workers.sort((a, b) => b.atMs - a.atMs)[0]?.path;
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** It is not loaded here: it belongs to the media thread. */
function mediasoupFolder(): string {
  const main = createRequire(import.meta.url).resolve('mediasoup');
  return join(dirname(main), '..', '..');
}
