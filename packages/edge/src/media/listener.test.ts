import { describe, expect, it, vi } from 'vitest';
import { Listener } from './listener.js';
import { OPUS_LOOKAHEAD_MS } from './opus.js';
import { PlayoutMap } from './playout-map.js';
import { DownlinkRun } from './testing/sent-packets.js';

/** A listener whose ear is `earMs` behind the edge. */
function setUp(earMs = 60) {
  const run = new DownlinkRun();
  const listener = new Listener(run.downlink);
  /** What a browser would name: the packet whose sound is at the ear now. */
  const named = () => {
    const heardAt = run.clock.now() - earMs;
    let last = run.sent[0]!.rtpTicks;
    for (const { rtpTicks } of run.sent) if (run.downlink.dueMsOf(rtpTicks) <= heardAt) last = rtpTicks;
    return last;
  };
  const report = (state: 'playing' | 'muted' = 'playing', outputLatencyMs = 0) =>
    listener.report({ rtpTimestamp: named(), outputLatencyMs, state }, run.clock.now());
  return { run, listener, report };
}

/** A voice whose RTP timestamps are ms, and a listener who is at the end of it. */
function timeline() {
  const played = new PlayoutMap();
  const looked = vi.spyOn(played, 'lengthAt');
  let untilMs = 0;
  const listener = new Listener({
    played,
    sent: { read: () => {} },
    get sentUntilMs() {
      return untilMs;
    },
    dueMsOf: (ticks) => ticks,
  });
  const say = (responseId: string, speechMs: number) => {
    played.add(untilMs, { responseId, offsetMs: 0, speechMs, pcm: new Float32Array(0), rateHz: 24_000 });
    untilMs += speechMs + 10;
  };
  const report = (state: 'playing' | 'muted' = 'playing') =>
    listener.report({ rtpTimestamp: untilMs - 1, outputLatencyMs: 0, state }, untilMs);
  return { looked, say, report };
}

describe('Listener: heard', () => {
  it('follows the listener to the end of a response', () => {
    const { run, report } = setUp();
    run.say('a', 1000);
    const seen: number[] = [];
    for (let i = 0; i < 15; i++) {
      run.pass(100);
      seen.push(...report().map((heard) => heard.heardMs));
    }
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(1000);
    // 100 ms after the start, 60 ms of it on the way: 40 heard, to a packet.
    expect(Math.abs(seen[0]! - 40)).toBeLessThan(20);
  });

  it('is right on the average: a packet is named from half its length early to half late', () => {
    const errors: number[] = [];
    for (let offset = 0; offset < 20; offset++) {
      const { run, listener } = setUp();
      run.say('a', 1000);
      run.pass(500 + offset);
      const playheadMs = 500 + offset - 60;
      // As measured in Chromium: named from about 10 ms before its sound comes out.
      const packet = run.sent[Math.floor((playheadMs + 10) / 20)]!;
      const [heard] = listener.report(
        { rtpTimestamp: packet.rtpTicks, outputLatencyMs: 0, state: 'playing' },
        run.clock.now(),
      );
      errors.push(heard!.heardMs + OPUS_LOOKAHEAD_MS - playheadMs);
    }
    expect(Math.abs(errors.reduce((a, b) => a + b) / errors.length)).toBeLessThan(1.5);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThanOrEqual(11);
  });

  it('takes off the latency of the output', () => {
    const { run, report } = setUp();
    run.say('a', 1000);
    run.pass(500);
    expect(report('playing', 100)[0]!.heardMs).toBeCloseTo(500 - 60 - 100, -1.5);
  });

  it('hears the end of a response where the last packet stays named, behind a slow output', () => {
    const { run, report } = setUp();
    run.say('a', 500);
    run.pass(620);
    expect(report('playing', 200)[0]!.heardMs).toBeLessThan(450);
    run.pass(300);
    expect(report('playing', 200)[0]!.heardMs).toBe(500);
  });

  it('stops at the mute, and begins again with the next response', () => {
    const { run, report } = setUp();
    run.say('a', 2000);
    run.pass(1000);
    const [atMute] = report('muted');
    expect(Math.abs(atMute!.heardMs - 940)).toBeLessThan(25);
    run.pass(500);
    expect(report()).toEqual([atMute]);
    run.downlink.cut('a');
    run.pass(1000);
    expect(report()).toEqual([atMute]);
    run.say('b', 1000);
    run.pass(500);
    expect(report()).toEqual([{ responseId: 'b', heardMs: expect.closeTo(435, -2) }]);
  });

  it('hears no more of a response that was cut than was sent', () => {
    const { run, report } = setUp();
    run.say('a', 2000);
    run.pass(1000);
    const sentMs = run.downlink.cut('a');
    run.pass(1000);
    expect(report()[0]!.heardMs).toBeCloseTo(sentMs, 6);
  });

  it('gives each response that a report touches, newest last', () => {
    const { run, report } = setUp();
    run.say('a', 100);
    run.say('b', 100);
    run.say('c', 500);
    run.pass(500);
    expect(report().map((heard) => [heard.responseId, Math.round(heard.heardMs)])).toEqual([
      ['a', 100],
      ['b', 100],
      ['c', expect.any(Number)],
    ]);
    expect(report().map((heard) => heard.responseId)).toEqual(['c']);
  });

  it('says how much was heard to a report that brings nothing new', () => {
    const { run, report } = setUp();
    expect(run.sent).toEqual([]);
    run.say('a', 1000);
    run.pass(500);
    const first = report();
    expect(report()).toEqual(first);
    expect(first).toHaveLength(1);
  });

  it('at a mute, what is in the output is still heard, and so is half of the packet that is named', () => {
    const { run, listener } = setUp();
    run.say('a', 1000);
    run.pass(500);
    const heardAt = (state: 'playing' | 'muted', outputLatencyMs: number) =>
      listener.report({ rtpTimestamp: run.sent[10]!.rtpTicks, outputLatencyMs, state }, run.clock.now())[0]!.heardMs;
    const playing = heardAt('playing', 0);
    expect(heardAt('muted', 30)).toBe(playing + 10);
  });

  it('counts once what has ended, however long the room has lasted', () => {
    const { looked, say, report } = timeline();
    for (let i = 0; i < 256; i++) say(`r${i}`, 20);
    expect(report()).toHaveLength(256);
    looked.mockClear();
    for (let i = 256; i < 300; i++) {
      say(`r${i}`, 20);
      expect(report()).toEqual([{ responseId: `r${i}`, heardMs: 20 }]);
      expect(report()).toEqual([{ responseId: `r${i}`, heardMs: 20 }]);
    }
    expect(looked.mock.calls.length).toBeLessThanOrEqual(2 * 88);
  });

  it('counts what is sent after a device has come to the end of what was', () => {
    const { say, report } = timeline();
    say('a', 20);
    report('muted');
    say('b', 2);
    say('c', 20);
    expect(report()).toMatchObject([
      { responseId: 'b', heardMs: 2 },
      { responseId: 'c', heardMs: 20 },
    ]);
  });

  it('is not moved by a report from nowhere', () => {
    const { run, listener } = setUp();
    expect(listener.report({ rtpTimestamp: 5, outputLatencyMs: 0, state: 'playing' }, run.clock.now())).toEqual([]);
    run.say('a', 1000);
    run.pass(300);
    const ahead = (run.sent.at(-1)!.rtpTicks + 48 * 60_000) >>> 0;
    expect(listener.report({ rtpTimestamp: ahead, outputLatencyMs: 0, state: 'playing' }, run.clock.now())).toEqual([]);
    const behind = (run.sent[0]!.rtpTicks - 48 * 60_000) >>> 0;
    expect(listener.report({ rtpTimestamp: behind, outputLatencyMs: 0, state: 'playing' }, run.clock.now())).toEqual(
      [],
    );
  });
});

describe('Listener: the far end', () => {
  const turn = (listener: Listener, dueMs: number) => ({
    play: listener.play(dueMs - 200, dueMs, 0),
    ref: listener.ref(dueMs - 200, 3200, 16_000, 0),
  });
  const loud = (ref: Float32Array | undefined) =>
    Math.sqrt((ref ?? new Float32Array(1)).reduce((sum, x) => sum + x * x, 0) / 3200);

  it('is what was sent, as much later as the listener hears it', () => {
    const { run, listener } = setUp();
    run.pass(100);
    run.say('a', 400);
    run.pass(900);
    const turns = [1200, 1400, 1600, 1800].map((dueMs) => turn(listener, dueMs));
    expect(turns.map(({ play }) => play)).toEqual([1, 1, 1, 0]);
    expect(turns[3]!.ref).toBeUndefined();
    // Sent from 1100 to 1500, heard from 1160 on.
    const onset = turns[0]!.ref!.findIndex((sample) => Math.abs(sample) > 0.01);
    expect(onset / 16).toBeGreaterThan(159);
    expect(onset / 16).toBeLessThan(163);
    expect(loud(turns[1]!.ref)).toBeGreaterThan(0.25);
  });

  it('learns the delay from reports', () => {
    const { run, listener, report } = setUp(200);
    run.say('a', 5000);
    for (let i = 0; i < 40; i++) {
      run.pass(100);
      report();
    }
    expect(listener.delayMs).toBeGreaterThan(185);
    expect(listener.delayMs).toBeLessThan(215);
  });

  it('moves with the room that the microphone is given', () => {
    const { run, listener } = setUp();
    run.say('a', 100);
    run.pass(600);
    expect(listener.play(1000, 1200, 0)).toBe(1);
    expect(listener.play(1000, 1200, 300)).toBe(0);
    expect(listener.play(1300, 1500, 300)).toBe(1);
  });

  it('ends at once where the listener mutes, or the edge cuts', () => {
    for (const end of ['mute', 'cut'] as const) {
      const { run, listener, report } = setUp();
      run.say('a', 3000);
      run.pass(1000);
      if (end === 'mute') report('muted');
      else {
        listener.cut('a', run.clock.now());
        run.downlink.cut('a');
      }
      run.pass(1000);
      expect(turn(listener, 2000).play).toBe(1);
      expect(turn(listener, 2240).play).toBe(0);
    }
  });

  it('comes at the rate of the model', () => {
    const { run, listener } = setUp();
    run.say('a', 1000);
    run.pass(600);
    const ref = listener.ref(1300, 4800, 24_000, 0);
    expect(ref).toHaveLength(4800);
    const crossings = ref!.filter((sample, i) => i > 0 && sample >= 0 && ref![i - 1]! < 0).length;
    expect(crossings / 0.2).toBeCloseTo(300, -1.5);
  });
});
