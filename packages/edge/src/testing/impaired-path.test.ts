import { describe, expect, it } from 'vitest';
import { ImpairedPath, type Impairments } from './impaired-path.js';
import { ManualClock } from './manual-clock.js';

interface Arrival {
  readonly atMs: number;
  readonly packet: number;
}

const PACKETS = 5000;
const EVERY_MS = 20;

/** Sends packets of `bytes` with a number in each, one every 20 ms, and lists what arrives. */
function run(impairments: Impairments, { seed = 1, packets = PACKETS, everyMs = EVERY_MS, bytes = 100 } = {}) {
  const clock = new ManualClock();
  const arrivals: Arrival[] = [];
  const deliver = (bytes: Uint8Array) =>
    arrivals.push({ atMs: clock.now(), packet: new DataView(bytes.buffer).getUint32(0) });
  const path = new ImpairedPath({ clock, after: clock.after, seed, deliver });
  path.impair(impairments);
  for (let i = 0; i < packets; i++) {
    const packet = new Uint8Array(bytes);
    new DataView(packet.buffer).setUint32(0, i);
    path.send(packet);
    clock.advance(everyMs);
  }
  clock.advance(60_000);
  expect(clock.pending).toBe(0);
  return { arrivals, stats: path.stats, delays: arrivals.map(({ atMs, packet }) => atMs - packet * everyMs) };
}

const inOrder = (arrivals: readonly Arrival[]) =>
  arrivals.every(({ packet }, i) => i === 0 || packet > arrivals[i - 1]!.packet);

describe('a path', () => {
  it('that is not impaired delivers everything at once, in order', () => {
    const { arrivals, stats, delays } = run({});
    expect(arrivals).toHaveLength(PACKETS);
    expect(Math.max(...delays)).toBe(0);
    expect(stats).toEqual({
      taken: PACKETS,
      delivered: PACKETS,
      lost: 0,
      dropped: 0,
      reordered: 0,
      duplicated: 0,
      replayed: 0,
    });
  });

  it('does the same again for the same seed, and something else for another', () => {
    const bad = {
      loss: 0.1,
      jitterMs: 100,
      reorder: 0.1,
      duplicate: 0.1,
      replay: 0.1,
      bursts: { everyMs: 5000, lengthMs: 200 },
    };
    expect(run(bad).arrivals).toEqual(run(bad).arrivals);
    expect(run(bad, { seed: 2 }).arrivals).not.toEqual(run(bad).arrivals);
  });

  it.each([0.01, 0.05, 0.2])('loses a share of %d, and no more', (loss) => {
    const { arrivals, stats } = run({ loss });
    expect(stats.lost / PACKETS).toBeGreaterThan(loss * 0.75);
    expect(stats.lost / PACKETS).toBeLessThan(loss * 1.25);
    expect(arrivals).toHaveLength(PACKETS - stats.lost);
    expect(inOrder(arrivals)).toBe(true);
  });

  it('has outages of the length that is asked for, about as often as is asked for', () => {
    const { arrivals } = run({ bursts: { everyMs: 2000, lengthMs: 200 } });
    const gaps = arrivals
      .slice(1)
      .map(({ atMs }, i) => atMs - arrivals[i]!.atMs - EVERY_MS)
      .filter((ms) => ms > 0);
    // Two that follow each other closely look like one.
    const single = gaps.filter((ms) => ms <= 220);
    expect(single.length).toBeGreaterThan(25);
    expect(single.every((ms) => ms >= 180)).toBe(true);
    expect(gaps.length).toBeLessThan(70);
  });

  it('takes its time, and with jitter more or less of it, still in order', () => {
    expect(new Set(run({ delayMs: 35 }).delays)).toEqual(new Set([35]));
    const { arrivals, delays } = run({ delayMs: 20, jitterMs: 120 });
    expect(inOrder(arrivals)).toBe(true);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(20);
    expect(Math.max(...delays)).toBeLessThanOrEqual(140);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(80);
  });

  it('lets a share be overtaken', () => {
    const { arrivals, stats } = run({ reorder: 0.05, reorderMs: 50 });
    expect(arrivals).toHaveLength(PACKETS);
    expect(inOrder(arrivals)).toBe(false);
    const overtaken = arrivals.filter(({ packet }, i) => packet < (arrivals[i - 1]?.packet ?? -1)).length;
    expect(stats.reordered / PACKETS).toBeCloseTo(0.05, 1);
    expect(overtaken).toBeGreaterThan(stats.reordered * 0.8);
  });

  it('delivers a share twice, and replays what is long past', () => {
    const twice = run({ duplicate: 0.1 });
    expect(twice.arrivals).toHaveLength(PACKETS + twice.stats.duplicated);
    expect(twice.stats.duplicated / PACKETS).toBeCloseTo(0.1, 1);
    const { arrivals, stats } = run({ replay: 0.1 });
    expect(arrivals).toHaveLength(PACKETS + stats.replayed);
    const ages = arrivals.map(({ atMs, packet }) => atMs / EVERY_MS - packet).filter((age) => age > 0);
    expect(ages).toHaveLength(stats.replayed);
    expect(Math.max(...ages)).toBeGreaterThan(200);
    expect(Math.max(...ages)).toBeLessThanOrEqual(256);
  });

  it('is as narrow as it is told to be: what does not fit waits, and beyond the queue is lost', () => {
    // 100 bytes every 20 ms are 40 kbit/s.
    const wide = run({ bitsPerSecond: 80_000 });
    expect(new Set(wide.delays)).toEqual(new Set([10]));
    const { arrivals, stats, delays } = run({ bitsPerSecond: 20_000, queueMs: 200 });
    expect(stats.dropped / PACKETS).toBeCloseTo(0.5, 1);
    expect(arrivals).toHaveLength(PACKETS - stats.dropped);
    expect(Math.max(...delays)).toBeLessThanOrEqual(240);
    expect(inOrder(arrivals)).toBe(true);
  });

  it('lets nothing through while it is blocked, and what comes after it', () => {
    const clock = new ManualClock();
    const arrived: number[] = [];
    const path = new ImpairedPath({ clock, after: clock.after, seed: 1, deliver: ([n]) => arrived.push(n!) });
    path.impair({ delayMs: 30 });
    path.send(Uint8Array.of(1));
    path.impair({ blocked: true });
    path.send(Uint8Array.of(2));
    clock.advance(30);
    path.impair({});
    path.send(Uint8Array.of(3));
    expect(arrived).toEqual([1, 3]);
    expect(path.stats).toMatchObject({ taken: 3, delivered: 2, lost: 1 });
  });

  it('that is closed delivers nothing of what was on its way, and leaves no timer', () => {
    const clock = new ManualClock();
    const arrived: Uint8Array[] = [];
    const path = new ImpairedPath({ clock, after: clock.after, seed: 1, deliver: (packet) => arrived.push(packet) });
    path.impair({ delayMs: 30 });
    path.send(Uint8Array.of(1));
    path.close();
    path.close();
    path.send(Uint8Array.of(2));
    clock.advance(1000);
    expect([arrived, clock.pending]).toEqual([[], 0]);
  });

  it('refuses what is no share or time', () => {
    expect(() => run({ loss: -0.1 })).toThrow(RangeError);
    expect(() => run({ jitterMs: Number.NaN })).toThrow('jitterMs');
  });
});
