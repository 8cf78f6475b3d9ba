import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeProcess, microturn } from '../support/edge-process.js';
import { root } from '../support/root.js';
import { TemporaryFolder } from '../support/temporary-folder.js';
import { Witness } from '../support/witness.js';

// An edge with a bundle that is not as its maker left it refuses to start, and says which file. One that runs goes on.

interface Manifest {
  files: Record<string, { sha256: string; bytes: number }>;
  graph: { file: string };
  outputs: { floor: { tensor: string } };
  [field: string]: unknown;
}

let edge: EdgeProcess;
let witness: Witness;
beforeAll(async () => {
  edge = await EdgeProcess.start();
  witness = await Witness.join(edge);
});
afterAll(async () => {
  await witness?.close();
  await edge?.stop();
});

const GRAPH = 'step.onnx';

/** Copies the shipped bundle, changes it, and starts an edge on it. */
async function startOn(change: (folder: string) => Promise<unknown>) {
  await using temporary = await TemporaryFolder.create();
  const folder = temporary.file('bundle');
  await cp(join(root, 'models/nano/bundle'), folder, { recursive: true });
  await change(folder);
  // Awaited here, so that the folder is there until the edge has looked.
  return await microturn(['start', '--dev', '--port', '0', '--media-port', '0', '--bundle', folder]);
}

async function changeManifest(folder: string, change: (manifest: Manifest) => void): Promise<void> {
  const file = join(folder, 'bundle.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as Manifest;
  change(manifest);
  await writeFile(file, JSON.stringify(manifest));
}

async function changeGraph(folder: string, change: (bytes: Buffer) => Buffer): Promise<Buffer> {
  const file = join(folder, GRAPH);
  const bytes = change(await readFile(file));
  await writeFile(file, bytes);
  return bytes;
}

/** As somebody would who changes a bundle on purpose. */
async function changeGraphAndHash(folder: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  const bytes = await changeGraph(folder, change);
  await changeManifest(folder, ({ files }) => {
    files[GRAPH] = { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
  });
}

const flipped = (bytes: Buffer) => {
  const copy = Buffer.from(bytes);
  copy[copy.length >> 1]! ^= 1;
  return copy;
};

describe('a bundle', () => {
  it.each<[name: string, code: string, named: string, change: (folder: string) => Promise<unknown>]>([
    ['with one bit of its graph changed', 'bundle/hash', GRAPH, (folder) => changeGraph(folder, flipped)],
    [
      'with a graph that is cut off',
      'bundle/hash',
      GRAPH,
      (folder) => changeGraph(folder, (bytes) => bytes.subarray(0, 1_000_000)),
    ],
    [
      'with a graph that has grown',
      'bundle/hash',
      GRAPH,
      (folder) => changeGraph(folder, (bytes) => Buffer.concat([bytes, Buffer.alloc(9)])),
    ],
    ['with an empty graph', 'bundle/hash', GRAPH, (folder) => writeFile(join(folder, GRAPH), '')],
    [
      'with the hash of another file',
      'bundle/hash',
      GRAPH,
      (folder) =>
        changeManifest(folder, ({ files }) => {
          files[GRAPH]!.sha256 = 'a'.repeat(64);
        }),
    ],
    [
      'with a graph that is a link, also to the right file',
      'bundle/outside',
      GRAPH,
      async (folder) => {
        await rename(join(folder, GRAPH), join(folder, '..', GRAPH));
        await symlink(join('..', GRAPH), join(folder, GRAPH));
      },
    ],
    [
      'with a link inside the folder',
      'bundle/outside',
      GRAPH,
      async (folder) => {
        await rename(join(folder, GRAPH), join(folder, 'real.onnx'));
        await symlink('real.onnx', join(folder, GRAPH));
      },
    ],
    [
      'with a manifest that is a link',
      'bundle/outside',
      'bundle.json',
      async (folder) => {
        await rename(join(folder, 'bundle.json'), join(folder, 'real.json'));
        await symlink('real.json', join(folder, 'bundle.json'));
      },
    ],
    [
      'with a folder for a graph',
      'bundle/outside',
      GRAPH,
      async (folder) => {
        await rm(join(folder, GRAPH));
        await mkdir(join(folder, GRAPH));
      },
    ],
    [
      'that names a file outside of it',
      'bundle/outside',
      '../step.onnx',
      async (folder) => {
        await cp(join(folder, GRAPH), join(folder, '..', GRAPH));
        await changeManifest(folder, (manifest) => {
          manifest.files = { '../step.onnx': manifest.files[GRAPH]! };
          manifest.graph.file = '../step.onnx';
        });
      },
    ],
    ['without its graph', 'bundle/missing', GRAPH, (folder) => rm(join(folder, GRAPH))],
    ['without a manifest', 'bundle/missing', 'bundle.json', (folder) => rm(join(folder, 'bundle.json'))],
    ['that is not there', 'bundle/missing', 'bundle', (folder) => rm(folder, { recursive: true })],
    [
      'with a manifest that is no JSON',
      'bundle/manifest',
      'bundle.json',
      (folder) => writeFile(join(folder, 'bundle.json'), '{"format":'),
    ],
    [
      'of a format that this build does not know',
      'bundle/manifest',
      'format',
      (folder) =>
        changeManifest(folder, (manifest) => {
          manifest['format'] = 'microturn-bundle/99';
        }),
    ],
    [
      'whose manifest lacks a field',
      'bundle/manifest',
      'inputHz',
      (folder) =>
        changeManifest(folder, (manifest) => {
          delete manifest['inputHz'];
        }),
    ],
    [
      'whose manifest names a tensor that the graph does not have',
      'bundle/graph',
      'nothing_like_it',
      (folder) =>
        changeManifest(folder, ({ outputs }) => {
          outputs.floor.tensor = 'nothing_like_it';
        }),
    ],
    [
      'with a graph that is no graph, and the right hash',
      'bundle/graph',
      GRAPH,
      (folder) => changeGraphAndHash(folder, () => Buffer.from('no graph at all')),
    ],
    [
      'with half a graph, and the right hash',
      'bundle/graph',
      GRAPH,
      (folder) => changeGraphAndHash(folder, (bytes) => bytes.subarray(0, bytes.length >> 1)),
    ],
  ])('%s is refused by name', async (_, code, named, change) => {
    const { exitCode, stderr } = await startOn(change);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(`(${code})`) as string });
    expect(stderr).toContain(named);
    expect(stderr).toMatch(/^ {2}fix: .{10}/m);
    witness.expectUndisturbed();
  });
});

it('the witness was not disturbed by any of it', () => witness.expectToHear('Everything is fine here.'));
