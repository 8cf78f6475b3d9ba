import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ensureDependencies, isInstalled, stampOf } from './dependencies.mjs';

const manifests = new Map([
  ['', { devDependencies: { tool: '1.0.0' } }],
  ['packages/a', { dependencies: { left: '2.0.0' } }],
]);
const left = { version: '2.0.0', integrity: 'sha512-left' };
const lock = {
  packages: {
    '': { devDependencies: { tool: '1.0.0' } },
    'packages/a': { dependencies: { left: '2.0.0' } },
    'node_modules/left': left,
    'node_modules/tool': { version: '1.0.0', integrity: 'sha512-tool' },
    'node_modules/tool-for-another-system': { version: '1.0.0', optional: true },
  },
};
const { 'node_modules/tool-for-another-system': _absent, '': _root, ...present } = lock.packages;

describe('stampOf', () => {
  const stamp = stampOf({ lockText: '{}', manifests });

  test('is the same for the same state', () => {
    expect(stampOf({ lockText: '{}', manifests: new Map(manifests) })).toBe(stamp);
  });

  test('changes with the lock, with its absence, and with a package.json', () => {
    const edited = new Map(manifests).set('packages/a', { dependencies: { left: '2.0.1' } });
    const others = [
      stampOf({ lockText: '{ }', manifests }),
      stampOf({ lockText: undefined, manifests }),
      stampOf({ lockText: '{}', manifests: edited }),
    ];
    expect(new Set([stamp, ...others]).size).toBe(4);
  });
});

describe('isInstalled', () => {
  test('accepts what npm has put there, packages for other systems left out', () => {
    expect(isInstalled({ lock, hiddenLock: { packages: present }, manifests })).toBe(true);
  });

  test('refuses without a lock or without an installation', () => {
    expect(isInstalled({ lock: undefined, hiddenLock: { packages: present }, manifests })).toBe(false);
    expect(isInstalled({ lock, hiddenLock: undefined, manifests })).toBe(false);
  });

  test('refuses another version, other content, and an absent package', () => {
    const changed = [
      { ...present, 'node_modules/left': { ...left, version: '1.9.0' } },
      { ...present, 'node_modules/left': { ...left, integrity: 'sha512-other' } },
      { ...present, 'node_modules/left': undefined },
    ];
    for (const packages of changed) expect(isInstalled({ lock, hiddenLock: { packages }, manifests })).toBe(false);
  });

  test('refuses without a program that builds need on this machine, and takes what only looks as if it were for it', () => {
    const here = { version: '1.0.0', optional: true, os: [process.platform], cpu: [process.arch] };
    const withProgram = (path, wanted) => ({ packages: { ...lock.packages, [path]: wanted } });
    for (const path of ['node_modules/@turbo/here', 'node_modules/bundler/node_modules/@esbuild/here']) {
      const needed = withProgram(path, here);
      expect(isInstalled({ lock: needed, hiddenLock: { packages: present }, manifests })).toBe(false);
      expect(isInstalled({ lock: needed, hiddenLock: { packages: { ...present, [path]: here } }, manifests })).toBe(
        true,
      );
      const elsewhere = withProgram(path, { ...here, cpu: ['another'] });
      expect(isInstalled({ lock: elsewhere, hiddenLock: { packages: present }, manifests })).toBe(true);
    }
    const musl = withProgram('node_modules/@libsql/here-musl', here);
    expect(isInstalled({ lock: musl, hiddenLock: { packages: present }, manifests })).toBe(true);
  });

  test('refuses where a command is another file now', () => {
    const [before, after] = ['dist/main.js', 'bin/tool.js'].map((tool) => ({
      ...lock.packages,
      'packages/a': { ...lock.packages['packages/a'], bin: { tool } },
    }));
    expect(isInstalled({ lock: { packages: after }, hiddenLock: { packages: after }, manifests })).toBe(true);
    expect(isInstalled({ lock: { packages: after }, hiddenLock: { packages: before }, manifests })).toBe(false);
  });

  test('refuses when a package.json asks for something that the lock does not know', () => {
    const edited = new Map(manifests).set('packages/a', { dependencies: { left: '2.0.0', right: '1.0.0' } });
    expect(isInstalled({ lock, hiddenLock: { packages: present }, manifests: edited })).toBe(false);
  });
});

describe('ensureDependencies', () => {
  const report = { line() {}, during: (_title, work) => work(() => {}) };
  const STAMP = 'node_modules/.microturn-stamp';

  /** A repository in which an npm installs these packages, and what it was called with. */
  async function repository(installs) {
    const folder = await mkdtemp(join(tmpdir(), 'dependencies-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const manifest = manifests.get('');
    const packages = { '': manifest, 'node_modules/tool': lock.packages['node_modules/tool'] };
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
    await writeFile(join(folder, 'package-lock.json'), JSON.stringify({ packages }));
    const calls = [];
    const runNpm = async (_command, args) => {
      calls.push(args);
      await mkdir(join(folder, 'node_modules'), { recursive: true });
      const hidden = { packages: installs(packages) };
      await writeFile(join(folder, 'node_modules/.package-lock.json'), JSON.stringify(hidden));
    };
    const ensure = () => ensureDependencies(report, { folder, runNpm });
    return { calls, ensure, stamp: () => readFile(join(folder, STAMP), 'utf8').catch(() => undefined) };
  }

  test('installs once, also what an environment of production would leave out', async () => {
    const { calls, ensure, stamp } = await repository((packages) => packages);
    await ensure();
    await ensure();
    expect(calls).toEqual([expect.arrayContaining(['ci', '--include=dev', '--include=optional'])]);
    expect(await stamp()).toMatch(/^[0-9a-f]{64}\n$/);
  });

  test('installs again after npm has left something out', async () => {
    const { calls, ensure, stamp } = await repository(() => ({}));
    await ensure();
    expect(await stamp()).toBeUndefined();
    await ensure();
    expect(calls).toHaveLength(2);
  });
});
