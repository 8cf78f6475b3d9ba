import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { findWorker } from './find-worker.js';

describe('the worker that is found', () => {
  let folder: string;
  let mediasoup: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'microturn-worker-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    mediasoup = join(folder, 'mediasoup');
    put('mediasoup/package.json', '{"version":"3.19.3"}');
  });

  function put(file: string, content = '', atSeconds = 1000): string {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    utimesSync(path, atSeconds, atSeconds);
    return path;
  }
  const find = (env: NodeJS.ProcessEnv = {}) =>
    findWorker({ env, home: folder, platform: 'linux', arch: 'x64', mediasoup });
  const cached = (name: string, atSeconds?: number, cache = '.cache') =>
    put(`${cache}/microturn/mediasoup-worker/${name}/mediasoup-worker`, '', atSeconds);

  it('is none where nothing was ever provided', () => expect(find()).toBeUndefined());

  it('is the newest of this version, for this machine, whole', () => {
    cached('3.19.3-linux-x64-aaaa', 2000);
    const newest = cached('3.19.3-linux-x64-bbbb', 3000);
    for (const other of ['3.19.2-linux-x64-cccc', '3.19.3-linux-arm64-dddd', '3.19.3-linux-x64-eeee.tmp-1a2b'])
      cached(other, 4000);
    put('.cache/microturn/mediasoup-worker/3.19.3-linux-x64-ffff/build.log', '', 5000);
    expect(find()).toBe(newest);
  });

  it('is looked for where the user wants caches to be', () => {
    cached('3.19.3-linux-x64-aaaa');
    const there = cached('3.19.3-linux-x64-aaaa', 1000, 'caches');
    expect(find({ XDG_CACHE_HOME: join(folder, 'caches') })).toBe(there);
  });

  it('is mediasoup’s own where that brought one', () => {
    cached('3.19.3-linux-x64-aaaa');
    put('mediasoup/worker/out/Release/mediasoup-worker');
    expect(find()).toBeUndefined();
    expect(find({ MEDIASOUP_BUILDTYPE: 'Debug' })).toBeDefined();
  });
});
