import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { findWorker } from '../../packages/edge/src/rtc/find-worker.ts';
import { resolveChromium } from './browser.mjs';
import { SetupError } from './setup-error.mjs';
import { resolveWorker } from './worker.mjs';
import { WORKER_BINARY, workerCacheDir, workerRuns } from './worker-cache.mjs';

const nowhere = async () => undefined;
const at = (path) => vi.fn(async () => path);

describe('the worker', () => {
  const sources = () => ({
    fromEnvironment: at('/environment'),
    fromCache: at('/cache'),
    fromPrebuilt: at('/prebuilt'),
    fromSource: at('/source'),
  });

  test('comes from the first place that has it, and the later ones are not asked', async () => {
    const all = sources();
    expect(await resolveWorker(all)).toBe('/environment');
    expect(all.fromCache).not.toHaveBeenCalled();

    const noVariable = { ...sources(), fromEnvironment: nowhere };
    expect(await resolveWorker(noVariable)).toBe('/cache');
    expect(noVariable.fromPrebuilt).not.toHaveBeenCalled();

    const empty = { ...sources(), fromEnvironment: nowhere, fromCache: nowhere };
    expect(await resolveWorker(empty)).toBe('/prebuilt');
    expect(empty.fromSource).not.toHaveBeenCalled();
  });

  test('is built where nothing else is to be had', async () => {
    const closed = { ...sources(), fromEnvironment: nowhere, fromCache: nowhere, fromPrebuilt: nowhere };
    expect(await resolveWorker(closed)).toBe('/source');
  });

  test('is cached by version, kind of machine and recipe, where the user wants caches to be', () => {
    const machine = { version: '3.19.3', recipeHash: 'abc', platform: 'linux', arch: 'arm64' };
    expect(workerCacheDir({ ...machine, env: { XDG_CACHE_HOME: '/caches' } })).toBe(
      join('/caches/microturn/mediasoup-worker/3.19.3-linux-arm64-abc'),
    );
  });

  test('is found by the microturn command where it is cached', async () => {
    const folder = await mkdtemp(join(os.tmpdir(), 'microturn-cache-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const env = { XDG_CACHE_HOME: folder };
    await writeFile(join(folder, 'package.json'), '{"version":"3.19.3"}');
    const cached = workerCacheDir({ version: '3.19.3', recipeHash: 'abc', env });
    await mkdir(cached, { recursive: true });
    await writeFile(join(cached, WORKER_BINARY), '');
    expect(findWorker({ env, mediasoup: folder })).toBe(join(cached, WORKER_BINARY));
  });

  test('does not count as one when it is absent or another program', async () => {
    expect(await workerRuns('/nowhere/mediasoup-worker')).toBe(false);
    expect(await workerRuns(process.execPath)).toBe(false);
  });
});

describe('Chromium', () => {
  const sources = () => ({
    findInEnvironment: nowhere,
    findInSystem: nowhere,
    findPlaywrights: nowhere,
    installFromSystem: vi.fn(async () => {}),
    installPlaywrights: vi.fn(async () => {}),
  });

  test('is taken from the environment, the system, Playwright, in this order', async () => {
    const all = { findInEnvironment: at('/mine'), findInSystem: at('/usr'), findPlaywrights: at('/playwright') };
    expect(await resolveChromium({ ...sources(), ...all })).toBe('/mine');
    expect(await resolveChromium({ ...sources(), ...all, findInEnvironment: nowhere })).toBe('/usr');
    expect(await resolveChromium({ ...sources(), findPlaywrights: at('/playwright') })).toBe('/playwright');
  });

  test('is not installed where there is one', async () => {
    const present = { ...sources(), findInSystem: at('/usr') };
    await resolveChromium(present);
    expect(present.installFromSystem).not.toHaveBeenCalled();
  });

  test('comes from Playwright where the system has none to install', async () => {
    let installed = false;
    const path = await resolveChromium({
      ...sources(),
      findPlaywrights: async () => (installed ? '/playwright' : undefined),
      installFromSystem: async () => {
        throw new SetupError('only root may install');
      },
      installPlaywrights: async () => void (installed = true),
    });
    expect(path).toBe('/playwright');
  });

  test('when there is no way to it, says what to type', async () => {
    const closed = {
      ...sources(),
      installFromSystem: async () => {
        throw new SetupError('only root may install', 'sudo apt-get install chromium');
      },
    };
    const failure = resolveChromium(closed);
    await expect(failure).rejects.toBeInstanceOf(SetupError);
    await expect(failure).rejects.toHaveProperty('fix', expect.stringContaining('sudo apt-get install chromium'));
  });
});
