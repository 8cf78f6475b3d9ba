import { createHash } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { loadBundle } from './bundle.js';
import { bend } from './fixtures/bend.js';
import { tinyGraph, tinyManifest, tinyWeights, writeBundle, type TinyGraphOptions } from './fixtures/tiny-bundle.js';
import { openGraph } from './graph.js';

const nano = new URL('../../../../models/nano/bundle/', import.meta.url).pathname;

describe('loadBundle', () => {
  const folders: string[] = [];
  afterEach(async () => {
    await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
  });

  /** A folder with the tiny bundle, its manifest changed as `bend` does, or replaced by a text. */
  async function bundle(
    changes: Record<string, unknown> | string = {},
    graph: TinyGraphOptions = {},
    more: Record<string, Uint8Array> = {},
  ): Promise<string> {
    const files = { 'step.onnx': tinyGraph(graph), ...more };
    const manifest = typeof changes === 'string' ? changes : bend(tinyManifest(files), changes);
    const folder = await writeBundle(manifest, files);
    folders.push(folder);
    return folder;
  }

  const refusal = (code: string, named: string) =>
    expect.objectContaining({ code, message: expect.stringContaining(named) });

  it('reads the shipped bundle', async () => {
    const { manifest, files } = await loadBundle(nano);
    expect(manifest.microTurnMs).toBe(200);
    expect([...files.keys()]).toEqual(['step.onnx']);
  });

  it('finds at most 16 MB in the folder of the shipped bundle', async () => {
    const entries = await readdir(nano, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const stats = await Promise.all(files.map(({ parentPath, name }) => stat(join(parentPath, name))));
    expect(stats.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(16_000_000);
  });

  it('takes fields that this build does not know', async () => {
    const folder = await bundle({
      fromTheFuture: true,
      'outputs/floor/temperature': 1,
      'outputs/dreams': { tensor: 'dreams' },
    });
    await expect(loadBundle(folder)).resolves.toMatchObject({ manifest: { name: 'tiny' } });
  });

  it('follows a link to the folder itself, and takes hard links for files', async () => {
    const folder = await bundle();
    const current = `${folder}-current`;
    await symlink(folder, current);
    folders.push(current);
    await rename(join(folder, 'step.onnx'), join(folder, 'shared'));
    await link(join(folder, 'shared'), join(folder, 'step.onnx'));
    await expect(loadBundle(current)).resolves.toMatchObject({ manifest: { name: 'tiny' } });
  });

  it('fault 25, names what is missing', async () => {
    const folder = await bundle();
    await rm(join(folder, 'step.onnx'));
    await expect(loadBundle(folder)).rejects.toEqual(refusal('bundle/missing', 'step.onnx'));
    await rm(join(folder, 'bundle.json'));
    await expect(loadBundle(folder)).rejects.toEqual(refusal('bundle/missing', 'bundle.json'));
    await expect(loadBundle(join(folder, 'nowhere'))).rejects.toEqual(refusal('bundle/missing', 'nowhere'));
  });

  it.each<[string, Record<string, unknown> | string, string]>([
    ['no JSON', '{ "format": ', 'JSON'],
    ['JSON nested past the stack', '['.repeat(1 << 20), 'bundle.json'],
    ['another format', { format: 'microturn-bundle/9' }, 'format'],
    ['a role missing', { 'inputs/pcm': undefined }, 'pcm'],
    ['a hash that is none', { 'files/step.onnx/sha256': 'ff' }, 'sha256'],
    ['a graph that is not listed', { 'graph/file': 'other.onnx' }, 'other.onnx'],
    ['an oversize tensor', { 'states/0/shape/2': 1 << 23 }, 'states.0.shape'],
    ['an oversize file', { 'files/step.onnx/bytes': 2 ** 40 }, 'bytes'],
  ])('refuses a manifest with %s, saying where', async (_, changes, where) => {
    const folder = await bundle(changes);
    await expect(loadBundle(folder)).rejects.toEqual(refusal('bundle/manifest', where));
  });

  it('fault 25, refuses a file that is not the one the manifest names', async () => {
    const folder = await bundle();
    const path = join(folder, 'step.onnx');
    const good = await readFile(path);

    const corrupt = Buffer.from(good);
    corrupt[corrupt.length >> 1]! ^= 1;
    await writeFile(path, corrupt);
    await expect(loadBundle(folder)).rejects.toEqual(refusal('bundle/hash', 'step.onnx'));

    await truncate(path, good.length - 1);
    await expect(loadBundle(folder)).rejects.toEqual(refusal('bundle/hash', 'step.onnx'));

    await writeFile(path, Buffer.concat([good, Buffer.alloc(1 << 20)]));
    await expect(loadBundle(folder)).rejects.toEqual(refusal('bundle/hash', 'step.onnx has more than'));
  });

  it('fault 25, refuses links and whatever else is no file', async () => {
    const folder = await bundle();
    const path = join(folder, 'step.onnx');
    await rename(path, join(folder, 'elsewhere'));
    await symlink(join(folder, 'elsewhere'), path);
    await expect(loadBundle(folder)).rejects.toEqual(refusal('bundle/outside', 'step.onnx is a link'));

    await rm(path);
    await mkdir(path);
    await expect(loadBundle(folder)).rejects.toEqual(refusal('bundle/outside', 'step.onnx'));

    await rename(join(folder, 'bundle.json'), join(folder, 'manifest'));
    await symlink('manifest', join(folder, 'bundle.json'));
    await expect(loadBundle(folder)).rejects.toEqual(refusal('bundle/outside', 'bundle.json is a link'));
  });

  it.each(['../step.onnx', '/etc/passwd', 'sub/step.onnx', '..', '.', 'a\\b', 'C:x', '', 'a\0b'])(
    'refuses the path %j in the manifest',
    async (name) => {
      const file = { sha256: '0'.repeat(64), bytes: 1 };
      const folder = await bundle({ files: { [name]: file, 'step.onnx': file } });
      await expect(loadBundle(folder)).rejects.toEqual(refusal('bundle/outside', name));
    },
  );

  it('refuses external data outside the folder, and data that has no hash', async () => {
    for (const external of ['../weights.bin', '/etc/passwd', '', '*/_ORT_MEM_ADDR_/*', 'sub/weights.bin']) {
      const folder = await bundle({}, { external });
      await expect(loadBundle(folder)).rejects.toEqual(refusal('bundle/outside', JSON.stringify(external)));
    }
    const undeclared = await bundle({}, { external: 'weights.bin' });
    await writeFile(join(undeclared, 'weights.bin'), tinyWeights);
    await expect(loadBundle(undeclared)).rejects.toEqual(refusal('bundle/hash', 'weights.bin'));
  });

  it('fault 25, refuses a graph that is no ONNX file', async () => {
    for (const bytes of [
      new TextEncoder().encode('hello, this is no model'),
      Uint8Array.from([0x18, 0, 0, 0, ...new TextEncoder().encode('ORTM'), 0, 0]),
      tinyGraph().subarray(0, 100),
      new Uint8Array(64),
    ]) {
      const folder = await bundle({
        'files/step.onnx': {
          sha256: createHash('sha256').update(bytes).digest('hex'),
          bytes: bytes.length,
        },
      });
      await writeFile(join(folder, 'step.onnx'), bytes);
      await expect(loadBundle(folder)).rejects.toEqual(refusal('bundle/graph', 'step.onnx'));
    }
  });

  describe('openGraph', () => {
    const buffers = () => ({
      feeds: {
        pcm: { data: new Float32Array(320).fill(1, 160), dims: [2, 160] },
        count: { data: Float32Array.of(5, 7), dims: [2, 1] },
      },
      fetches: {
        floor: { data: new Float32Array(4), dims: [2, 2] },
        next_count: { data: new Float32Array(2), dims: [2, 1] },
      },
    });

    it.each([
      ['inside the graph', {}, {}],
      ['in a file of the bundle', { external: 'weights.bin' }, { 'weights.bin': tinyWeights }],
    ])('runs a graph whose weights are %s', async (_, options, more) => {
      const graph = await openGraph(await loadBundle(await bundle({}, options, more)));
      const { feeds, fetches } = buffers();
      await graph.bind(feeds, fetches)();
      expect(fetches.next_count.data[0]).toBeCloseTo(5, 5);
      expect(fetches.next_count.data[1]).toBeCloseTo(8, 5);
      expect(fetches.floor.data[3]).toBeCloseTo(8, 5);
      await graph.close();
    });

    it('fault 26, fails a run whose output does not fit its buffer, and leaves the buffer alone', async () => {
      const graph = await openGraph(await loadBundle(await bundle()));
      const { feeds, fetches } = buffers();
      const floor = { data: new Float32Array(6).fill(9), dims: [2, 3] };
      await expect(graph.bind(feeds, { ...fetches, floor })()).rejects.toThrow('dimensions');
      expect([...floor.data]).toEqual([9, 9, 9, 9, 9, 9]);
      await graph.close();
    });

    it.each<[string, Record<string, unknown>, string]>([
      ['an input that is not there', { 'inputs/play': { tensor: 'play', shape: ['B', 1] } }, 'play'],
      ['an output that is not there', { 'states/0/output': 'n_count' }, 'n_count'],
      ['another shape', { 'states/0/shape': ['B', 2] }, 'count'],
      ['another batch dimension', inBatches('N'), '"N"'],
    ])('refuses a manifest with %s', async (_, changes, named) => {
      const loaded = await loadBundle(await bundle(changes));
      await expect(openGraph(loaded)).rejects.toEqual(refusal('bundle/graph', named));
    });

    it('refuses a graph with a fixed batch, an input that nothing feeds, and one that does not load', async () => {
      const fixed = await loadBundle(await bundle({}, { batch: 1 }));
      await expect(openGraph(fixed)).rejects.toEqual(refusal('bundle/graph', 'a fixed batch of 1'));
      const unfed = await loadBundle(await bundle({}, { extraInput: 'mood' }));
      await expect(openGraph(unfed)).rejects.toEqual(refusal('bundle/graph', 'mood'));
      const broken = await loadBundle(await bundle());
      const bytes = Buffer.from(broken.files.get('step.onnx')!);
      bytes.write('MatNul', bytes.indexOf('MatMul'));
      const unloadable = { ...broken, files: new Map([['step.onnx', bytes]]) };
      await expect(openGraph(unloadable)).rejects.toEqual(refusal('bundle/graph', 'step.onnx'));
    });
  });
});

function inBatches(name: string): Record<string, unknown> {
  const shapes = ['inputs/pcm', 'outputs/floor', 'states/0'].map((at) => [`${at}/shape/0`, name]);
  return { 'graph/batch': name, ...Object.fromEntries(shapes) };
}
