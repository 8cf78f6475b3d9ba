import { CallError } from './call-error.js';

/** One channel of sound. */
export interface Pcm {
  /** In [-1, 1]. */
  readonly samples: Float32Array;
  readonly rateHz: number;
}

const FORMAT_PCM = 1;
const FORMAT_FLOAT = 3;
const FORMAT_EXTENSIBLE = 0xfffe;
/** Programs that write to a pipe do not know the length yet, and put one of these, or something just below 2^31. */
const isPlaceholder = (bytes: number) => bytes === 0 || bytes >= 0x7fff_0000;

interface Format {
  readonly code: number;
  readonly channels: number;
  readonly rateHz: number;
  readonly bits: number;
}

/**
 * Reads a WAV file, and mixes its channels to one.
 * @throws {CallError} `call/bad-wav`, saying what is wrong with it
 */
export function parseWav(bytes: Uint8Array): Pcm {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || tag(bytes, 0) !== 'RIFF' || tag(bytes, 8) !== 'WAVE')
    throw bad('it does not begin as a WAV file does');
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const name = tag(bytes, at);
    const declared = view.getUint32(at + 4, true);
    const body = at + 8;
    if (name === 'fmt ') {
      if (body + 16 > bytes.length) throw bad('it ends inside its format');
      format = readFormat(view, body, declared);
    } else if (name === 'data') {
      if (!format) throw bad('its sound comes before its format');
      const there = bytes.length - body;
      if (declared > there && !isPlaceholder(declared))
        throw bad(`it is cut off: ${there} of ${declared} bytes of sound`);
      return decode(view, body, isPlaceholder(declared) ? there : declared, format);
    }
    at = body + declared + (declared % 2);
  }
  throw bad('there is no sound in it');
}

function readFormat(view: DataView, at: number, length: number): Format {
  const tagged = view.getUint16(at, true);
  // The format proper of the extensible one begins its sub-format GUID.
  const code = tagged === FORMAT_EXTENSIBLE && length >= 26 ? view.getUint16(at + 24, true) : tagged;
  const channels = view.getUint16(at + 2, true);
  const rateHz = view.getUint32(at + 4, true);
  const bits = view.getUint16(at + 14, true);
  const known = (code === FORMAT_PCM && [8, 16, 24, 32].includes(bits)) || (code === FORMAT_FLOAT && bits === 32);
  if (!known) throw bad(`expected PCM or float, got format ${code} with ${bits} bits`);
  if (channels < 1 || channels > 8) throw bad(`expected 1 to 8 channels, got ${channels}`);
  if (rateHz < 4000 || rateHz > 384_000) throw bad(`expected 4 to 384 kHz, got ${rateHz} Hz`);
  return { code, channels, rateHz, bits };
}

function decode(view: DataView, at: number, bytes: number, { code, channels, rateHz, bits }: Format): Pcm {
  const width = bits / 8;
  const frames = Math.floor(bytes / (width * channels));
  if (frames === 0) throw bad('there is no sound in it');
  const read = reader(view, code, bits);
  const samples = new Float32Array(frames);
  for (let i = 0; i < frames; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += read(at + (i * channels + c) * width);
    samples[i] = sum / channels;
  }
  if (!samples.every(Number.isFinite)) throw bad('there are samples in it that are no numbers');
  return { samples, rateHz };
}

function reader(view: DataView, code: number, bits: number): (at: number) => number {
  if (code === FORMAT_FLOAT) return (at) => view.getFloat32(at, true);
  switch (bits) {
    case 8:
      return (at) => (view.getUint8(at) - 128) / 128;
    case 16:
      return (at) => view.getInt16(at, true) / 2 ** 15;
    case 24:
      return (at) => (view.getInt8(at + 2) * 2 ** 16 + view.getUint16(at, true)) / 2 ** 23;
    default:
      return (at) => view.getInt32(at, true) / 2 ** 31;
  }
}

/** 16 bit PCM, one channel or several of one length. */
export function encodeWav(channels: readonly Int16Array[], rateHz: number): Uint8Array {
  const [first] = channels;
  if (!first) throw new RangeError('expected at least one channel');
  if (channels.some(({ length }) => length !== first.length)) throw new RangeError('expected channels of one length');
  const frameBytes = 2 * channels.length;
  const view = new DataView(new ArrayBuffer(44 + first.length * frameBytes));
  const write = (at: number, text: string) => [...text].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  write(0, 'RIFF');
  view.setUint32(4, 36 + first.length * frameBytes, true);
  write(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, FORMAT_PCM, true);
  view.setUint16(22, channels.length, true);
  view.setUint32(24, rateHz, true);
  view.setUint32(28, rateHz * frameBytes, true);
  view.setUint16(32, frameBytes, true);
  view.setUint16(34, 16, true);
  write(36, 'data');
  view.setUint32(40, first.length * frameBytes, true);
  for (let i = 0; i < first.length; i++) {
    channels.forEach((channel, c) => view.setInt16(44 + i * frameBytes + 2 * c, channel[i]!, true));
  }
  return new Uint8Array(view.buffer);
}

export function toInt16(samples: Float32Array): Int16Array {
  return Int16Array.from(samples, (x) => Math.round(Math.min(Math.max(x, -1), 1) * 32_767));
}

export function toFloat(samples: Int16Array): Float32Array {
  return Float32Array.from(samples, (x) => x / 32_768);
}

function tag(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function bad(what: string): CallError {
  return new CallError('call/bad-wav', what);
}
