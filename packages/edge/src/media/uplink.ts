import { OPUS_TICKS_PER_MS } from '@microturn/protocol';
import { ArrivalClock } from './arrival-clock.js';
import { FloodGate } from './flood-gate.js';
import { OpusDecoder, isDtxPacket, opusPacketTicks, type OpusRate } from './opus.js';
import { PacketOrder, type OrderedPacket } from './packet-order.js';
import { PcmTimeline } from './pcm-timeline.js';
import { parseRtpPacket } from './rtp-packet.js';

/** Beyond this a gap is silence: what libopus makes up has faded by then. */
const CONCEAL_MS = 100;
/** An error of placement above this is jumped, below it is leaned against, and within the last it is left alone. */
const JUMP_MS = 60;
const SLACK_MS = 2;
/** Leaning: two samples in 320, a semitone's tenth. */
const LEAN = 2 / 320;

export interface UplinkOptions {
  readonly rateHz: OpusRate;
  readonly turnSamples: number;
  /** Of the receiver's clock, at place 0. */
  readonly zeroMs: number;
  /** The first that will be cut; 0 where none is given. */
  readonly firstTurn?: number;
}

/** Sound of one micro-turn, as it goes to the model. */
export interface TurnPcm {
  readonly pcm: Float32Array;
  /** Share that was concealed, or missing. Silence that the sender meant is not lost. */
  readonly lost: number;
}

/** Since the row began. */
export interface UplinkStats {
  readonly packets: number;
  /** That never came. */
  readonly lost: number;
  /** That came after their micro-turn was cut. */
  readonly late: number;
  readonly duplicates: number;
  /** No RTP, no Opus, or of another stream. */
  readonly malformed: number;
  /** That nobody looked at: more than any microphone sends. */
  readonly refused: number;
  readonly concealedMs: number;
  readonly jitterMs: number;
}

/**
 * One microphone, from packets to micro-turns: parse, put in order, decode, place by RTP time, cut. There is no jitter
 * buffer: a cut takes what has come, conceals the rest and says how much. Never throws on what a sender sends.
 */
export class Uplink {
  readonly #rateHz: OpusRate;
  readonly #turnSamples: number;
  readonly #zeroMs: number;
  readonly #timeline: PcmTimeline;
  readonly #order: PacketOrder;
  readonly #clock = new ArrivalClock();
  readonly #gate = new FloodGate();
  readonly #decoder: OpusDecoder;
  /** Where the next sample of the stream goes, and the RTP time it has. */
  #cursor = 0;
  #nextTicks = 0;
  #packetTicks = 960;
  /** Whether a stream has begun: before that, what is empty is silence and not loss. */
  #live = false;
  /** What the sender said last was that it is silent. */
  #silent = false;
  #tailConcealed = 0;
  #muted = false;
  #packets = 0;
  #malformed = 0;
  #late = 0;
  #concealedSamples = 0;

  constructor({ rateHz, turnSamples, zeroMs, firstTurn = 0 }: UplinkOptions) {
    this.#rateHz = rateHz;
    this.#turnSamples = turnSamples;
    this.#zeroMs = zeroMs;
    // What was not cut yet, the margin, and a sender whose clock runs a second ahead.
    this.#timeline = new PcmTimeline(2 * turnSamples + rateHz, firstTurn * turnSamples);
    this.#order = new PacketOrder((packet) => this.#accept(packet));
    this.#decoder = new OpusDecoder(rateHz);
  }

  get stats(): UplinkStats {
    return {
      packets: this.#packets,
      lost: this.#order.lost,
      late: this.#late + this.#order.late,
      duplicates: this.#order.duplicates,
      malformed: this.#malformed + this.#order.strays,
      refused: this.#gate.refused,
      concealedMs: (this.#concealedSamples * 1000) / this.#rateHz,
      jitterMs: this.#clock.jitterMs,
    };
  }

  /** Whether the sender said that it is silent, and may send next to nothing. */
  get silent(): boolean {
    return this.#silent;
  }

  /** Whether it sends far more than a microphone does, and goes on with it. */
  get flooded(): boolean {
    return this.#gate.flooded;
  }

  /** How much later than it was spoken, at least, sound stands on the timeline: one packet, and the room for jitter. */
  get placementDelayMs(): number {
    return this.#packetTicks / OPUS_TICKS_PER_MS + this.#clock.marginMs;
  }

  /** Takes what came from the network, whatever it is. */
  push(bytes: Uint8Array, arrivalMs: number): void {
    if (this.#muted) return;
    this.#packets++;
    if (!this.#gate.take(arrivalMs)) return;
    const packet = parseRtpPacket(bytes);
    if (!packet) {
      this.#malformed++;
      return;
    }
    this.#gate.charge((opusPacketTicks(packet.payload) ?? 0) / OPUS_TICKS_PER_MS);
    this.#order.push(packet, arrivalMs);
  }

  /** Micro-turn `index`. Indexes rise; one that is left out is gone. */
  cut(index: number): TurnPcm {
    const from = index * this.#turnSamples;
    const to = from + this.#turnSamples;
    if (this.#live) {
      this.#order.release(this.#nextTicks + this.#toTicks(to - this.#cursor));
      this.#concealTail(from, to);
    }
    const { pcm, concealed, empty } = this.#timeline.cut(from, to);
    const lost = concealed + (this.#live && !this.#silent ? empty : 0);
    this.#concealedSamples += lost;
    return { pcm, lost: lost / this.#turnSamples };
  }

  /** A muted microphone is silence, not loss. */
  set muted(muted: boolean) {
    if (muted === this.#muted) return;
    this.#muted = muted;
    this.restart();
  }

  /** Another sender takes over, or none: the grid stays as it is. */
  restart(): void {
    this.#order.reset();
    this.#clock.reset();
    this.#gate.restart();
    this.#live = false;
    this.#silent = false;
  }

  #accept(packet: OrderedPacket): void {
    if (packet.first) this.#begin(packet);
    else this.#clock.observe(packet.ticks / OPUS_TICKS_PER_MS, packet.arrivalMs, packet.inTurn);
    if (packet.payload.length === 0) return;
    this.#fillGap(packet);
    const ticks = opusPacketTicks(packet.payload) ?? this.#packetTicks;
    const decoded = this.#decoder.decode(packet.payload);
    if (!decoded) this.#malformed++;
    const pcm = decoded ?? this.#decoder.conceal(this.#toSamples(ticks));
    const leaned = stretch(pcm, this.#lean(packet.ticks, pcm.length));
    const placed = decoded ? this.#timeline.write(this.#cursor, leaned) : this.#timeline.conceal(this.#cursor, leaned);
    if (placed === 0) this.#late++;
    this.#cursor += leaned.length;
    this.#nextTicks = packet.ticks + ticks;
    this.#packetTicks = ticks;
    this.#silent = isDtxPacket(packet.payload);
    this.#tailConcealed = 0;
  }

  /** The first packet of a stream: where it belongs, only its arrival tells. */
  #begin(packet: OrderedPacket): void {
    this.#clock.reset();
    this.#clock.observe(packet.ticks / OPUS_TICKS_PER_MS, packet.arrivalMs);
    this.#decoder.reset();
    this.#cursor = this.#placeOf(packet.ticks);
    this.#nextTicks = packet.ticks;
    const { floor } = this.#timeline;
    if (!this.#live) this.#timeline.silence(floor, this.#cursor - floor);
    this.#live = true;
  }

  /** Time without sound in front of a packet: lost as far as packets are missing, the sender's silence beyond that. */
  #fillGap(packet: OrderedPacket): void {
    const gapTicks = packet.ticks - this.#nextTicks;
    if (gapTicks <= 0) {
      this.#cursor += this.#toSamples(gapTicks);
      return;
    }
    const lost = this.#toSamples(Math.min(gapTicks, packet.missing * this.#packetTicks));
    if (lost > 0) {
      // What a cut has concealed already is concealed again here, unheard: the decoder has to pass through it.
      const concealed = this.#decoder.conceal(Math.min(lost, this.#toSamples(CONCEAL_MS * OPUS_TICKS_PER_MS)));
      this.#timeline.conceal(this.#cursor, concealed, lost);
      this.#cursor += lost;
    }
    const silence = this.#toSamples(gapTicks) - lost;
    if (silence <= 0) return;
    // Silence can be made longer or shorter without anybody noticing: the time to put the clock right.
    const right = Math.max(this.#cursor, this.#placeOf(packet.ticks));
    this.#timeline.silence(this.#cursor, right - this.#cursor);
    this.#cursor = right;
  }

  /** Samples by which to stretch (or shorten) this packet so that it ends nearer to where it belongs. */
  #lean(ticks: number, samples: number): number {
    const error = this.#placeOf(ticks) - this.#cursor;
    const errorMs = (Math.abs(error) * 1000) / this.#rateHz;
    if (errorMs <= SLACK_MS) return 0;
    if (errorMs > JUMP_MS) {
      this.#cursor += error;
      return 0;
    }
    return Math.sign(error) * Math.min(Math.abs(error), Math.round(samples * LEAN));
  }

  #concealTail(from: number, to: number): void {
    if (this.#silent) return;
    const start = Math.max(from, this.#cursor);
    if (start >= to) return;
    const left = this.#toSamples(CONCEAL_MS * OPUS_TICKS_PER_MS) - this.#tailConcealed;
    const samples = Math.min(to - start, left);
    if (samples <= 0) return;
    this.#timeline.conceal(start, this.#decoder.conceal(samples));
    this.#tailConcealed += samples;
  }

  #placeOf(ticks: number): number {
    return Math.round(((this.#clock.placeMs(ticks / OPUS_TICKS_PER_MS) - this.#zeroMs) * this.#rateHz) / 1000);
  }

  #toSamples(ticks: number): number {
    return Math.round((ticks * this.#rateHz) / 48_000);
  }

  #toTicks(samples: number): number {
    return Math.round((samples * 48_000) / this.#rateHz);
  }
}

/** The same sound in `pcm.length + by` samples, by straight lines between its own. */
function stretch(pcm: Float32Array, by: number): Float32Array {
  if (by === 0 || pcm.length < 2) return pcm;
  const out = new Float32Array(pcm.length + by);
  const step = (pcm.length - 1) / (out.length - 1);
  for (let i = 0; i < out.length; i++) {
    const at = i * step;
    const left = Math.min(Math.floor(at), pcm.length - 2);
    out[i] = pcm[left]! + (pcm[left + 1]! - pcm[left]!) * (at - left);
  }
  return out;
}
