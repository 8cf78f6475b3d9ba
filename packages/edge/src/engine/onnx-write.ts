/**
 * Writes the few parts of an ONNX model that small graphs made at run time need.
 * @see onnx.proto for the field numbers
 */

const FLOAT = 1;
const INT64 = 7;

export type Dims = readonly (string | number)[];
/** Whole numbers from 0 on, and lists of them: what the operators used here take. */
export type Attributes = Readonly<Record<string, number | readonly number[]>>;

export function model(graph: ArrayLike<number>, opset = 17): Uint8Array {
  return Uint8Array.from([...int(1, 8), ...field(7, graph), ...field(8, [...field(1, text('')), ...int(2, opset)])]);
}

export function node(type: string, inputs: readonly string[], output: string, attributes: Attributes = {}): number[] {
  return field(1, [
    ...inputs.flatMap((name) => field(1, text(name))),
    ...field(2, text(output)),
    ...field(4, text(type)),
    ...Object.entries(attributes).flatMap(([name, value]) => field(5, attribute(name, value))),
  ]);
}

function attribute(name: string, value: number | readonly number[]): number[] {
  const [INT, INTS] = [2, 7];
  const [number, content] = typeof value === 'number' ? [INT, int(3, value)] : [INTS, value.flatMap((v) => int(8, v))];
  return [...field(1, text(name)), ...content, ...int(20, number)];
}

export function graphName(name: string): number[] {
  return field(2, text(name));
}

export function initializer(name: string, dims: readonly number[], data: { raw: Uint8Array } | ExternalData): number[] {
  const EXTERNAL = 1;
  return field(5, [
    ...dims.flatMap((dim) => int(1, dim)),
    ...int(2, FLOAT),
    ...field(8, text(name)),
    ...('raw' in data
      ? field(9, data.raw)
      : [
          ...Object.entries(data).flatMap(([key, value]) =>
            field(13, [...field(1, text(key)), ...field(2, text(String(value)))]),
          ),
          ...int(14, EXTERNAL),
        ]),
  ]);
}

/** A part of another file; all of it where only `location` is given. */
export interface ExternalData {
  readonly location: string;
  readonly offset?: number;
  readonly length?: number;
}

/** A list of whole numbers, as operators take shapes, axes and bounds. */
export function int64s(name: string, values: readonly number[]): number[] {
  const raw = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return field(5, [...int(1, values.length), ...int(2, INT64), ...field(8, text(name)), ...field(9, raw)]);
}

/** What a model says of itself, by name: beside its graph. */
export function metadata(entries: Readonly<Record<string, string | number>>): number[] {
  return Object.entries(entries).flatMap(([name, value]) =>
    field(14, [...field(1, text(name)), ...field(2, text(String(value)))]),
  );
}

export function input(name: string, dims: Dims, type?: ElementType): number[] {
  return field(11, value(name, dims, type));
}

export function output(name: string, dims: Dims): number[] {
  return field(12, value(name, dims));
}

type ElementType = 'float' | 'bool' | 'int32' | 'int64';
const elementTypes: Readonly<Record<ElementType, number>> = { float: FLOAT, int32: 6, int64: INT64, bool: 9 };

function value(name: string, dims: Dims, type: ElementType = 'float'): number[] {
  const shape = dims.flatMap((dim) => field(1, typeof dim === 'string' ? field(2, text(dim)) : int(1, dim)));
  const tensorType = [...int(1, elementTypes[type]), ...field(2, shape)];
  return [...field(1, text(name)), ...field(2, field(1, tensorType))];
}

function field(number: number, content: ArrayLike<number>): number[] {
  return [...varint(number * 8 + 2), ...varint(content.length), ...Array.from(content)];
}

function int(number: number, value: number): number[] {
  return [...varint(number * 8), ...varint(value)];
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
