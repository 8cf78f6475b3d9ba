import type { SessionEvent } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../support/random.js';
import type { SentPacket } from './sent-audio.js';
import { joined, silence, tone } from './signals.js';
import { summarize, type CallRecording } from './summary.js';
import type { TimedEvent } from './timed-event.js';

const HZ = 48_000;
const FRAME = 960;
const OPUS_LAG = 312;

/** Something that sounds like nothing else, as speech does: noise in a low voice's band. */
function speech(ms: number, seed = 1): Float32Array {
  const random = new SeededRandom(seed);
  let smooth = 0;
  return Float32Array.from({ length: (ms * HZ) / 1000 }, () => {
    smooth += 0.1 * (2 * random.next() - 1 - smooth);
    return smooth;
  });
}

/** What was sent of a response, as its packets decode. */
function packetsOf(content: Float32Array, receivedMs: number, rtp = 0xffff_f000): SentPacket[] {
  const lagging = joined(new Float32Array(OPUS_LAG), content);
  return Array.from({ length: Math.ceil(lagging.length / FRAME) }, (_, i) => {
    const samples = new Float32Array(FRAME);
    samples.set(lagging.subarray(i * FRAME, (i + 1) * FRAME));
    return { rtpTimestamp: (rtp + i * FRAME) >>> 0, receivedMs: receivedMs + i * 20, samples };
  });
}

let seq = 0;
type Body = SessionEvent extends infer E ? (E extends SessionEvent ? Omit<E, 'seq' | 'at' | 'turn'> : never) : never;
function event(receivedMs: number, body: Body): TimedEvent {
  return { ...body, seq: ++seq, at: receivedMs, turn: Math.floor(receivedMs / 200), receivedMs } as TimedEvent;
}

const started = (ms: number, responseId = 'r1') =>
  event(ms, { type: 'response.started', responseId, kind: 'proactive', audience: 'room' });
const words = (ms: number, responseId: string, list: [string, number, number][]) =>
  event(ms, {
    type: 'response.text',
    responseId,
    text: list.map(([text]) => text).join(' '),
    words: list.map(([text, startMs, endMs]) => ({ text, startMs, endMs })),
  });
const completed = (ms: number, responseId: string, heardMs: number) =>
  event(ms, { type: 'response.completed', responseId, heardMs });
const interrupted = (ms: number, responseId: string, heardMs: number, by: 'user' | 'client' = 'user') =>
  event(ms, { type: 'response.interrupted', responseId, by, heardMs, heardText: '', unheardText: '' });

function call(parts: Partial<CallRecording>): CallRecording {
  return { sent: silence(5_000, HZ), received: silence(5_000, HZ), rateHz: HZ, packets: [], events: [], ...parts };
}

/** `sound` at `ms` of a track that is as long as a call. */
function at(...sounds: readonly (readonly [ms: number, sound: Float32Array])[]): Float32Array {
  const track = silence(5_000, HZ);
  for (const [ms, sound] of sounds) track.set(sound, (ms * HZ) / 1000);
  return track;
}

describe('the summary', () => {
  it('has empty lists where there is nothing', () => {
    expect(summarize(call({}))).toEqual({
      type: 'summary',
      agentSegments: [],
      userSegments: [],
      overlapMs: 0,
      responseGapMs: [],
      bargeInMs: [],
      heardErrorMs: [],
    });
  });

  it('tells who was heard when, and how long both were', () => {
    const { agentSegments, userSegments, overlapMs } = summarize(
      call({ sent: at([1_000, tone(1_000, 0.3, HZ)]), received: at([1_800, tone(500, 0.3, HZ)]) }),
    );
    expect(userSegments).toEqual([{ startMs: 1_000, endMs: 2_000 }]);
    expect(agentSegments).toEqual([{ startMs: 1_800, endMs: 2_300, text: '' }]);
    expect(overlapMs).toBe(200);
  });

  it('puts the words of responses to the segments, by their times and not by when they came', () => {
    const { agentSegments } = summarize(
      call({
        received: at([1_000, speech(400)], [2_000, speech(300)]),
        events: [
          started(950),
          words(951, 'r1', [
            ['one', 0, 300],
            ['two', 1_000, 1_250],
            ['three', 2_000, 2_300],
          ]),
          event(1_205, { type: 'response.heard', responseId: 'r1', heardMs: 200, heardText: '' }),
          interrupted(2_350, 'r1', 1_300),
        ],
      }),
    );
    expect(agentSegments.map(({ text }) => text)).toEqual(['one', 'two']);
  });

  it('measures the gap to the next agent segment, unless the agent talked over the end or the user went on first', () => {
    const user = tone(500, 0.3, HZ);
    const agent = tone(200, 0.3, HZ);
    expect(summarize(call({ sent: at([1_000, user]), received: at([1_900, agent]) })).responseGapMs).toEqual([400]);
    expect(
      summarize(call({ sent: at([1_000, user]), received: at([1_400, agent], [2_500, agent]) })).responseGapMs,
    ).toEqual([]);
    expect(
      summarize(call({ sent: at([1_000, user], [2_000, user]), received: at([2_800, agent]) })).responseGapMs,
    ).toEqual([300]);
  });

  it('measures a barge-in from the onset in the response to its last sound', () => {
    const content = speech(3_000);
    const base = {
      sent: at([2_000, tone(600, 0.3, HZ)]),
      received: at([1_000, content.subarray(0, (1_330 * HZ) / 1000)]),
    };
    const events = (by: 'user' | 'client') => [started(950), interrupted(2_340, 'r1', 1_330, by)];
    expect(summarize(call({ ...base, events: events('user') })).bargeInMs).toEqual([330]);
    expect(summarize(call({ ...base, events: events('client') })).bargeInMs).toEqual([]);
  });
});

describe('what was heard, against what was played', () => {
  const content = speech(2_000);
  const cutAt = (playedMs: number, heardMs: number, events: TimedEvent[] = []) =>
    summarize(
      call({
        received: at([
          1_000,
          joined(new Float32Array(OPUS_LAG), content).subarray(0, Math.round(((playedMs + 6.5) * HZ) / 1000)),
        ]),
        packets: packetsOf(content, 960),
        events: [
          started(950),
          event(1_000 + playedMs, { type: 'response.cut', responseId: 'r1' }),
          interrupted(1_010 + playedMs, 'r1', heardMs),
          ...events,
        ],
      }),
    ).heardErrorMs;

  it('is 0 where they agree, and the difference where they do not', () => {
    expect(cutAt(1_200, 1_200)).toEqual([0]);
    expect(cutAt(1_200, 1_240)).toEqual([40]);
    expect(cutAt(1_200, 1_150)).toEqual([-50]);
  });

  it('counts what was played of the response, not how long that took: a jitter buffer stretches it', () => {
    const lagging = joined(new Float32Array(OPUS_LAG), content.subarray(0, 1_000 * 48));
    // 60 ms are played twice.
    const stretched = joined(
      lagging.subarray(0, 200 * 48),
      lagging.subarray(140 * 48, 200 * 48),
      lagging.subarray(200 * 48),
    );
    const { heardErrorMs } = summarize(
      call({
        received: at([1_000, stretched]),
        packets: packetsOf(content, 960),
        events: [
          started(950),
          event(2_060, { type: 'response.cut', responseId: 'r1' }),
          interrupted(2_070, 'r1', 1_000),
        ],
      }),
    );
    expect(heardErrorMs).toEqual([0]);
  });

  it('counts silence on neither side: a cut in a pause is no error wherever in it', () => {
    const paused = joined(speech(800), silence(250, HZ), speech(800, 2));
    for (const heardMs of [800, 900, 1_040]) {
      const { heardErrorMs } = summarize(
        call({
          received: at([1_000, joined(new Float32Array(OPUS_LAG), paused.subarray(0, 800 * 48))]),
          packets: packetsOf(paused, 960),
          events: [
            started(950),
            event(1_950, { type: 'response.cut', responseId: 'r1' }),
            interrupted(1_960, 'r1', heardMs),
          ],
        }),
      );
      expect(heardErrorMs).toHaveLength(1);
      expect(Math.abs(heardErrorMs[0]!)).toBeLessThanOrEqual(1);
    }
  });

  it('tells one response from the next', () => {
    const second = speech(700, 3);
    const lagging = (sound: Float32Array) => joined(new Float32Array(OPUS_LAG), sound);
    const { heardErrorMs } = summarize(
      call({
        received: at([1_000, lagging(content.subarray(0, 500 * 48))], [2_200, lagging(second)]),
        packets: [...packetsOf(content.subarray(0, 520 * 48), 960), ...packetsOf(second, 2_160, 90_000)],
        events: [
          started(950, 'r1'),
          event(1_490, { type: 'response.cut', responseId: 'r1' }),
          interrupted(1_500, 'r1', 510),
          started(2_150, 'r2'),
          completed(2_960, 'r2', 690),
        ],
      }),
    );
    expect(heardErrorMs).toEqual([10, -10]);
  });

  it('is left out where the response did not end, or was not played', () => {
    expect(summarize(call({ events: [started(950)] })).heardErrorMs).toEqual([]);
    expect(summarize(call({ events: [started(950), interrupted(1_000, 'r1', 0)] })).heardErrorMs).toEqual([]);
  });
});
