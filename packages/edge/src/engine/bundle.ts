import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { open, realpath, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { MicroturnError } from '@microturn/protocol';
import { parseManifest, type Manifest } from './manifest.js';
import { externalDataLocations } from './onnx-file.js';
import type { InputRole, ModelInfo } from './types.js';

const MANIFEST_FILE = 'bundle.json';
const MAX_MANIFEST_BYTES = 8 << 20;

/** A model and its manifest, read once and checked: nothing is opened again after its hash was taken. */
export interface Bundle {
  readonly manifest: Manifest;
  /** The bytes of every file that the manifest names. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Those that hold tensors of the graph. */
  readonly externalData: readonly string[];
}

/**
 * Reads and checks a bundle; `docs/bundle.md` has its format.
 *
 * Hard links are taken for the files they are: stores that share equal files between versions make them, they cannot
 * be pointed elsewhere later, and the hash says what is in them. Symbolic links can, so inside the folder they are
 * refused. The folder itself may be one, for a `current` that is moved from version to version.
 * @throws {MicroturnError} `bundle/missing`, `bundle/manifest`, `bundle/hash`, `bundle/outside`, or `bundle/graph`
 *   where the graph is no ONNX file; each names the file
 */
export async function loadBundle(folder: string): Promise<Bundle> {
  const root = await realpath(folder).catch((cause: unknown) => {
    throw new MicroturnError('bundle/missing', `the folder ${folder}`, { cause });
  });
  const manifest = await readManifest(root);
  const files = new Map<string, Uint8Array>();
  for (const [name, expected] of Object.entries(manifest.files)) {
    const bytes = await readInside(root, name, expected.bytes);
    if (bytes.length !== expected.bytes) {
      throw new MicroturnError(
        'bundle/hash',
        `${name} has ${sizeText(bytes.length, expected.bytes)}, expected ${expected.bytes} bytes`,
      );
    }
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (sha256 !== expected.sha256) {
      throw new MicroturnError('bundle/hash', `${name} has SHA-256 ${sha256}, expected ${expected.sha256}`);
    }
    files.set(name, bytes);
  }
  return { manifest, files, externalData: externalData(manifest, files) };
}

/** What the rest of the edge may know of a bundle. */
export function modelInfo(manifest: Manifest): ModelInfo {
  const { name, version, microTurnMs, inputHz, capabilities, outputs, decoding } = manifest;
  const inputs = Object.keys(manifest.inputs) as InputRole[];
  const acts = [
    ...(outputs.act?.classes ?? []).filter((act) => act !== 'none'),
    ...Object.values(outputs.say?.acts ?? {}).map(({ act }) => act),
  ];
  const { classes, delegates = false, marks, aliases, shape } = manifest.inputs.text ?? {};
  const { relay, delegate } = decoding;
  return {
    name,
    version,
    microTurnMs,
    inputHz,
    capabilities,
    inputs,
    acts: [...new Set(acts)],
    reads: classes && { delegates, perTurn: Number(shape?.[1]), ...(marks?.same && { same: aliases }) },
    relay,
    delegate,
  };
}

async function readManifest(root: string): Promise<Manifest> {
  const bytes = await readInside(root, MANIFEST_FILE, MAX_MANIFEST_BYTES);
  if (bytes.length > MAX_MANIFEST_BYTES) {
    throw new MicroturnError('bundle/manifest', `${MANIFEST_FILE} has more than ${MAX_MANIFEST_BYTES} bytes`);
  }
  try {
    return parseManifest(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new MicroturnError('bundle/manifest', `${MANIFEST_FILE}: ${(cause as Error).message}`, { cause });
  }
}

/** Reads one file of the folder, and of a longer one than `maxBytes` one byte more. */
async function readInside(root: string, name: string, maxBytes: number): Promise<Uint8Array> {
  if (!isPlainName(name)) throw new MicroturnError('bundle/outside', `${name} is not a plain file name`);
  let file: FileHandle;
  try {
    file = await open(join(root, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ELOOP') throw new MicroturnError('bundle/outside', `${name} is a link`, { cause });
    throw new MicroturnError('bundle/missing', `${name}${code === 'ENOENT' ? '' : ` (${String(code)})`}`, { cause });
  }
  try {
    const stats: Stats = await file.stat();
    if (!stats.isFile()) throw new MicroturnError('bundle/outside', `${name} is not a regular file`);
    const bytes = new Uint8Array(Math.min(stats.size, maxBytes + 1));
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}

/** A bundle is flat, so that no part of a path can be a link. */
function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name);
}

function externalData(manifest: Manifest, files: ReadonlyMap<string, Uint8Array>): string[] {
  const { file } = manifest.graph;
  let locations: string[];
  try {
    locations = externalDataLocations(files.get(file)!);
  } catch (cause) {
    throw new MicroturnError('bundle/graph', `${file}: ${(cause as Error).message}`, { cause });
  }
  for (const location of locations) {
    if (!isPlainName(location)) {
      throw new MicroturnError(
        'bundle/outside',
        `${file} keeps tensors in ${JSON.stringify(location)}, which is not a plain file name`,
      );
    }
    if (!files.has(location)) {
      throw new MicroturnError('bundle/hash', `${file} keeps tensors in ${location}, which is not listed in files`);
    }
  }
  return locations;
}

function sizeText(length: number, expected: number): string {
  return length > expected ? `more than ${expected} bytes` : `${length} bytes`;
}
