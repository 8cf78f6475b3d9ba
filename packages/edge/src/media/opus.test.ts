import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpusDecoder, OpusEncoder, isDtxPacket, opusPacketTicks, opusRates } from './opus.js';

const tone = (samples: number, rateHz: number, from = 0) =>
  Float32Array.from({ length: samples }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 220 * (from + i)) / rateHz));
const energy = (pcm: Float32Array) => pcm.reduce((sum, sample) => sum + sample * sample, 0) / pcm.length;

describe('opusPacketTicks', () => {
  it.each([
    ['SILK, 10 ms', [0x00], 480],
    ['SILK, 60 ms', [0x18], 2880],
    ['hybrid, 20 ms', [0x68], 960],
    ['CELT, 2.5 ms', [0x80], 120],
    ['CELT, 20 ms', [0xf8], 960],
    ['two frames of one size', [0xf9], 1920],
    ['two frames of two sizes', [0xfa, 1], 1920],
    ['three frames', [0xfb, 3], 2880],
    ['120 ms', [0x1b, 2], 5760],
  ])('reads the length of %s', (_, bytes, ticks) => expect(opusPacketTicks(Uint8Array.from(bytes))).toBe(ticks));

  it('knows what cannot be: nothing, no frames, and more than 120 ms', () => {
    for (const bytes of [[], [0xfb], [0xfb, 0], [0x1b, 3], [0xfb, 63]])
      expect(opusPacketTicks(Uint8Array.from(bytes))).toBeUndefined();
  });
});

describe('OpusEncoder and OpusDecoder', () => {
  it.each(opusRates)('carry speech at %d Hz to 16 kHz, 20 ms a packet', (rateHz) => {
    const encoder = new OpusEncoder(rateHz);
    const decoder = new OpusDecoder(16_000);
    let heard = 0;
    for (let frame = 0; frame < 20; frame++) {
      const payload = encoder.encode(tone(rateHz / 50, rateHz, (frame * rateHz) / 50));
      expect(opusPacketTicks(payload)).toBe(960);
      expect(payload.length).toBeLessThan(400);
      const pcm = decoder.decode(payload)!;
      expect(pcm).toHaveLength(320);
      heard = energy(pcm);
    }
    expect(heard).toBeGreaterThan(0.08);
    expect(heard).toBeLessThan(0.16);
  });

  it('refuse a frame of another length', () => {
    expect(() => new OpusEncoder(24_000).encode(new Float32Array(479))).toThrow(RangeError);
  });

  it('clip what is too loud, and take what is not a number for silence', () => {
    const encoder = new OpusEncoder(16_000);
    const decoder = new OpusDecoder(16_000);
    for (const value of [10, -10, Number.NaN, Infinity]) {
      expect(
        decoder.decode(encoder.encode(new Float32Array(320).fill(value)))!.every((sample) => Math.abs(sample) <= 1),
      ).toBe(true);
    }
  });

  it('conceal what is lost at the length that is asked for, fading', () => {
    const encoder = new OpusEncoder(16_000);
    const decoder = new OpusDecoder(16_000);
    expect(decoder.conceal(100)).toEqual(new Float32Array(100));
    for (let frame = 0; frame < 10; frame++) decoder.decode(encoder.encode(tone(320, 16_000, frame * 320)));
    const concealed = decoder.conceal(1700);
    expect(concealed).toHaveLength(1700);
    expect(energy(concealed.slice(0, 320))).toBeGreaterThan(0.01);
    expect(energy(decoder.conceal(8000).slice(-320))).toBeLessThan(energy(concealed.slice(0, 320)) / 10);
  });

  it('go on after a packet that cannot be decoded as if it had not been there', () => {
    const packets = Array.from(
      { length: 20 },
      (
        (encoder) => (_: unknown, i: number) =>
          encoder.encode(tone(320, 16_000, i * 320)).slice()
      )(new OpusEncoder(16_000)),
    );
    const plain = new OpusDecoder(16_000);
    const disturbed = new OpusDecoder(16_000);
    for (const packet of packets) {
      expect(disturbed.decode(new Uint8Array(30).fill(0xff))).toBeUndefined();
      expect(disturbed.decode(new Uint8Array(0))).toBeUndefined();
      expect(disturbed.decode(packet)).toEqual(plain.decode(packet));
    }
  });

  it('throw at no payload', () => {
    const decoder = new OpusDecoder(16_000);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (payload) => {
        const ticks = opusPacketTicks(payload);
        const pcm = decoder.decode(payload);
        return pcm === undefined || pcm.length === ticks! / 3;
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  it('are silent in a packet of three bytes and less', () => {
    expect(isDtxPacket(Uint8Array.of(0x48))).toBe(true);
    expect(isDtxPacket(new Uint8Array(4))).toBe(false);
  });
});
