import { describe, expect, it } from 'vitest';
import { CallError } from './call-error.js';
import { encodeWav, parseWav, toInt16 } from './wav.js';

const ramp = Int16Array.from({ length: 100 }, (_, i) => 300 * i);

/** A WAV file with any format and any bytes of sound. */
function wav(
  format: { code: number; channels?: number; rateHz?: number; bits: number },
  sound: Uint8Array,
  declared = sound.length,
): Uint8Array {
  const { code, channels = 1, rateHz = 16_000, bits } = format;
  const bytes = new Uint8Array(44 + sound.length);
  bytes.set(encodeWav([new Int16Array(1)], rateHz).subarray(0, 44));
  const view = new DataView(bytes.buffer);
  view.setUint16(20, code, true);
  view.setUint16(22, channels, true);
  view.setUint16(34, bits, true);
  view.setUint32(40, declared, true);
  bytes.set(sound, 44);
  return bytes;
}

function refusal(bytes: Uint8Array): CallError {
  try {
    parseWav(bytes);
  } catch (error) {
    if (error instanceof CallError) return error;
    throw error;
  }
  throw new Error('expected it to be refused');
}

describe('a WAV file', () => {
  it('is read as it was written', () => {
    const { samples, rateHz } = parseWav(encodeWav([ramp], 22_050));
    expect(rateHz).toBe(22_050);
    expect([...samples]).toEqual([...ramp].map((x) => Math.fround(x / 32_768)));
  });

  it('has its channels mixed to one', () => {
    const { samples } = parseWav(encodeWav([Int16Array.of(1000, -2000), Int16Array.of(3000, 2000)], 48_000));
    expect([...samples]).toEqual([Math.fround(2000 / 32_768), 0]);
  });

  it('may have 8, 24 or 32 bits, or be float', () => {
    expect([...parseWav(wav({ code: 1, bits: 8 }, Uint8Array.of(0, 128, 192))).samples]).toEqual([-1, 0, 0.5]);
    expect([...parseWav(wav({ code: 1, bits: 24 }, Uint8Array.of(0, 0, 0x40, 0, 0, 0xc0))).samples]).toEqual([
      0.5, -0.5,
    ]);
    expect([...parseWav(wav({ code: 1, bits: 32 }, Uint8Array.of(0, 0, 0, 0x40))).samples]).toEqual([0.5]);
    const floats = new Uint8Array(Float32Array.of(0.25, -0.75).buffer);
    expect([...parseWav(wav({ code: 3, bits: 32 }, floats)).samples]).toEqual([0.25, -0.75]);
  });

  it('may come from a program that did not know its length', () => {
    const sound = new Uint8Array(ramp.buffer);
    for (const declared of [0, 0x7fff_f000, 0xffff_ffff]) {
      expect(parseWav(wav({ code: 1, bits: 16 }, sound, declared)).samples).toHaveLength(100);
    }
  });

  it('may have other chunks in front of its sound', () => {
    const plain = encodeWav([ramp], 8_000);
    const list = Uint8Array.of(0x4c, 0x49, 0x53, 0x54, 3, 0, 0, 0, 1, 2, 3, 0);
    const bytes = new Uint8Array(plain.length + list.length);
    bytes.set(plain.subarray(0, 36));
    bytes.set(list, 36);
    bytes.set(plain.subarray(36), 36 + list.length);
    expect(parseWav(bytes).samples).toHaveLength(100);
  });

  it.each([
    ['nothing', new Uint8Array(0), /does not begin/],
    ['another file', new TextEncoder().encode('#!/bin/sh\necho hello world'), /does not begin/],
    ['a header alone', encodeWav([ramp], 8_000).subarray(0, 30), /ends inside its format/],
    ['no sound', wav({ code: 1, bits: 16 }, new Uint8Array(0)), /no sound/],
    ['less sound than it says', wav({ code: 1, bits: 16 }, new Uint8Array(10), 5_000), /cut off: 10 of 5000 bytes/],
    ['an encoding', wav({ code: 7, bits: 8 }, new Uint8Array(10)), /format 7/],
    ['64 bits', wav({ code: 3, bits: 64 }, new Uint8Array(16)), /64 bits/],
    ['0 channels', wav({ code: 1, channels: 0, bits: 16 }, new Uint8Array(16)), /channels/],
    ['an odd rate', wav({ code: 1, rateHz: 10, bits: 16 }, new Uint8Array(16)), /10 Hz/],
    [
      'samples that are no numbers',
      wav({ code: 3, bits: 32 }, new Uint8Array(Float32Array.of(Number.NaN).buffer)),
      /no numbers/,
    ],
  ])('is refused with what is wrong: %s', (_, bytes, what) => {
    const error = refusal(bytes);
    expect(error.code).toBe('call/bad-wav');
    expect(error.message).toMatch(what);
    expect(error.hint).toContain('espeak-ng');
  });

  it('is cut to 16 bits without wrapping', () => {
    expect([...toInt16(Float32Array.of(-2, -1, 0, 1, 2))]).toEqual([-32_767, -32_767, 0, 32_767, 32_767]);
  });
});
