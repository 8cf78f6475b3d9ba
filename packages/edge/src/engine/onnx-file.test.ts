import { describe, expect, it } from 'vitest';
import { tinyGraph } from './fixtures/tiny-bundle.js';
import { externalDataLocations } from './onnx-file.js';

describe('externalDataLocations', () => {
  it('finds nothing in a graph that holds its own weights', () => {
    expect(externalDataLocations(tinyGraph())).toEqual([]);
  });

  it('finds each location as it is written', () => {
    expect(externalDataLocations(tinyGraph({ external: '../../a b' }))).toEqual(['../../a b']);
  });

  it('finds a location in a constant of a branch inside a node', () => {
    const bytes = (...parts: (number | readonly number[])[]) => parts.flat();
    const wrap = (field: number, content: number[]) => bytes(field * 8 + 2, content.length, content);
    const location = [...new TextEncoder().encode('location')];
    const entry = bytes(wrap(1, location), wrap(2, [0x78]));
    const tensor = bytes(wrap(13, entry), 14 * 8, 1);
    const constant = wrap(1, wrap(5, wrap(5, tensor))); // GraphProto.node.attribute.t
    const branch = wrap(1, wrap(5, wrap(6, constant))); // GraphProto.node.attribute.g
    expect(externalDataLocations(Uint8Array.from(wrap(7, branch)))).toEqual(['x']);
  });

  it('refuses an external tensor without a location', () => {
    const tensor = [14 * 8, 1];
    const graph = [5 * 8 + 2, tensor.length, ...tensor];
    expect(() => externalDataLocations(Uint8Array.from([7 * 8 + 2, graph.length, ...graph]))).toThrow('location');
  });

  it('refuses nesting without end', () => {
    const wrap = (field: number, content: number[]) => [field * 8 + 2, ...length(content.length), ...content];
    let graph: number[] = [];
    // GraphProto.node.attribute.g, over and over
    for (let level = 0; level < 40; level++) graph = wrap(1, wrap(5, wrap(6, graph)));
    expect(() => externalDataLocations(Uint8Array.from(wrap(7, graph)))).toThrow('levels');
  });

  it('ends on every cut and every changed byte, with an answer or an error', () => {
    const model = tinyGraph({ external: 'weights.bin' });
    const ends = (bytes: Uint8Array) => {
      try {
        return Array.isArray(externalDataLocations(bytes));
      } catch (error) {
        return error instanceof Error;
      }
    };
    for (let at = 0; at < model.length; at++) {
      expect(ends(model.subarray(0, at))).toBe(true);
      const changed = model.slice();
      changed[at]! ^= 0xff;
      expect(ends(changed)).toBe(true);
    }
  });
});

function length(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...length(value >>> 7)];
}
