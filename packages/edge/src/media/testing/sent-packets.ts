import { Downlink } from '../downlink.js';
import { Histogram } from '../histogram.js';
import { OpusDecoder } from '../opus.js';
import { parseRtpPacket, type RtpPacket } from '../rtp-packet.js';
import { ManualClock } from './manual-clock.js';

export interface SentPacket extends RtpPacket {
  readonly atMs: number;
  /** Loudness of its sound. */
  readonly rms: number;
}

/** A downlink in virtual time, ticked every 5 ms, and what it sent. */
export class DownlinkRun {
  readonly clock: ManualClock;
  readonly sent: SentPacket[] = [];
  readonly started: { responseId: string; atMs: number }[] = [];
  readonly ended: { responseId: string; lengthMs: number; atMs: number }[] = [];
  readonly lateness = new Histogram();
  readonly downlink: Downlink;
  readonly #decoder = new OpusDecoder(16_000);
  #nextTickMs: number;

  constructor({ startMs = 1000, firstRtpTicks = 0xffff_0000, firstSequence = 0xfffa } = {}) {
    this.clock = new ManualClock(startMs);
    this.#nextTickMs = startMs + 2.5;
    this.downlink = new Downlink({
      ssrc: 42,
      payloadType: 111,
      firstSequence,
      firstRtpTicks,
      clock: this.clock,
      send: (bytes) => {
        const packet = parseRtpPacket(bytes)!;
        const pcm = this.#decoder.decode(packet.payload)!;
        this.sent.push({
          ...packet,
          atMs: this.clock.now(),
          rms: Math.sqrt(pcm.reduce((sum, x) => sum + x * x, 0) / pcm.length),
        });
      },
      onStarted: (responseId, atMs) => this.started.push({ responseId, atMs }),
      onSent: (responseId, lengthMs, atMs) => this.ended.push({ responseId, lengthMs, atMs }),
      lateness: this.lateness,
    });
  }

  /** Lets time pass; ticks come `lateMs` after they should. */
  pass(ms: number, lateMs: () => number = () => 0): void {
    const untilMs = this.clock.now() + ms;
    for (; this.#nextTickMs <= untilMs; this.#nextTickMs += 5) {
      const atMs = Math.max(this.clock.now(), this.#nextTickMs + lateMs());
      if (atMs > untilMs) break;
      this.clock.advance(atMs - this.clock.now());
      this.downlink.tick(atMs);
    }
    this.clock.advance(untilMs - this.clock.now());
  }

  /** Nothing runs for so long. */
  stall(ms: number): void {
    this.clock.advance(ms);
    this.#nextTickMs = this.clock.now();
  }

  say(responseId: string, ms: number, { last = true, rateHz = 24_000 } = {}): void {
    const pcm = Float32Array.from(
      { length: (ms * rateHz) / 1000 },
      (_, i) => 0.4 * Math.sin((2 * Math.PI * 300 * i) / rateHz),
    );
    this.downlink.say({ responseId, pcm, rateHz, last });
  }
}
