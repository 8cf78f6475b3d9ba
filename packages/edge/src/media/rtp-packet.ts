/** One RTP packet (RFC 3550). `payload` is a view into the bytes it was parsed from. */
export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  /** 16 bits. */
  readonly sequenceNumber: number;
  /** 32 bits, in RTP ticks. */
  readonly rtpTicks: number;
  readonly ssrc: number;
  /** Empty where a packet only probes or pads. */
  readonly payload: Uint8Array;
}

const FIXED_HEADER_BYTES = 12;

/** Returns `undefined` for anything that is not one whole RTP packet. Header extensions and CSRCs are stepped over. */
export function parseRtpPacket(bytes: Uint8Array): RtpPacket | undefined {
  if (bytes.length < FIXED_HEADER_BYTES) return undefined;
  const first = bytes[0]!;
  if (first >> 6 !== 2) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = FIXED_HEADER_BYTES + (first & 0x0f) * 4;
  if (first & 0x10) {
    if (start + 4 > bytes.length) return undefined;
    start += 4 + view.getUint16(start + 2) * 4;
  }
  let end = bytes.length;
  if (first & 0x20) {
    const padding = bytes[end - 1]!;
    if (padding === 0) return undefined;
    end -= padding;
  }
  if (start > end) return undefined;
  const second = bytes[1]!;
  return {
    payloadType: second & 0x7f,
    marker: second >= 0x80,
    sequenceNumber: view.getUint16(2),
    rtpTicks: view.getUint32(4),
    ssrc: view.getUint32(8),
    payload: bytes.subarray(start, end),
  };
}

/** A packet with the fixed header and nothing more. Numbers are taken modulo the width of their field. */
export function writeRtpPacket(packet: RtpPacket): Uint8Array {
  const bytes = new Uint8Array(FIXED_HEADER_BYTES + packet.payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x80;
  bytes[1] = (packet.marker ? 0x80 : 0) | (packet.payloadType & 0x7f);
  view.setUint16(2, packet.sequenceNumber & 0xffff);
  view.setUint32(4, packet.rtpTicks >>> 0);
  view.setUint32(8, packet.ssrc >>> 0);
  bytes.set(packet.payload, FIXED_HEADER_BYTES);
  return bytes;
}
