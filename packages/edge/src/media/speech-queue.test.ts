import { describe, expect, it } from 'vitest';
import { SpeechQueue, type Speech } from './speech-queue.js';

const speech = (responseId: string, ms: number, over: Partial<Speech> = {}): Speech => ({
  responseId,
  pcm: Float32Array.from({ length: ms * 24 }, (_, i) => (i + 1) / 1e6),
  rateHz: 24_000,
  last: false,
  ...over,
});

describe('SpeechQueue', () => {
  it('joins the clauses of a response without a seam', () => {
    const whole = new SpeechQueue();
    const split = new SpeechQueue();
    const { pcm } = speech('a', 100);
    whole.push(speech('a', 100, { last: true }));
    for (const [from, to] of [
      [0, 7],
      [7, 500],
      [500, 501],
      [501, 2400],
    ] as const)
      split.push(speech('a', 0, { pcm: pcm.slice(from, to) }));
    split.push(speech('a', 0, { last: true }));
    for (let i = 0; i < 5; i++) expect(split.take()).toEqual(whole.take());
    expect(split.takeEnded()).toEqual({ responseId: 'a', lengthMs: 100 });
    expect([split.empty, split.lengthMs]).toEqual([true, 0]);
  });

  it('waits for the rest of a frame, unless there is none', () => {
    const queue = new SpeechQueue();
    queue.push(speech('a', 30));
    expect(queue.ready).toBe(true);
    expect(queue.take()).toMatchObject({ offsetMs: 0, speechMs: 20 });
    expect(queue.ready).toBe(false);
    queue.push(speech('a', 0, { last: true }));
    expect(queue.ready).toBe(true);
    const frame = queue.take()!;
    expect(frame).toMatchObject({ offsetMs: 20, speechMs: 10 });
    expect(frame.pcm.slice(240)).toEqual(new Float32Array(240));
    expect(queue.takeEnded()).toEqual({ responseId: 'a', lengthMs: 30 });
  });

  it('never mixes two responses, or two rates, in a frame', () => {
    const queue = new SpeechQueue();
    queue.push(speech('a', 30, { last: true }));
    queue.push(speech('b', 10));
    queue.push({ ...speech('b', 0, { last: true }), pcm: new Float32Array(160), rateHz: 16_000 });
    const taken = [];
    for (let i = 0; i < 4; i++) {
      taken.push(queue.take());
      queue.takeEnded();
    }
    expect(taken.map((frame) => frame && [frame.responseId, frame.rateHz, frame.speechMs])).toEqual([
      ['a', 24_000, 20],
      ['a', 24_000, 10],
      ['b', 24_000, 10],
      ['b', 16_000, 10],
    ]);
  });

  it('flushes what is cut, and refuses it from then on', () => {
    const queue = new SpeechQueue();
    queue.push(speech('a', 100));
    queue.push(speech('b', 100));
    queue.take();
    expect(queue.cut('a')).toBe(20);
    expect(queue.push(speech('a', 100))).toBe('refused');
    expect(queue.lengthMs).toBe(100);
    expect(queue.take()).toMatchObject({ responseId: 'b', offsetMs: 0 });
    expect(queue.cut('never')).toBe(0);
    expect(queue.push(speech('never', 100))).toBe('refused');
  });

  it('ends a response that does not fit, and takes the next', () => {
    const queue = new SpeechQueue(1000);
    expect(queue.push(speech('a', 900))).toBe('queued');
    expect(queue.push(speech('a', 200))).toBe('full');
    expect(queue.push(speech('a', 10))).toBe('refused');
    expect(queue.push(speech('b', 50))).toBe('queued');
    while (queue.take()?.responseId === 'a');
    expect(queue.takeEnded()).toEqual({ responseId: 'a', lengthMs: 900 });
  });

  it('refuses speech after the last of a response, and a rate that Opus does not have', () => {
    const queue = new SpeechQueue();
    queue.push(speech('a', 20, { last: true }));
    expect(queue.push(speech('a', 20))).toBe('refused');
    expect(() => queue.push(speech('b', 20, { rateHz: 22_050 }))).toThrow(RangeError);
  });
});
