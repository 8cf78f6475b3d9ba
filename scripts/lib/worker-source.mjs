import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { dirname, join, relative } from 'node:path';
import { edits, mesonSetup, ninjaTargets } from '../mediasoup-worker/recipe.mjs';
import { root } from './root.mjs';
import { CommandError, run } from './run.mjs';
import { SetupError } from './setup-error.mjs';
import { WORKER_BINARY } from './worker-cache.mjs';

const OVERRIDES = join(root, 'scripts/mediasoup-worker/overrides');

/** The hash changes with all that decides what a build makes, and with nothing else: a comment must cost no rebuild. */
export async function hashRecipe() {
  const hash = createHash('sha256');
  const steps = edits.map(({ file, find, replace }) => [file, find, replace]);
  hash.update(JSON.stringify([steps, mesonSetup, ninjaTargets]));
  const entries = await readdir(OVERRIDES, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  for (const file of files.sort()) {
    hash.update(`\0${relative(OVERRIDES, file)}\0`).update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 12);
}

/**
 * Builds a worker by the recipe in `scripts/mediasoup-worker/`.
 * @param {string} packageDir of the npm package mediasoup
 * @param {string} dir where the worker goes
 * @param {string} log file for the output of the build
 * @param {(detail?: string) => void} progress
 */
export async function buildWorker(packageDir, dir, log, progress) {
  const source = await mkdtemp(join(os.tmpdir(), 'mediasoup-worker-'));
  const step = (command, args) => run(command, args, { cwd: source, log, onLine: (line) => progress(stepsOf(line)) });
  try {
    await cp(join(packageDir, 'worker'), source, { recursive: true });
    await useSystemLibraries(source);
    for (const edit of edits) await applyEdit(source, edit);
    await step('meson', ['setup', 'build', ...mesonSetup]);
    for (const target of ninjaTargets)
      await step('ninja', ['-C', 'build', '-j', String(os.availableParallelism()), target]);
    const built = join(source, 'build', WORKER_BINARY);
    await step('strip', [built]);
    await cp(built, join(dir, WORKER_BINARY));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const kept = join(dirname(dir), 'failed-build.log');
    await cp(log, kept).catch(() => {});
    throw new SetupError(
      `mediasoup-worker did not build: ${error.message}\n${error.lastWords}`,
      `the whole log is in ${kept}; a worker built elsewhere can be given in MEDIASOUP_WORKER_BIN`,
      { cause: error },
    );
  } finally {
    await rm(source, { recursive: true, force: true });
  }
}

/** Of ninja's output, warnings included, how far it is. */
function stepsOf(line) {
  const [, done, all] = /^\[(\d+)\/(\d+)\]/.exec(line) ?? [];
  return all ? `${done} of ${all} steps` : undefined;
}

/** meson takes a folder in `subprojects/` that has the name in the `.wrap` file, instead of downloading it. */
async function useSystemLibraries(source) {
  const subprojects = join(source, 'subprojects');
  const wraps = (await readdir(subprojects)).filter((name) => name.endsWith('.wrap'));
  const wanted = await Promise.all(
    wraps.map(async (name) =>
      /^directory\s*=\s*(.+)$/m.exec(await readFile(join(subprojects, name), 'utf8'))?.[1]?.trim(),
    ),
  );
  const stale = (await readdir(OVERRIDES)).filter((name) => !wanted.includes(name));
  if (stale.length > 0) {
    throw new SetupError(
      `this mediasoup wants other libraries than the recipe provides: ${stale.join(', ')}`,
      'rename the folders in scripts/mediasoup-worker/overrides after the `directory` of its .wrap files',
    );
  }
  await cp(OVERRIDES, subprojects, { recursive: true });
}

async function applyEdit(source, { file, find, replace }) {
  const path = join(source, file);
  const text = await readFile(path, 'utf8');
  if (text.split(find).length !== 2) {
    throw new SetupError(
      `the recipe expects \`${find}\` once in worker/${file}`,
      'adapt scripts/mediasoup-worker/recipe.mjs',
    );
  }
  await writeFile(
    path,
    text.replace(find, () => replace),
  );
}
