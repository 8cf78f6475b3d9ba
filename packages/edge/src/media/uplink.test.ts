import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRtpPacket, writeRtpPacket } from './rtp-packet.js';
import { seededRandom } from '../testing/seeded-random.js';
import { byArrival, sendPackets, type Arrival } from './testing/simulated-sender.js';
import { Uplink, type TurnPcm } from './uplink.js';

const RATE = 16_000;

interface Run {
  readonly turns: TurnPcm[];
  readonly pcm: Float32Array;
  readonly uplink: Uplink;
}

/** Plays arrivals into an uplink, and cuts each micro-turn when it is due. */
function play(arrivals: readonly Arrival[], { turnMs = 200, untilMs = 4000 } = {}): Run {
  const turnSamples = (turnMs * RATE) / 1000;
  const uplink = new Uplink({ rateHz: RATE, turnSamples, zeroMs: 0 });
  const turns: TurnPcm[] = [];
  let next = 0;
  for (let index = 0; (index + 1) * turnMs <= untilMs; index++) {
    for (; next < arrivals.length && arrivals[next]!.atMs < (index + 1) * turnMs; next++) {
      uplink.push(arrivals[next]!.bytes, arrivals[next]!.atMs);
    }
    turns.push(uplink.cut(index));
  }
  const pcm = new Float32Array(turns.length * turnSamples);
  turns.forEach((turn, i) => pcm.set(turn.pcm, i * turnSamples));
  return { turns, pcm, uplink };
}

function lostShare(turns: readonly TurnPcm[]): number {
  return turns.reduce((sum, turn) => sum + turn.lost, 0) / turns.length;
}

/** First sample of sound that goes on for 40 ms. */
function onset(pcm: Float32Array, from = 0): number {
  const loud = (i: number) => pcm.subarray(i, i + 160).some((sample) => Math.abs(sample) > 0.05);
  for (let i = from; i + 640 <= pcm.length; i++) {
    if (Math.abs(pcm[i]!) > 0.01 && [0, 160, 320, 480].every((ahead) => loud(i + ahead))) return i;
  }
  return -1;
}

describe('Uplink on a clean path', () => {
  it('places sound by its arrival and a margin, and loses nothing', () => {
    const { turns, pcm, uplink } = play(sendPackets(250, { startMs: 500 }), { untilMs: 5000 });
    expect(turns).toHaveLength(25);
    expect(lostShare(turns)).toBe(0);
    // 500 ms, and up to 40 ms of margin with the encoder's 6.5 ms of look-ahead.
    expect(onset(pcm) / 16).toBeGreaterThan(500);
    expect(onset(pcm) / 16).toBeLessThan(550);
    expect(uplink.stats).toMatchObject({ lost: 0, late: 0, malformed: 0, concealedMs: 0 });
    expect(uplink.stats.jitterMs).toBeLessThan(1);
  });

  it('gives the same sound however it is cut', () => {
    const arrivals = sendPackets(200, { startMs: 37 });
    const whole = play(arrivals, { turnMs: 1000 }).pcm;
    for (const turnMs of [20, 40, 80, 100, 200, 500]) expect(play(arrivals, { turnMs }).pcm).toEqual(whole);
  });

  it('keeps cutting for ever where nothing arrives, and calls it silence', () => {
    const { turns } = play([], { untilMs: 2000 });
    expect(turns).toHaveLength(10);
    expect(turns.every((turn) => turn.lost === 0 && turn.pcm.every((sample) => sample === 0))).toBe(true);
  });

  it('goes on where numbers and timestamps wrap', () => {
    const plain = play(sendPackets(200)).pcm;
    const wrapped = play(sendPackets(200, { firstSequence: 0xfff0, firstTicks: 0xffff_f000 }));
    expect(wrapped.pcm).toEqual(plain);
    expect(lostShare(wrapped.turns)).toBe(0);
  });

  it('starts in the middle of a session, and skips turns without losing its place', () => {
    const uplink = new Uplink({ rateHz: RATE, turnSamples: 3200, zeroMs: 0, firstTurn: 5000 });
    for (const { bytes, atMs } of sendPackets(100, { startMs: 1_000_000 })) uplink.push(bytes, atMs);
    const first = uplink.cut(5000);
    const fourth = uplink.cut(5003);
    expect(onset(first.pcm)).toBeGreaterThan(0);
    expect(onset(fourth.pcm)).toBeGreaterThanOrEqual(0);
    expect(fourth.lost).toBe(0);
  });
});

describe('Uplink before the session’s first micro-turn', () => {
  it('leaves out what was sent before it, and loses nothing of it', () => {
    const uplink = new Uplink({ rateHz: RATE, turnSamples: 3200, zeroMs: 190 });
    for (const { bytes, atMs } of sendPackets(20, { startMs: 0 })) uplink.push(bytes, atMs);
    const first = uplink.cut(0);
    expect(first.lost).toBe(0);
    expect(onset(first.pcm) / 16).toBeLessThan(1);
  });
});

describe('Uplink on a rough path', () => {
  const clean = sendPackets(1000, { startMs: 100 });

  it('loses nothing to ordinary jitter', () => {
    const random = seededRandom(1);
    const { turns, uplink } = play(byArrival(clean.map((a) => ({ ...a, atMs: a.atMs + random() * 12 }))), {
      untilMs: 20_000,
    });
    expect(lostShare(turns.slice(1))).toBe(0);
    expect(uplink.placementDelayMs).toBeLessThan(20 + 40);
  });

  it('takes more room where jitter is more, and then loses next to nothing', () => {
    const random = seededRandom(2);
    const { turns, uplink } = play(byArrival(clean.map((a) => ({ ...a, atMs: a.atMs + random() * 60 }))), {
      untilMs: 20_000,
    });
    expect(lostShare(turns.slice(15, 99))).toBeLessThan(0.01);
    expect(uplink.stats.jitterMs).toBeGreaterThan(5);
  });

  it('puts packets in order, and takes each once', () => {
    const random = seededRandom(3);
    const swapped = clean.flatMap((a, i) => {
      const moved = { ...a, atMs: i % 7 === 3 ? a.atMs + 25 : a.atMs };
      return random() < 0.1 ? [moved, { ...moved, atMs: moved.atMs + random() * 100 }] : [moved];
    });
    const steady = play(clean, { untilMs: 20_000 });
    const { turns, uplink } = play(byArrival(swapped), { untilMs: 20_000 });
    expect(lostShare(turns.slice(2))).toBeLessThan(0.01);
    expect(uplink.stats.lost).toBeLessThan(10);
    expect(onset(steady.pcm)).toBeGreaterThan(0);
  });

  it('finds the place of a packet that is sent again before the cut', () => {
    const again = byArrival(clean.map((a, i) => (i % 10 === 7 ? { ...a, atMs: a.atMs + 35 } : a)));
    const { turns, uplink } = play(again, { turnMs: 1000, untilMs: 20_000 });
    expect(uplink.stats.lost).toBeLessThan(3);
    expect(lostShare(turns)).toBeLessThan(0.005);
  });

  it.each([0.01, 0.05, 0.2])('conceals a loss of %d, and says how much', (loss) => {
    const random = seededRandom(4);
    const { turns, pcm, uplink } = play(
      clean.filter((_, i) => i === 0 || random() >= loss),
      { untilMs: 20_000 },
    );
    expect(pcm).toHaveLength(20 * RATE);
    expect(lostShare(turns.slice(1, 99))).toBeGreaterThan(loss * 0.6);
    expect(lostShare(turns.slice(1, 99))).toBeLessThan(loss * 1.6);
    expect(uplink.stats.lost / 1000).toBeCloseTo(loss, 1);
    const silence = pcm.slice(RATE, 19 * RATE).filter((sample) => sample === 0).length;
    expect(silence / (18 * RATE)).toBeLessThan(0.02 + loss / 4);
  });

  it('does not let loss move what comes after it', () => {
    const whole = play(clean, { untilMs: 20_000 }).pcm;
    const { pcm } = play(
      clean.filter((_, i) => i < 400 || i >= 425),
      { untilMs: 20_000 },
    );
    expect(pcm.slice(16 * RATE)).toHaveLength(4 * RATE);
    expect(bestShift(whole, pcm, 16 * RATE)).toBe(0);
  });

  it('calls an outage lost, and silence that was announced silence', () => {
    const cut = clean.slice(0, 100);
    expect(
      play(cut, { untilMs: 4000 })
        .turns.slice(12)
        .every((turn) => turn.lost === 1),
    ).toBe(true);
    const dtx = [...cut, packetLike(cut.at(-1)!, { ahead: 1, payload: Uint8Array.of(0x48) })];
    expect(
      play(dtx, { untilMs: 4000 })
        .turns.slice(12)
        .every((turn) => turn.lost === 0),
    ).toBe(true);
  });

  it('fills the gaps of a sender that is silent, by RTP time', () => {
    const dtx: Arrival[] = [];
    for (let i = 0; i < 1000; i++) {
      const speech = i % 200 < 100;
      // 400 ms between the packets of silence, one byte each; sequence numbers count packets, not time.
      if (speech || i % 20 === 0)
        dtx.push(packetLike(clean[i]!, { sequence: dtx.length, ...(speech ? {} : { payload: Uint8Array.of(0x48) }) }));
    }
    const { turns, pcm } = play(dtx, { untilMs: 20_000 });
    expect(lostShare(turns)).toBe(0);
    for (let second = 4; second < 20; second += 4) {
      const from = (second - 0.5) * RATE;
      expect(onset(pcm, from) / 16 - second * 1000).toBeGreaterThan(90);
      expect(onset(pcm, from) / 16 - second * 1000).toBeLessThan(150);
    }
  });

  it.each([
    ['another SSRC', { ssrc: 99, firstSequence: 5, firstTicks: 77 }],
    ['the same SSRC and another clock', { firstSequence: 40_000, firstTicks: 3_000_000_000 }],
    ['the same SSRC, its numbers going on', { firstSequence: 1100, firstTicks: 3_000_000_000 }],
  ])('keeps the grid when the sender restarts with %s', (_, options) => {
    const restarted = [...sendPackets(100, { startMs: 100 }), ...sendPackets(100, { startMs: 2100, ...options })];
    const { turns } = play(restarted, { untilMs: 4000 });
    expect(turns).toHaveLength(20);
    expect(lostShare(turns.slice(12))).toBe(0);
    expect(lostShare(turns)).toBeLessThan(0.03);
  });

  it('drops what comes after its micro-turn, and counts it', () => {
    const late = byArrival(clean.map((a, i) => (i >= 300 && i < 320 ? { ...a, atMs: a.atMs + 900 } : a)));
    const { turns, uplink } = play(late, { untilMs: 20_000 });
    expect(uplink.stats.late).toBeGreaterThanOrEqual(18);
    expect(lostShare(turns.slice(60))).toBe(0);
  });

  it('follows a path that gets slower for good, and one that gets faster', () => {
    const moved = clean.map((a, i) => ({ ...a, atMs: a.atMs + (i >= 200 && i < 600 ? 300 : 0) }));
    const { turns } = play(byArrival(moved), { untilMs: 20_000 });
    expect(lostShare(turns.slice(32, 60))).toBe(0);
    expect(lostShare(turns.slice(70))).toBe(0);
  });

  it('takes the burst after a stall for what it is: late', () => {
    const stalled = clean.map((a) => ({ ...a, atMs: a.atMs > 5000 && a.atMs < 8000 ? 8000 : a.atMs }));
    const { turns } = play(byArrival(stalled), { untilMs: 20_000 });
    expect(lostShare(turns.slice(41))).toBeLessThan(0.005);
  });

  it('makes silence of a muted microphone, and goes on after it', () => {
    const uplink = new Uplink({ rateHz: RATE, turnSamples: 3200, zeroMs: 0 });
    const turns: TurnPcm[] = [];
    for (let i = 0; i < 200; i++) {
      if (i === 50) uplink.muted = true;
      if (i === 150) uplink.muted = false;
      uplink.push(clean[i]!.bytes, clean[i]!.atMs - 100);
      if (i % 10 === 9) turns.push(uplink.cut((i - 9) / 10));
    }
    expect(turns.every((turn) => turn.lost === 0)).toBe(true);
    expect(onset(turns[7]!.pcm)).toBe(-1);
    expect(onset(turns[16]!.pcm)).toBeGreaterThanOrEqual(0);
  });
});

describe('Uplink over time', () => {
  it.each([-200, 200])('follows a clock that is %d ppm off', (ppm) => {
    const count = 15_000;
    const drifting = sendPackets(count).map((a) => ({ ...a, atMs: a.atMs * (1 + ppm / 1e6) }));
    const { turns } = play(drifting, { untilMs: count * 20 - 1000 });
    expect(lostShare(turns.slice(1))).toBeLessThan(0.0005);
    expect(Math.max(...turns.slice(-50).map((turn) => turn.lost))).toBe(0);
  });

  it('holds no more after ten minutes than after one', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    // What the decoder gave out is let go of in a later turn of the event loop than the one that collects it.
    const heldBytes = async () => {
      for (let i = 0; i < 3; i++) {
        gc();
        await new Promise(setImmediate);
      }
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const uplink = new Uplink({ rateHz: RATE, turnSamples: 3200, zeroMs: 0 });
    const packets = sendPackets(100);
    const random = seededRandom(5);
    let early = 0;
    for (let i = 0; i < 30_000; i++) {
      const packet = parseRtpPacket(packets[i % 100]!.bytes)!;
      const bytes = writeRtpPacket({ ...packet, sequenceNumber: i, rtpTicks: i * 960 });
      if (random() > 0.02) uplink.push(bytes, i * 20 + random() * 8);
      if (i % 10 === 9) uplink.cut((i - 9) / 10);
      if (i === 3000) early = await heldBytes();
    }
    const grown = (await heldBytes()) - early;
    // A packet is 1.3 kB of PCM: even a tenth of each would be 3.5 MB. The rest of the process is the noise.
    expect(grown).toBeLessThan(3_500_000);
    expect(uplink.stats.packets).toBeGreaterThan(29_000);
  });
});

describe('Uplink and garbage', () => {
  it('throws at nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 60 }), (packets) => {
        const uplink = new Uplink({ rateHz: RATE, turnSamples: 3200, zeroMs: 0 });
        packets.forEach((bytes, i) => uplink.push(bytes, i * 20));
        const turn = uplink.cut(0);
        return turn.pcm.length === 3200 && turn.pcm.every(Number.isFinite) && turn.lost >= 0 && turn.lost <= 1;
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('throws at no payload and no header that is almost right', () => {
    const header = fc.record({
      payloadType: fc.nat(127),
      marker: fc.boolean(),
      sequenceNumber: fc.nat(0xffff),
      rtpTicks: fc.nat(0xffff_ffff),
      ssrc: fc.nat(2),
      payload: fc.uint8Array({ maxLength: 80 }),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(header, fc.nat(100)), { maxLength: 80 }), (packets) => {
        const uplink = new Uplink({ rateHz: RATE, turnSamples: 3200, zeroMs: 0 });
        let atMs = 0;
        packets.forEach(([packet, gapMs]) => uplink.push(writeRtpPacket(packet), (atMs += gapMs)));
        return [0, 1, 2, 9].every((index) => {
          const turn = uplink.cut(index);
          return turn.pcm.length === 3200 && turn.pcm.every(Number.isFinite) && turn.lost >= 0 && turn.lost <= 1;
        });
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  it('is not disturbed by stray packets in a good stream', () => {
    const random = seededRandom(6);
    const good = sendPackets(200);
    const mixed = good.flatMap((a) => {
      const junk = Uint8Array.from({ length: Math.floor(random() * 80) }, () => random() * 256);
      const foreign = writeRtpPacket({
        payloadType: 0,
        marker: true,
        sequenceNumber: random() * 65_536,
        rtpTicks: random() * 2 ** 32,
        ssrc: random() * 2 ** 32,
        payload: junk,
      });
      return [a, { atMs: a.atMs, bytes: junk }, { atMs: a.atMs, bytes: foreign }];
    });
    const { pcm, uplink } = play(mixed);
    expect(pcm).toEqual(play(good).pcm);
    expect(uplink.stats.malformed).toBeGreaterThan(300);
  });

  it('keeps a bad Opus payload to its own frame', () => {
    const good = sendPackets(200);
    const bad = good.map((a, i) => (i === 100 ? packetLike(a, { payload: new Uint8Array(40).fill(0xff) }) : a));
    const { turns, uplink } = play(bad);
    expect(uplink.stats.malformed).toBe(1);
    expect(lostShare(turns) * turns.length * 200).toBeCloseTo(20, 0);
  });
});

/** The packet of an arrival with some of it changed. */
function packetLike(
  arrival: Arrival,
  { ahead = 0, sequence, payload }: { ahead?: number; sequence?: number; payload?: Uint8Array },
): Arrival {
  const packet = parseRtpPacket(arrival.bytes)!;
  return {
    atMs: arrival.atMs + ahead * 20,
    bytes: writeRtpPacket({
      ...packet,
      sequenceNumber: sequence ?? packet.sequenceNumber + ahead,
      rtpTicks: packet.rtpTicks + ahead * 960,
      payload: payload ?? packet.payload,
    }),
  };
}

/** By how many samples `b` has to be moved to fit `a`, in a window of a fifth of a second. */
function bestShift(a: Float32Array, b: Float32Array, from: number): number {
  let best = 0;
  let most = -Infinity;
  for (let shift = -320; shift <= 320; shift++) {
    let sum = 0;
    for (let i = from; i < from + 3200; i++) sum += a[i]! * b[i + shift]!;
    if (sum > most) [best, most] = [shift, sum];
  }
  return best;
}
