import { describe, expect, test } from 'vitest';
import { isInstalled, stampOf } from './dependencies.mjs';

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
