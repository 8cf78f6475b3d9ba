import { rtpDistance, sequenceDistance } from '@microturn/protocol';
import type { RtpPacket } from './rtp-packet.js';

/** A packet in its place. */
export interface OrderedPacket {
  readonly payload: Uint8Array;
  /** RTP ticks counted on from the start of the stream, so that they never wrap. */
  readonly ticks: number;
  /** Packets before it that did not come. */
  readonly missing: number;
  /** The first of a stream: nothing before it tells where it belongs. */
  readonly first: boolean;
  /** Whether it came before those that follow it: what jitter may be measured by. */
  readonly inTurn: boolean;
  readonly arrivalMs: number;
}

/** How far a packet's RTP time may be from its arrival before it is taken for something else. */
const PLAUSIBLE_MS = 1000;
const PLAUSIBLE_PACKETS = 3000;
/** Two seconds of packets: what may wait for one that is missing. Beyond that the missing ones are given up. */
const HELD_PACKETS = 100;
/** Ticks of the longest Opus packet, 120 ms. */
const LONGEST_TICKS = 5760;

interface Seen {
  readonly packet: RtpPacket;
  readonly arrivalMs: number;
}

interface Placed extends Seen {
  readonly ticks: number;
  readonly inTurn: boolean;
}

/**
 * Puts the packets of one sender in order. A packet behind a gap waits for the missing ones until `release`, which
 * costs nothing, since nobody hears the sound before the micro-turn is cut; so a packet that was sent again still
 * finds its place. Numbers that wrap are unwrapped. A sender that starts over, with another SSRC or another clock,
 * is believed from its second packet on; a single stray packet is dropped.
 */
export class PacketOrder {
  readonly #onPacket: (packet: OrderedPacket) => void;
  readonly #held = new Map<number, Placed>();
  readonly #recent = new RecentNumbers();
  #newest: Placed | undefined;
  #nextSequence = 0;
  #suspect: Seen | undefined;
  #starting = true;
  /** Of packets that came after their place was given up, that came twice, that fit nowhere, and that never came. */
  late = 0;
  duplicates = 0;
  strays = 0;
  lost = 0;

  constructor(onPacket: (packet: OrderedPacket) => void) {
    this.#onPacket = onPacket;
  }

  push(packet: RtpPacket, arrivalMs: number): void {
    const seen = { packet, arrivalMs };
    if (!this.#newest) {
      this.#start(seen);
    } else if (follows(this.#newest, seen)) {
      this.#suspect = undefined;
      this.#place(seen, this.#newest);
    } else if (this.#suspect && follows(this.#suspect, seen)) {
      this.strays--;
      this.release(Infinity);
      this.#place(seen, this.#start(this.#suspect));
    } else {
      this.strays++;
      this.#suspect = seen;
    }
  }

  /** Gives up on what is missing in front of held packets that start before `beforeTicks`. */
  release(beforeTicks: number): void {
    while (this.#held.size > 0) {
      let nearest: Placed | undefined;
      let distance = Infinity;
      for (const held of this.#held.values()) {
        const ahead = sequenceDistance(this.#nextSequence, held.packet.sequenceNumber);
        if (ahead < distance) [nearest, distance] = [held, ahead];
      }
      if (!nearest || nearest.ticks >= beforeTicks) return;
      this.#emit(nearest, distance);
      this.#emitFollowing();
    }
  }

  /** Forgets the stream; the next packet starts one. */
  reset(): void {
    this.#newest = undefined;
    this.#suspect = undefined;
    this.#held.clear();
  }

  #start(seen: Seen): Placed {
    const placed = { ...seen, ticks: seen.packet.rtpTicks, inTurn: true };
    this.#suspect = undefined;
    this.#held.clear();
    this.#recent.clear();
    this.#recent.add(seen.packet.sequenceNumber);
    this.#starting = true;
    this.#newest = placed;
    this.#emit(placed, 0);
    return placed;
  }

  #place(seen: Seen, newest: Placed): void {
    const { sequenceNumber, rtpTicks } = seen.packet;
    if (this.#recent.has(sequenceNumber)) {
      this.duplicates++;
      return;
    }
    this.#recent.add(sequenceNumber);
    const ahead = sequenceDistance(this.#nextSequence, sequenceNumber);
    if (ahead < 0) {
      this.late++;
      return;
    }
    const ticks = newest.ticks + rtpDistance(newest.packet.rtpTicks, rtpTicks);
    const inTurn = sequenceDistance(newest.packet.sequenceNumber, sequenceNumber) > 0;
    const placed = { ...seen, ticks, inTurn };
    if (inTurn) this.#newest = placed;
    if (ahead > 0) {
      this.#held.set(sequenceNumber, placed);
      if (this.#held.size > HELD_PACKETS) this.release(Infinity);
    } else {
      this.#emit(placed, 0);
      this.#emitFollowing();
    }
  }

  #emitFollowing(): void {
    for (let held = this.#held.get(this.#nextSequence); held; held = this.#held.get(this.#nextSequence))
      this.#emit(held, 0);
  }

  #emit(placed: Placed, missing: number): void {
    const { payload, sequenceNumber } = placed.packet;
    this.#held.delete(sequenceNumber);
    this.#nextSequence = (sequenceNumber + 1) & 0xffff;
    this.lost += missing;
    const first = this.#starting;
    this.#starting = false;
    this.#onPacket({
      payload,
      ticks: placed.ticks,
      missing,
      first,
      inTurn: placed.inTurn,
      arrivalMs: placed.arrivalMs,
    });
  }
}

/** Whether two packets can be of one stream: by their numbers, or by the time between them. */
function follows(from: Seen, to: Seen): boolean {
  if (from.packet.ssrc !== to.packet.ssrc) return false;
  const packets = sequenceDistance(from.packet.sequenceNumber, to.packet.sequenceNumber);
  const ticks = rtpDistance(from.packet.rtpTicks, to.packet.rtpTicks);
  if (Math.abs(packets) > PLAUSIBLE_PACKETS) return false;
  if (packets === 0) return ticks === 0;
  if (Math.sign(ticks) !== Math.sign(packets)) return false;
  if (Math.abs(ticks / 48 - (to.arrivalMs - from.arrivalMs)) <= PLAUSIBLE_MS) return true;
  return Math.abs(ticks) <= Math.abs(packets) * LONGEST_TICKS;
}

/** Which of the last sequence numbers have been seen. */
class RecentNumbers {
  readonly #slots = new Int32Array(512).fill(-1);

  has(sequence: number): boolean {
    return this.#slots[sequence & 511] === sequence;
  }

  add(sequence: number): void {
    this.#slots[sequence & 511] = sequence;
  }

  clear(): void {
    this.#slots.fill(-1);
  }
}
