import type { SeededRandom } from '../support/random.js';

/** Beyond this an input is cut: what is long is slow, and what breaks a parser is rarely long. */
const MAX_BYTES = 4096;
const MOST_CHANGES = 6;

const INTERESTING_BYTES = [
  0x00, 0x01, 0x0f, 0x10, 0x20, 0x22, 0x2c, 0x3f, 0x5b, 0x5c, 0x7b, 0x7f, 0x80, 0x90, 0xbf, 0xc0, 0xff,
];
const INTERESTING_VALUES: readonly unknown[] = [
  null, true, false, '', 'x', '\u0000', '\ud800', '__proto__', 0, -0, -1, 0.5, 1, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e308, 1e-320,
  [], {}, [[]], [null], { length: 3 }, { __proto__: null },
]; // prettier-ignore
const INTERESTING_KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', 'type', ''];

/** Changes a copy of `input` a few times; `others` lend parts of theirs. */
export function mutateBytes(input: Uint8Array, others: readonly Uint8Array[], random: SeededRandom): Uint8Array {
  let bytes = [...input];
  for (let left = random.integer(1, MOST_CHANGES); left > 0; left--) bytes = changeBytes(bytes, others, random);
  return Uint8Array.from(bytes.slice(0, MAX_BYTES));
}

function changeBytes(bytes: number[], others: readonly Uint8Array[], random: SeededRandom): number[] {
  const at = random.integer(0, bytes.length);
  const length = Math.min(random.integer(1, 16), bytes.length - at);
  switch (random.integer(0, 7)) {
    case 0:
      return bytes.map((byte, i) => (i === at ? byte ^ (1 << random.integer(0, 7)) : byte));
    case 1:
      return bytes.map((byte, i) => (i === at ? random.pick(INTERESTING_BYTES) : byte));
    case 2:
      return bytes.map((byte, i) => (i === at ? (byte + random.integer(-8, 8)) & 0xff : byte));
    case 3:
      return [...bytes.slice(0, at), ...random.bytes(random.integer(1, 16)), ...bytes.slice(at)];
    case 4:
      return [...bytes.slice(0, at), ...bytes.slice(at + length)];
    case 5:
      return [...bytes.slice(0, at + length), ...bytes.slice(at, at + length), ...bytes.slice(at + length)];
    case 6:
      return bytes.slice(0, at);
    default: {
      const other = random.pick(others);
      const from = random.integer(0, other.length);
      return [...bytes.slice(0, at), ...other.slice(from, from + random.integer(1, 64)), ...bytes.slice(at)];
    }
  }
}

/** The same for JSON, by its structure, so that most results are still JSON; what is none is changed by its bytes. */
export function mutateJson(input: Uint8Array, others: readonly Uint8Array[], random: SeededRandom): Uint8Array {
  const value = random.next() < 0.85 ? parse(input) : undefined;
  if (value === undefined) return mutateBytes(input, others, random);
  let changed: unknown = value;
  for (let left = random.integer(1, 3); left > 0; left--) changed = changeNode(changed, others, random);
  return new TextEncoder().encode(JSON.stringify(changed) ?? 'null').slice(0, MAX_BYTES * 4);
}

function changeNode(root: unknown, others: readonly Uint8Array[], random: SeededRandom): unknown {
  const places: { holder: Record<string, unknown>; key: string }[] = [];
  const wrapped = { root };
  collect(wrapped, places);
  const { holder, key } = random.pick(places);
  const value = holder[key];
  switch (random.integer(0, 7)) {
    case 0:
    case 1:
      put(holder, key, structuredClone(random.pick(INTERESTING_VALUES)));
      break;
    case 2:
      put(holder, key, nudge(value, random));
      break;
    case 3:
      if (holder !== wrapped) delete holder[key];
      break;
    case 4:
      put(holder, random.pick(INTERESTING_KEYS), structuredClone(value));
      break;
    case 5:
      for (let depth = random.integer(1, 24); depth > 0; depth--)
        put(holder, key, random.next() < 0.5 ? [holder[key]] : { a: holder[key] });
      break;
    case 6:
      if (Array.isArray(value)) value.push(...structuredClone(value.slice(0, 8)));
      break;
    default: {
      const other = parse(random.pick(others));
      const theirs: typeof places = [];
      collect({ root: other }, theirs);
      const from = random.pick(theirs);
      put(holder, key, structuredClone(from.holder[from.key]));
    }
  }
  return wrapped.root;
}

/** As JSON.parse has it: `__proto__` is a key like another, and a list has none. */
function put(holder: Record<string, unknown>, key: string, value: unknown): void {
  if (Array.isArray(holder) && !/^\d+$/.test(key)) holder.push(value);
  else Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });
}

function nudge(value: unknown, random: SeededRandom): unknown {
  if (typeof value === 'number') return random.pick([value + 1, value - 1, -value, value * 1e6, value + 0.5]);
  if (typeof value === 'string')
    return random.pick([`${value}x`, value.slice(1), value.repeat(random.integer(2, 40)), value.toUpperCase()]);
  if (typeof value === 'boolean') return !value;
  return value;
}

function collect(value: unknown, places: { holder: Record<string, unknown>; key: string }[]): void {
  if (typeof value !== 'object' || value === null || places.length > 500) return;
  for (const key of Object.keys(value)) {
    places.push({ holder: value as Record<string, unknown>, key });
    collect((value as Record<string, unknown>)[key], places);
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}
