/** An array as numpy saved it, C order. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Int16Array | Uint8Array;
}

const MAGIC = '\x93NUMPY';

/**
 * Reads a `.npy` file of 8 or 16 bit integers.
 * @throws {RangeError} if it is none, or holds something else
 */
export function parseNpy(bytes: Uint8Array): NpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (String.fromCharCode(...bytes.subarray(0, 6)) !== MAGIC) throw new RangeError('not a .npy file');
  const wide = bytes[6]! > 1;
  const start = wide ? 12 : 10;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = String.fromCharCode(...bytes.subarray(start, start + length));
  const kind = /'descr': '([^']+)'/.exec(header)?.[1];
  const sizes = /'shape': \(([^)]*)\)/.exec(header)?.[1];
  if (sizes === undefined || !header.includes("'fortran_order': False")) throw new RangeError('expected C order');
  const shape = sizes.split(',').filter((size) => size.trim()).map(Number); // prettier-ignore
  const count = shape.reduce((product, size) => product * size, 1);
  const at = bytes.byteOffset + start + length;
  if (kind === '<i2') return { shape, data: new Int16Array(aligned(bytes, at, 2 * count)) };
  if (kind === '|u1') return { shape, data: new Uint8Array(aligned(bytes, at, count)) };
  throw new RangeError(`expected 8 or 16 bit integers, got ${kind ?? 'nothing'}`);
}

function aligned({ buffer, byteOffset, byteLength }: Uint8Array, at: number, length: number): ArrayBuffer {
  if (at + length > byteOffset + byteLength) throw new RangeError('the file is cut off');
  return buffer.slice(at, at + length) as ArrayBuffer;
}
