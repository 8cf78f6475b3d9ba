import { expect, it } from 'vitest';
import { parseNpy } from './npy.js';

function npy(kind: string, shape: string, data: Uint8Array): Uint8Array {
  const header = `{'descr': '${kind}', 'fortran_order': False, 'shape': ${shape}, }\n`;
  const bytes = new Uint8Array(10 + header.length + data.length);
  bytes.set([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0]);
  bytes.set(Buffer.from(header), 10);
  bytes.set(data, 10 + header.length);
  return bytes;
}

it('reads what numpy wrote, wherever its bytes lie', () => {
  const sound = npy('<i2', '(2, 1)', new Uint8Array(Int16Array.of(-3, 300).buffer));
  expect(parseNpy(sound)).toEqual({ shape: [2, 1], data: Int16Array.of(-3, 300) });
  expect(parseNpy(npy('|u1', '(3,)', Uint8Array.of(1, 2, 3)))).toEqual({ shape: [3], data: Uint8Array.of(1, 2, 3) });
});

it('refuses other files, other types, and half a file', () => {
  expect(() => parseNpy(new Uint8Array(20))).toThrow('not a .npy file');
  expect(() => parseNpy(npy('<f8', '(1,)', new Uint8Array(8)))).toThrow('<f8');
  expect(() => parseNpy(npy('<i2', '(9,)', new Uint8Array(4)))).toThrow('cut off');
});
