import { createHash } from 'node:crypto';
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { root } from './root.mjs';
import { CommandError, run } from './run.mjs';
import { SetupError } from './setup-error.mjs';
import { turbo, turboEnv } from './turbo.mjs';

/** Inside node_modules, so that a new installation also asks turbo again. */
const STAMP = 'node_modules/.microturn-build-stamp';
const WORKSPACES = ['packages', 'examples'];
const SHARED = ['package-lock.json', 'tsconfig.base.json', 'turbo.json'];
const NOT_SOURCES = new Set(['node_modules', 'dist', '.turbo', 'coverage']);

/**
 * Builds every workspace. turbo knows what is up to date, but it rewrites `dist` from its cache even then: not when an
 * edge that is running may be about to load a file from there. So it is asked only after something changed.
 * @param {import('./report.mjs').Report} report
 */
export async function ensureBuild(report) {
  const sources = await fingerprint(isSource);
  if ((await readFile(join(root, STAMP), 'utf8').catch(() => '')) === (await stamp(sources))) return;
  try {
    // Of a build that goes well turbo tells only how it is set up itself, which is no progress.
    await report.during('building the packages', () =>
      run(turbo, ['run', 'build', '--output-logs=errors-only', '--log-order=grouped', '--no-color'], {
        cwd: root,
        env: { ...process.env, ...turboEnv },
      }),
    );
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw explain(error);
  }
  // Sources are those from before the build: what was edited meanwhile counts as a change.
  await writeFile(join(root, STAMP), await stamp(sources));
}

/**
 * What a reader is told of a build that failed.
 * @param {CommandError} error
 */
export function explain(error) {
  const words = wordsOfFailed(error);
  // What said nothing was not started: that is no fault of the code.
  const fix =
    words === '' ? '`npm ci --include=dev --include=optional`' : 'correct the code; `npm run build` prints everything';
  return new SetupError(`the build failed\n${[error.message, words].join('\n').trimEnd()}`, fix, { cause: error });
}

/** turbo stops the other builds when one fails, and prints theirs as well. */
function wordsOfFailed({ tail, lastWords }) {
  const names = [...tail.join('\n').matchAll(/^Failed: +(.+)$/gm)].flatMap(([, list]) => list.split(/[, ]+/));
  const prefixes = names.map((name) => `${name.replace('#', ':')}: `);
  const lines = tail.filter((line) => prefixes.some((prefix) => line.startsWith(prefix)));
  return lines.filter((line) => !line.includes(': npm ')).join('\n') || lastWords;
}

const stamp = async (sources) => `${sources} ${await fingerprint(isOutput)}`;

/**
 * Names the files of the workspaces by path, size and time of change; reading them would take longer than turbo does.
 * @param {(parts: string[]) => boolean} wanted
 */
async function fingerprint(wanted) {
  const hash = createHash('sha256');
  for (const file of SHARED) await addFile(hash, join(root, file));
  for (const workspace of WORKSPACES) await addFolder(hash, join(root, workspace), wanted);
  return hash.digest('hex');
}

async function addFolder(hash, folder, wanted) {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    const parts = relative(root, path).split(/[\\/]/);
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules') await addFolder(hash, path, wanted);
    } else if (wanted(parts)) {
      await addFile(hash, path);
    }
  }
}

async function addFile(hash, path) {
  const { size, mtimeMs } = await stat(path).catch(() => ({ size: 0, mtimeMs: 0 }));
  hash.update(`${relative(root, path)}\0${size}\0${mtimeMs}\0`);
}

const isSource = (parts) => !parts.some((part) => NOT_SOURCES.has(part));
const isOutput = (parts) => parts.includes('dist');
