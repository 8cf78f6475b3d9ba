import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRtpPacket, writeRtpPacket } from './rtp-packet.js';

const packet = fc.record({
  payloadType: fc.nat(127),
  marker: fc.boolean(),
  sequenceNumber: fc.nat(0xffff),
  rtpTicks: fc.nat(0xffff_ffff),
  ssrc: fc.nat(0xffff_ffff),
  payload: fc.uint8Array({ maxLength: 200 }),
});

/** 0xBEDE extension of 8 bytes, two CSRCs, and three bytes of padding around the payload 1, 2, 3. */
const decorated = Uint8Array.from([
  0xb2, 0xef, 0x12, 0x34, 0, 0, 0, 9, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 1, 0, 0, 0, 2, 0xbe, 0xde, 0, 2, 0x10, 0x31, 0,
  0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 3,
]);

describe('RTP packets', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(packet, (given) => void expect(parseRtpPacket(writeRtpPacket(given))).toEqual(given)),
      { seed: 1 },
    );
  });

  it('are read past sources, header extension and padding', () => {
    expect(parseRtpPacket(decorated)).toEqual({
      payloadType: 111,
      marker: true,
      sequenceNumber: 0x1234,
      rtpTicks: 9,
      ssrc: 0xdead_beef,
      payload: Uint8Array.of(1, 2, 3),
    });
  });

  it('are read out of a buffer that holds more', () => {
    const around = new Uint8Array(100).fill(0xff);
    around.set(decorated, 7);
    expect(parseRtpPacket(around.subarray(7, 7 + decorated.length))?.payload).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('are refused where they are cut short, whatever is missing', () => {
    for (let length = 0; length < 32; length++) expect(parseRtpPacket(decorated.slice(0, length))).toBeUndefined();
  });

  it('are refused with another version, and with padding that cannot be', () => {
    expect(parseRtpPacket(Uint8Array.from(decorated, (byte, i) => (i === 0 ? byte & 0x3f : byte)))).toBeUndefined();
    for (const padding of [0, 7, 255]) {
      expect(
        parseRtpPacket(Uint8Array.from(decorated, (byte, i) => (i === decorated.length - 1 ? padding : byte))),
      ).toBeUndefined();
    }
  });

  it('are refused without a throw where they are garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void parseRtpPacket(bytes)),
      { seed: 2, numRuns: 2000 },
    );
  });
});
