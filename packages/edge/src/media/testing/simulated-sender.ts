import { OpusEncoder } from '../opus.js';
import { writeRtpPacket } from '../rtp-packet.js';

/** A packet and when it comes. */
export interface Arrival {
  readonly atMs: number;
  readonly bytes: Uint8Array;
}

export interface SenderOptions {
  readonly ssrc?: number;
  readonly firstSequence?: number;
  readonly firstTicks?: number;
  /** Receiver's ms at which the first packet is sent. */
  readonly startMs?: number;
}

const FRAME_MS = 20;

/** Opus of a two-second sweep from 200 Hz to 1 kHz, 20 ms a packet: encoded once, sent over and over. */
const loop: readonly Uint8Array[] = (() => {
  const encoder = new OpusEncoder(16_000);
  return Array.from({ length: 100 }, (_, frame) => {
    const pcm = Float32Array.from({ length: 320 }, (_, i) => {
      const t = (frame * 320 + i) / 16_000;
      return 0.4 * Math.sin(2 * Math.PI * (200 * t + 200 * t * t));
    });
    return encoder.encode(pcm).slice();
  });
})();

/** What a microphone sends on a perfect path: one packet every 20 ms, at the moment its sound ended. */
export function sendPackets(count: number, options: SenderOptions = {}): Arrival[] {
  const { ssrc = 7, firstSequence = 1000, firstTicks = 5000, startMs = 0 } = options;
  return Array.from({ length: count }, (_, i) => ({
    atMs: startMs + i * FRAME_MS,
    bytes: writeRtpPacket({
      payloadType: 111,
      marker: i === 0,
      sequenceNumber: firstSequence + i,
      rtpTicks: firstTicks + i * 960,
      ssrc,
      payload: loop[i % loop.length]!,
    }),
  }));
}

export function byArrival(arrivals: readonly Arrival[]): Arrival[] {
  return [...arrivals].sort((a, b) => a.atMs - b.atMs);
}
