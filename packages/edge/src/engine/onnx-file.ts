/**
 * Reads of an ONNX model only what must be known before ONNX Runtime may see it: which other files its tensors are in.
 * A location may be any path, and a runtime that is handed the model would open it.
 * @see onnx.proto, `TensorProto.external_data` and `data_location`
 */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;
const MAX_DEPTH = 32;
const EXTERNAL = 1;

type Message = 'model' | 'training' | 'function' | 'graph' | 'node' | 'attribute' | 'sparse' | 'tensor';

/** Fields by number through which a tensor can be reached. All others are skipped by their length. */
const FIELDS: Record<Exclude<Message, 'tensor'>, Record<number, Message>> = {
  model: { 7: 'graph', 20: 'training', 25: 'function' },
  training: { 1: 'graph', 2: 'graph' },
  function: { 7: 'node', 11: 'attribute' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
};

/**
 * Locations of external tensor data, each once, as written in the model.
 * @throws {Error} where the bytes are no ONNX protobuf
 */
export function externalDataLocations(model: Uint8Array): string[] {
  // The runtime's own flatbuffer format is told by this mark, and would be loaded past the checks here.
  if (ascii(model, 4, 8) === 'ORTM') throw new Error('an ORT flatbuffer, expected an ONNX protobuf');
  const locations = new Set<string>();
  let graphs = 0;
  walk('model', 0, model.length, 0);
  if (graphs === 0) throw new Error('no graph in it, expected an ONNX protobuf');
  return [...locations];

  function walk(message: Exclude<Message, 'tensor'>, start: number, end: number, depth: number): void {
    if (depth > MAX_DEPTH) throw new Error(`more than ${MAX_DEPTH} levels of nested messages`);
    if (message === 'graph') graphs++;
    for (const field of fields(model, start, end)) {
      const inner = field.wire === LENGTH ? FIELDS[message][field.number] : undefined;
      if (inner === 'tensor') tensor(field.start, field.end);
      else if (inner) walk(inner, field.start, field.end, depth + 1);
    }
  }

  function tensor(start: number, end: number): void {
    let external = false;
    let location: string | undefined;
    for (const field of fields(model, start, end)) {
      if (field.number === 14 && field.wire === VARINT) external = field.value === EXTERNAL;
      if (field.number !== 13 || field.wire !== LENGTH) continue;
      external = true;
      const entry = { key: '', value: '' };
      for (const part of fields(model, field.start, field.end)) {
        if (part.wire !== LENGTH) continue;
        if (part.number === 1) entry.key = utf8(model, part.start, part.end);
        if (part.number === 2) entry.value = utf8(model, part.start, part.end);
      }
      // Of two, the runtime may take either: both are reported.
      if (entry.key === 'location') locations.add((location = entry.value));
    }
    if (external && location === undefined) throw new Error('an external tensor without a location');
  }
}

interface Field {
  readonly number: number;
  readonly wire: number;
  /** Of a varint. */
  readonly value: number;
  /** Of the content of a length-delimited field. */
  readonly start: number;
  readonly end: number;
}

function* fields(bytes: Uint8Array, start: number, end: number): Generator<Field> {
  let at = start;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) throw new Error('cut off in the middle of a field');
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error('a number of more than 10 bytes');
  };
  while (at < end) {
    const key = varint();
    const number = Math.floor(key / 8);
    const wire = key % 8;
    let value = 0;
    let size = 0;
    if (wire === VARINT) value = varint();
    else if (wire === LENGTH) size = varint();
    else if (wire === FIXED64) size = 8;
    else if (wire === FIXED32) size = 4;
    else throw new Error(`wire type ${wire}, which ONNX does not use`);
    if (size > end - at) throw new Error('cut off in the middle of a field');
    yield { number, wire, value, start: at, end: at + size };
    at += size;
  }
}

function utf8(bytes: Uint8Array, start: number, end: number): string {
  return new TextDecoder().decode(bytes.subarray(start, end));
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}
