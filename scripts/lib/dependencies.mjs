import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './root.mjs';
import { CommandError, run } from './run.mjs';
import { SetupError } from './setup-error.mjs';

const STAMP = 'node_modules/.microturn-stamp';
/** npm's own record of what it put into node_modules. */
const HIDDEN_LOCK = 'node_modules/.package-lock.json';
/** npm says first what is wrong, and then all its options. */
const COMPLAINT_LINES = 15;
/** An environment of production, or an npm that is set so, would leave out what builds the packages. */
const INCLUDED = ['--include=dev', '--include=optional'];
/** Nothing is built without these programs, and npm goes on without them where it cannot have them. */
const NEEDED_PROGRAM = /(^|\/)node_modules\/@(turbo|esbuild)\//;
const DEPENDENCY_FIELDS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];

/**
 * Installs what package-lock.json says, unless it is there already.
 * @param {import('./report.mjs').Report} report
 * @param {object} [options]
 * @param {string} [options.folder] of the repository
 * @param {typeof run} [options.runNpm]
 */
export async function ensureDependencies(report, { folder = root, runNpm = run } = {}) {
  const before = await readState(folder);
  if ((await readText(folder, STAMP))?.trim() === stampOf(before)) return;

  if (!isInstalled(before)) {
    const npm = (verb) =>
      report.during(`npm ${verb}: installing dependencies`, (progress) =>
        runNpm('npm', [verb, ...INCLUDED, '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=http'], {
          cwd: folder,
          onLine: (line) => progress(/^npm http fetch GET \d+ \S*\/(\S+)/.exec(line)?.[1] ?? line),
        }),
      );
    await install(npm, report, before.lockText !== undefined);
  }

  // `npm install` may have written a lock: the stamp is of what there is now. And npm ends well without what it could not
  // have; it is asked again the next time.
  const now = await readState(folder);
  if (!isInstalled(now)) return;
  await mkdir(join(folder, 'node_modules'), { recursive: true });
  await writeFile(join(folder, STAMP), `${stampOf(now)}\n`);
}

async function readState(folder) {
  const lockText = await readText(folder, 'package-lock.json');
  const hiddenLock = parse(await readText(folder, HIDDEN_LOCK));
  return { lockText, lock: parse(lockText), hiddenLock, manifests: await readManifests(folder) };
}

/** `npm ci` refuses a lock that no longer fits the manifests; `npm install` mends it, which is what a developer wants then. */
async function install(npm, report, hasLock) {
  if (hasLock) {
    const outcome = await npm('ci').catch((error) => error);
    if (!(outcome instanceof Error)) return;
    if (!(outcome instanceof CommandError)) throw outcome;
    if (!outcome.tail.some((line) => line.includes('in sync'))) throw explain(outcome, 'npm ci');
    report.line('  package-lock.json does not fit the package.json files');
  }
  await npm('install').catch((error) => {
    throw error instanceof CommandError ? explain(error, 'npm install') : error;
  });
}

function explain(error, fix) {
  const complaints = error.tail.filter((line) => line.startsWith('npm error')).slice(0, COMPLAINT_LINES);
  return new SetupError(`the dependencies could not be installed\n${complaints.join('\n')}`, fix, { cause: error });
}

/**
 * Names a state of the manifests and the lock, on one kind of machine: packages bring binaries for it.
 * @param {object} state
 * @param {string | undefined} state.lockText
 * @param {Map<string, object>} state.manifests by workspace folder, '' is the root
 */
export function stampOf({ lockText, manifests }) {
  const hash = createHash('sha256');
  hash.update(`${process.platform}-${process.arch}\0${lockText ?? ''}`);
  for (const [folder, manifest] of manifests) hash.update(`\0${folder}\0${JSON.stringify(manifest)}`);
  return hash.digest('hex');
}

/**
 * Whether npm already installed all of this, e.g. because the developer called it. Spares a whole `npm ci`.
 * @param {object} state
 * @param {{ packages: Record<string, any> } | undefined} state.lock
 * @param {{ packages: Record<string, any> } | undefined} state.hiddenLock
 * @param {Map<string, object>} state.manifests
 */
export function isInstalled({ lock, hiddenLock, manifests }) {
  if (!lock || !hiddenLock) return false;
  const lockKnowsManifests = [...manifests].every(([folder, manifest]) =>
    DEPENDENCY_FIELDS.every((field) => sameRecord(manifest[field], lock.packages[folder]?.[field])),
  );
  if (!lockKnowsManifests) return false;
  return Object.entries(lock.packages).every(([path, wanted]) => {
    const present = hiddenLock.packages[path];
    // An optional package that is absent is for another kind of machine, as a rule. Their fields do not say it of each: some
    // are for another libc, and name none.
    if (!present) return path === '' || (wanted.optional === true && !isNeededProgram(path, wanted));
    // A command that moved inside a workspace has a link of its own, which only npm makes.
    const linked = sameRecord(present.bin, wanted.bin);
    return linked && present.version === wanted.version && present.integrity === wanted.integrity;
  });
}

function isNeededProgram(path, { os = [], cpu = [] }) {
  return NEEDED_PROGRAM.test(path) && os.includes(process.platform) && cpu.includes(process.arch);
}

function sameRecord(one = {}, other = {}) {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key]);
}

/** @returns {Promise<Map<string, object>>} the root's and every workspace's package.json */
async function readManifests(root) {
  const rootManifest = parse(await readText(root, 'package.json'));
  const manifests = new Map([['', rootManifest]]);
  for (const folder of await workspaceFolders(root, rootManifest.workspaces)) {
    const manifest = parse(await readText(root, `${folder}/package.json`));
    if (manifest) manifests.set(folder, manifest);
  }
  return manifests;
}

/** Knows the two patterns in use: a folder, and all folders of a folder. */
async function workspaceFolders(root, patterns = []) {
  const folders = await Promise.all(
    patterns.map(async (pattern) => {
      if (!pattern.endsWith('/*')) return [pattern];
      const parent = pattern.slice(0, -2);
      const entries = await readdir(join(root, parent), { withFileTypes: true }).catch(() => []);
      return entries.filter((entry) => entry.isDirectory()).map((entry) => `${parent}/${entry.name}`);
    }),
  );
  return folders.flat().sort();
}

const parse = (text) => (text === undefined ? undefined : JSON.parse(text));

async function readText(folder, path) {
  return readFile(join(folder, path), 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
