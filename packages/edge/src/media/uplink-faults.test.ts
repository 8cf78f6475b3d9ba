import { describe, expect, it, vi } from 'vitest';
import { ImpairedPath, ManualClock, seededRandom, type Impairments } from '../testing/index.js';
import { OpusDecoder } from './opus.js';
import { PacketOrder } from './packet-order.js';
import { parseRtpPacket, writeRtpPacket } from './rtp-packet.js';
import { sendPackets, type Arrival } from './testing/simulated-sender.js';
import { Uplink, type TurnPcm, type UplinkStats } from './uplink.js';

// The faults of docs/reliability.md that a microphone's packets meet with on their way, in virtual time.

const RATE_HZ = 16_000;
const TURN_MS = 200;
const PACKETS = 1500;
/** The first seconds, in which the uplink learns what the path is like. */
const LEARNT_TURNS = 30;

const START_MS = 100;
const sent = sendPackets(PACKETS, { startMs: START_MS, firstTicks: 0 });

/** What arrives of `packets`; one that is lost is sent again `againMs` after it was missed, as NACK has it. */
function through(impairments: Impairments, { packets = sent, againMs = Infinity, seed = 1 } = {}): Arrival[] {
  const clock = new ManualClock();
  const arrivals: Arrival[] = [];
  const deliver = (bytes: Uint8Array) => arrivals.push({ atMs: clock.now(), bytes });
  const path = new ImpairedPath({ clock, after: clock.after, seed, deliver });
  path.impair(impairments);
  const send = (bytes: Uint8Array) => {
    const { lost } = path.stats;
    path.send(bytes);
    if (path.stats.lost > lost && againMs < Infinity) clock.after(againMs, () => send(bytes));
  };
  for (const { atMs, bytes } of packets) {
    clock.advance(atMs - clock.now());
    send(bytes);
  }
  clock.advance(5000);
  return arrivals;
}

interface Heard {
  readonly turns: readonly TurnPcm[];
  readonly stats: UplinkStats;
  readonly delayMs: number;
}

/** What the model gets of it, micro-turn by micro-turn. */
function hear(arrivals: readonly Arrival[]): Heard {
  const uplink = new Uplink({ rateHz: RATE_HZ, turnSamples: (TURN_MS * RATE_HZ) / 1000, zeroMs: 0 });
  const turns: TurnPcm[] = [];
  let next = 0;
  for (let index = 0; (index + 1) * TURN_MS <= PACKETS * 20; index++) {
    for (; next < arrivals.length && arrivals[next]!.atMs < (index + 1) * TURN_MS; next++)
      uplink.push(arrivals[next]!.bytes, arrivals[next]!.atMs);
    turns.push(uplink.cut(index));
  }
  return { turns, stats: uplink.stats, delayMs: uplink.placementDelayMs };
}

const concealed = ({ turns }: Heard) => {
  const learnt = turns.slice(LEARNT_TURNS);
  return learnt.reduce((sum, { lost }) => sum + lost, 0) / learnt.length;
};
const sound = ({ turns }: Heard) => turns.map(({ pcm }) => pcm);

describe('a microphone on a path that', () => {
  it('fault 11, loses 5 %: of what is sent again 99 % is heard, at most 40 ms later', () => {
    const clean = hear(through({}));
    const lossy = hear(through({ loss: 0.05 }, { againMs: 40 }));
    expect(concealed(lossy)).toBeLessThan(0.01);
    expect(lossy.delayMs - clean.delayMs).toBeLessThanOrEqual(40);
    // Where nothing is sent again, there is no waiting for it.
    const given = hear(through({ loss: 0.05 }));
    expect(concealed(given)).toBeGreaterThan(0.03);
    expect(given.delayMs).toBe(clean.delayMs);
  });

  it('fault 12, loses 20 % and has outages of 200 ms: the model is told how much of each micro-turn was made up', () => {
    const bursts = { everyMs: 2000, lengthMs: 200 };
    const heard = hear(through({ loss: 0.2, bursts }));
    expect(concealed(heard)).toBeGreaterThan(0.2);
    expect(concealed(heard)).toBeLessThan(0.4);
    expect(heard.turns.some(({ lost }) => lost > 0.9)).toBe(true);
    expect(heard.turns.every(({ pcm, lost }) => lost >= 0 && lost <= 1 && pcm.every(Number.isFinite))).toBe(true);
    expect(heard.stats.concealedMs).toBeGreaterThan(0.2 * PACKETS * 20 * 0.9);
  });

  it('fault 13, jitters by 120 ms and mixes 5 % up: what is in time is in order, what is not is dropped and counted', () => {
    const arrivals = through({ jitterMs: 120, reorder: 0.05, reorderMs: 400 });
    const places: number[] = [];
    const order = new PacketOrder(({ ticks }) => places.push(ticks));
    for (const { bytes, atMs } of arrivals) {
      order.push(parseRtpPacket(bytes)!, atMs);
      order.release((atMs - START_MS - TURN_MS) * 48);
    }
    expect(places).toEqual([...places].sort((a, b) => a - b));
    const heard = hear(arrivals);
    expect(heard.stats.late).toBeGreaterThan(PACKETS * 0.03);
    expect(heard.stats.late).toBeLessThan(PACKETS * 0.08);
    expect(concealed(heard)).toBeLessThan(0.1);
    expect(heard.stats.malformed).toBe(0);
  });

  it('fault 14, delivers twice and replays: the sound is that of each packet once, and the others are counted', () => {
    const plain = hear(through({}));
    const twice = hear(through({ duplicate: 0.5 }));
    expect(sound(twice)).toEqual(sound(plain));
    expect(twice.stats.duplicates).toBeGreaterThan(PACKETS * 0.4);
    const replayed = hear(through({ replay: 0.5 }));
    expect(sound(replayed)).toEqual(sound(plain));
    const { duplicates, late, malformed } = replayed.stats;
    expect(duplicates + late + malformed).toBeGreaterThan(PACKETS * 0.4);
  });

  it('fault 15, brings packets of another SSRC, with broken extensions, CSRCs and padding, cut short: none is heard', () => {
    const random = seededRandom(15);
    const plain = hear(sent);
    const mixed = sent.flatMap((arrival) => [arrival, { ...arrival, bytes: damaged(arrival.bytes, random) }]);
    const heard = hear(mixed);
    expect(sound(heard)).toEqual(sound(plain));
    expect(heard.stats.malformed + heard.stats.duplicates).toBeGreaterThan(PACKETS * 0.9);
  });

  it('fault 16, brings Opus that is none: each damaged packet costs its own frame', () => {
    const payloads = [
      new Uint8Array(0),
      Uint8Array.of(0xff),
      new Uint8Array(40).fill(0xff),
      // More than 120 ms, and as much as there may be in too few bytes.
      Uint8Array.of(0x1b, 0x3f, 1, 2, 3),
      Uint8Array.of(0x1b, 0x02, 1, 2, 3, 4),
      Uint8Array.of(0x03),
    ];
    const damage = (i: number) => (i % 100 === 50 ? payloads[((i - 50) / 100) % payloads.length] : undefined);
    const arrivals = sent.map(({ atMs, bytes }, i) => {
      const payload = damage(i);
      return payload ? { atMs, bytes: writeRtpPacket({ ...parseRtpPacket(bytes)!, payload }) } : { atMs, bytes };
    });
    const heard = hear(arrivals);
    const damagedPackets = sent.filter((_, i) => damage(i)).length;
    // An empty payload is padding, which is no damage; a frame that is 120 ms long says that it fills them.
    expect(heard.stats.malformed).toBeGreaterThan(damagedPackets * 0.6);
    expect(concealed(heard) * heard.turns.length * TURN_MS).toBeLessThan(damagedPackets * 25);
    const good = heard.turns.filter(({ lost }) => lost === 0).length;
    expect(good).toBeGreaterThanOrEqual(heard.turns.length - 2 * damagedPackets - 1);
  });
});

describe('fault 46, a microphone that floods', () => {
  /** Two bytes that decode to 120 ms of nothing. */
  const payload = Uint8Array.of((31 << 3) | 3, 6);
  const open = () => new Uplink({ rateHz: RATE_HZ, turnSamples: (TURN_MS * RATE_HZ) / 1000, zeroMs: 0 });
  const flood = (uplink: Uplink, fromMs: number, count: number, everyMs: number) => {
    for (let i = 0; i < count; i++) {
      const header = { payloadType: 111, marker: false, sequenceNumber: 20_000 + i, rtpTicks: 9000 + i, ssrc: 7 };
      uplink.push(writeRtpPacket({ ...header, payload }), fromMs + i * everyMs);
    }
  };

  it('costs no more than a bound, is counted, and is heard again as soon as it stops', () => {
    const decode = vi.spyOn(OpusDecoder.prototype, 'decode');
    try {
      const uplink = open();
      const say = (fromTurn: number, toTurn: number) => {
        const turns: TurnPcm[] = [];
        for (let index = fromTurn; index < toTurn; index++) {
          for (const { atMs, bytes } of sent) if (Math.floor(atMs / TURN_MS) === index) uplink.push(bytes, atMs);
          turns.push(uplink.cut(index));
        }
        return turns;
      };
      say(0, 20);
      decode.mockClear();
      flood(uplink, 20 * TURN_MS, 5000, TURN_MS / 5000);
      uplink.cut(20);
      expect(decode.mock.calls.length).toBeLessThan(250);
      expect(uplink.stats.refused).toBeGreaterThan(4700);
      expect(uplink.flooded).toBe(false);
      const after = say(21, 30);
      expect(after[0]!.lost).toBeLessThan(0.5);
      expect(after.slice(1).every(({ lost }) => lost === 0)).toBe(true);
      expect(uplink.stats.refused).toBeLessThan(5000);
    } finally {
      decode.mockRestore();
    }
  });

  it('for longer than a burst lasts is known for one; another stream in its place is judged for itself', () => {
    const uplink = open();
    flood(uplink, 0, 4000, 0.2);
    expect(uplink.flooded).toBe(false);
    flood(uplink, 800, 2000, 0.2);
    expect(uplink.flooded).toBe(true);
    uplink.restart();
    expect(uplink.flooded).toBe(false);
    for (const { atMs, bytes } of sent.slice(0, 100)) uplink.push(bytes, 1200 + atMs);
    expect(uplink.flooded).toBe(false);
  });

  it.each([
    ['pause', () => undefined],
    ['other stream', (uplink: Uplink) => uplink.restart()],
    ['mute', (uplink: Uplink) => ((uplink.muted = true), (uplink.muted = false))],
  ])(
    'is known for one where what floods begins again after each %s, and not where a burst comes now and then',
    (_, between) => {
      const seconds = (count: number, everyMs: number) => {
        const uplink = open();
        for (let i = 0; i < count; i++) {
          flood(uplink, i * everyMs, 4500, 0.2);
          if (uplink.flooded) return i;
          between(uplink);
        }
        return count;
      };
      expect(seconds(10, 1150)).toBe(1);
      expect(seconds(10, 12_000)).toBe(10);
    },
  );

  it.each([
    [10_000, 20],
    [4000, 10],
    [2000, 2.5],
  ])('is none that brings at once what a path held back for %i ms, in packets of %d ms', (heldMs, packetMs) => {
    const uplink = open();
    const count = heldMs / packetMs + 400;
    const config = { 20: 31, 10: 30, 2.5: 28 }[packetMs]!;
    for (let i = 0; i < count; i++) {
      const header = { payloadType: 111, marker: false, sequenceNumber: i, rtpTicks: i * packetMs * 48, ssrc: 7 };
      uplink.push(writeRtpPacket({ ...header, payload: Uint8Array.of(config << 3) }), Math.max(heldMs, i * packetMs));
    }
    expect([uplink.stats.refused, uplink.flooded]).toEqual([0, false]);
  });
});

/** A packet of this stream with something wrong in its header. */
function damaged(bytes: Uint8Array, random: () => number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  switch (Math.floor(random() * 6)) {
    case 0: // another SSRC
      copy.set([9, 9, 9, Math.floor(random() * 256)], 8);
      return copy;
    case 1: // an extension longer than the packet
      copy[0] = 0x90;
      copy.set([0xbe, 0xde, 0xff, 0xff], 12);
      return copy;
    case 2: // more CSRCs than fit
      copy[0] = 0x8f;
      return copy.subarray(0, 40);
    case 3: // more padding than there is
      copy[0] = 0xa0;
      copy[copy.length - 1] = 0xff;
      return copy.subarray(0, 30);
    case 4: // another version
      copy[0] = 0x40;
      return copy;
    default: // cut in the header
      return copy.subarray(0, Math.floor(random() * 12));
  }
}
