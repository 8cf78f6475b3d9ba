import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { rtpDistance, sequenceDistance } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { DownlinkRun, type SentPacket } from './testing/sent-packets.js';
import { seededRandom } from '../testing/seeded-random.js';

const ticksBetween = (packets: readonly SentPacket[]) =>
  packets.slice(1).map((p, i) => rtpDistance(packets[i]!.rtpTicks, p.rtpTicks));

/** How far the sound of each packet ends ahead of the moment it was sent, by its timestamp. */
function aheadMs(packets: readonly SentPacket[]): number[] {
  const first = packets[0]!;
  return packets.map((p) => rtpDistance(first.rtpTicks, p.rtpTicks) / 48 + first.atMs + 20 - p.atMs);
}

describe('Downlink', () => {
  it('sends the first frame at once, with the marker, and the rest in time', () => {
    const run = new DownlinkRun();
    run.pass(333);
    run.say('a', 200);
    expect(run.sent).toHaveLength(1);
    expect(run.sent[0]).toMatchObject({ atMs: 1333, marker: true, ssrc: 42, payloadType: 111 });
    expect(run.started).toEqual([{ responseId: 'a', atMs: expect.closeTo(1333, 1) }]);
    run.pass(1000);
    expect(run.sent.slice(1).every((p) => !p.marker)).toBe(true);
    expect(new Set(ticksBetween(run.sent))).toEqual(new Set([960]));
    expect(
      run.sent.slice(1).every((p, i) => sequenceDistance(run.sent[i]!.sequenceNumber, p.sequenceNumber) === 1),
    ).toBe(true);
    expect(Math.max(...aheadMs(run.sent))).toBeLessThanOrEqual(40);
    expect(Math.min(...aheadMs(run.sent))).toBeGreaterThanOrEqual(20);
    expect(run.lateness.maxMs).toBe(0);
  });

  it('ends a spurt with two silent frames, and sends nothing while the agent is silent', () => {
    const run = new DownlinkRun();
    run.say('a', 200);
    run.pass(10_000);
    expect(run.sent).toHaveLength(12);
    expect(run.sent.slice(2, 10).every((p) => p.rms > 0.1)).toBe(true);
    expect(run.sent.at(-1)!.rms).toBeLessThan(0.01);
    expect(run.ended).toEqual([{ responseId: 'a', lengthMs: 200, atMs: expect.any(Number) }]);
  });

  it('lets the timestamp go on with time across a pause, and the sequence by one', () => {
    const run = new DownlinkRun();
    run.say('a', 100);
    run.pass(5000);
    run.say('b', 100);
    run.pass(1000);
    const [last, first] = [run.sent[6]!, run.sent[7]!];
    expect(first.marker).toBe(true);
    expect(first.atMs).toBe(6000);
    expect(rtpDistance(run.sent[0]!.rtpTicks, first.rtpTicks) / 48).toBeCloseTo(5000, 1);
    expect(sequenceDistance(last.sequenceNumber, first.sequenceNumber)).toBe(1);
  });

  it('takes a moment that is not a whole tick of the RTP clock', () => {
    const run = new DownlinkRun({ startMs: 1000.123_456 });
    run.pass(77.777_77);
    run.say('a', 1000);
    run.pass(2000);
    expect(new Set(ticksBetween(run.sent))).toEqual(new Set([960]));
  });

  it('pauses where the next clause is late, and goes on with it at once', () => {
    const run = new DownlinkRun();
    run.say('a', 110, { last: false });
    run.pass(500);
    expect(run.sent).toHaveLength(6 + 2);
    run.say('a', 100);
    expect(run.sent).toHaveLength(9);
    expect(run.sent[8]).toMatchObject({ atMs: 1500, marker: true });
    run.pass(1000);
    expect(run.started).toHaveLength(1);
    expect(run.ended).toEqual([{ responseId: 'a', lengthMs: 210, atMs: expect.any(Number) }]);
    // The second clause begins at 110 ms of the response, wherever the packets were.
    expect(run.downlink.played.runs.map((r) => [r.offsetMs, Math.round(r.endMs - r.startMs)])).toEqual([
      [0, 110],
      [110, 100],
    ]);
  });

  it('goes on without a gap where the next clause comes while the last one plays', () => {
    const run = new DownlinkRun();
    for (let clause = 0; clause < 10; clause++) {
      run.say('a', 95, { last: clause === 9 });
      run.pass(70);
    }
    run.pass(1000);
    expect(run.sent.filter((p) => p.marker)).toHaveLength(1);
    expect(new Set(ticksBetween(run.sent))).toEqual(new Set([960]));
    expect(run.ended[0]!.lengthMs).toBeCloseTo(950, 6);
    expect(run.downlink.played.runs).toHaveLength(1);
  });

  it('goes on in the same spurt where speech comes into its silent end, and never too far ahead', () => {
    const run = new DownlinkRun();
    run.say('a', 100);
    run.pass(105);
    run.say('b', 100);
    run.pass(1000);
    expect(run.sent.filter((p) => p.marker)).toHaveLength(1);
    expect(Math.max(...aheadMs(run.sent))).toBeLessThanOrEqual(40);
    expect(run.ended.map((e) => e.responseId)).toEqual(['a', 'b']);
  });

  it('does not keep a sound that is shorter than a frame for long', () => {
    const run = new DownlinkRun();
    run.say('a', 8, { last: false });
    expect(run.sent).toHaveLength(0);
    run.pass(30);
    expect(run.sent).not.toHaveLength(0);
    const ended = new DownlinkRun();
    ended.say('a', 8);
    expect(ended.sent).toHaveLength(1);
  });

  it('stops with two silent frames where a response is cut, and refuses what comes of it later', () => {
    const run = new DownlinkRun();
    run.say('a', 5000, { last: false });
    run.pass(1000);
    const before = run.sent.length;
    const sentMs = run.downlink.cut('a');
    expect(sentMs).toBeGreaterThanOrEqual(1000);
    expect(sentMs).toBeLessThanOrEqual(1040);
    run.say('a', 1000);
    run.pass(1000);
    expect(run.sent).toHaveLength(before + 2);
    expect(run.sent.at(-1)!.rms).toBeLessThan(0.01);
    expect(run.sent.at(-1)!.atMs).toBeLessThan(2045);
    expect(run.ended).toEqual([]);
  });

  it('leaves a response that waits out where it is cut, and the others as they are', () => {
    const run = new DownlinkRun();
    run.say('a', 200);
    run.say('b', 200);
    run.say('c', 200);
    expect(run.downlink.cut('b')).toBe(0);
    run.pass(1000);
    expect(run.ended.map((e) => [e.responseId, e.lengthMs])).toEqual([
      ['a', 200],
      ['c', 200],
    ]);
    expect(run.sent).toHaveLength(22);
  });

  it('puts silence between a response that was cut and the next', () => {
    const run = new DownlinkRun();
    run.say('a', 1000);
    run.say('b', 200);
    run.pass(100);
    run.downlink.cut('a');
    run.pass(1000);
    const quiet = run.sent.findIndex((p, i) => i > 0 && p.rms < 0.01);
    expect(quiet).toBeGreaterThan(4);
    expect(quiet).toBeLessThan(9);
    expect(run.ended.map((e) => e.responseId)).toEqual(['b']);
    expect(new Set(ticksBetween(run.sent))).toEqual(new Set([960]));
  });

  it('changes rate with the voice', () => {
    const run = new DownlinkRun();
    for (const rateHz of [8000, 16_000, 24_000, 48_000]) run.say(`at ${rateHz}`, 100, { rateHz });
    run.pass(1000);
    expect(run.ended.map((e) => e.lengthMs)).toEqual([100, 100, 100, 100]);
    expect(run.sent).toHaveLength(22);
    expect(run.sent.slice(2, 19).every((p) => p.rms > 0.05)).toBe(true);
  });

  it('keeps its time where ticks are late, and never sends ahead', () => {
    const run = new DownlinkRun();
    const random = seededRandom(1);
    run.say('a', 20_000);
    run.pass(21_000, () => random() * 15);
    expect(new Set(ticksBetween(run.sent))).toEqual(new Set([960]));
    expect(Math.max(...aheadMs(run.sent))).toBeLessThanOrEqual(40);
    expect(run.sent).toHaveLength(1002);
  });

  it('goes on later after a stall, without a burst', () => {
    const run = new DownlinkRun();
    run.say('a', 1000);
    run.pass(300);
    const before = run.sent.length;
    run.stall(500);
    run.pass(30);
    expect(run.sent.length - before).toBeLessThanOrEqual(3);
    run.pass(2000);
    expect(run.ended).toEqual([{ responseId: 'a', lengthMs: 1000, atMs: expect.any(Number) }]);
    expect(Math.max(...aheadMs(run.sent))).toBeLessThanOrEqual(40);
    expect(run.downlink.played.runs.map((r) => Math.round(r.endMs - r.startMs)).reduce((a, b) => a + b)).toBe(1000);
  });

  it('holds no more after ten minutes of talk than after one', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const run = new DownlinkRun();
    const held = () => (collect(), process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers);
    let early = 0;
    for (let second = 0; second < 600; second += 4) {
      run.say(`r${second}`, 500, { last: second % 3 !== 0 });
      run.pass(4000);
      run.sent.length = run.started.length = run.ended.length = 0;
      if (second === 60) early = held();
    }
    // 135 spurts of 32 kB each came in between: 4.3 MB. The rest of the process is the noise.
    expect(held() - early).toBeLessThan(3_500_000);
  });
});
