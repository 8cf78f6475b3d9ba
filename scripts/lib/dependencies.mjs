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
const DEPENDENCY_FIELDS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];

/**
 * Installs what package-lock.json says, unless it is there already.
 * @param {import('./report.mjs').Report} report
 */
export async function ensureDependencies(report) {
  const lockText = await readText('package-lock.json');
  const manifests = await readManifests();
  const stamp = stampOf({ lockText, manifests });
  if ((await readText(STAMP))?.trim() === stamp) return;

  const installed = isInstalled({
    lock: parse(lockText),
    hiddenLock: parse(await readText(HIDDEN_LOCK)),
    manifests,
  });
  if (!installed) await install(report, lockText !== undefined);

  await mkdir(join(root, 'node_modules'), { recursive: true });
  // `npm install` may have written a lock: the stamp is of what there is now.
  const now = stampOf({ lockText: await readText('package-lock.json'), manifests });
  await writeFile(join(root, STAMP), `${now}\n`);
}

/** `npm ci` refuses a lock that no longer fits the manifests; `npm install` mends it, which is what a developer wants then. */
async function install(report, hasLock) {
  if (hasLock) {
    const outcome = await npm('ci', report).catch((error) => error);
    if (!(outcome instanceof Error)) return;
    if (!(outcome instanceof CommandError)) throw outcome;
    if (!outcome.tail.some((line) => line.includes('in sync'))) throw explain(outcome, 'npm ci');
    report.line('  package-lock.json does not fit the package.json files');
  }
  await npm('install', report).catch((error) => {
    throw error instanceof CommandError ? explain(error, 'npm install') : error;
  });
}

function npm(verb, report) {
  return report.during(`npm ${verb}: installing dependencies`, (progress) =>
    run('npm', [verb, '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=http'], {
      cwd: root,
      onLine: (line) => progress(/^npm http fetch GET \d+ \S*\/(\S+)/.exec(line)?.[1] ?? line),
    }),
  );
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
    // An optional package that is absent is for another kind of machine.
    if (!present) return path === '' || wanted.optional === true;
    // A command that moved inside a workspace has a link of its own, which only npm makes.
    const linked = sameRecord(present.bin, wanted.bin);
    return linked && present.version === wanted.version && present.integrity === wanted.integrity;
  });
}

function sameRecord(one = {}, other = {}) {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key]);
}

/** @returns {Promise<Map<string, object>>} the root's and every workspace's package.json */
async function readManifests() {
  const rootManifest = parse(await readText('package.json'));
  const manifests = new Map([['', rootManifest]]);
  for (const folder of await workspaceFolders(rootManifest.workspaces)) {
    const manifest = parse(await readText(`${folder}/package.json`));
    if (manifest) manifests.set(folder, manifest);
  }
  return manifests;
}

/** Knows the two patterns in use: a folder, and all folders of a folder. */
async function workspaceFolders(patterns) {
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

async function readText(path) {
  return readFile(join(root, path), 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
