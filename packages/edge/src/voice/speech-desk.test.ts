import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SpeechMessage } from '../media/types.js';
import type { SpokenClause, VoiceReport } from './messages.js';
import { SpeechDesk, type SpeechDeskParts } from './speech-desk.js';
import { ToneVoice } from './tone-voice.js';

const LONG = 'This is one sentence of the text. '.repeat(10).trim();

class Bench {
  nowMs = 1_000;
  readonly sent: SpeechMessage[] = [];
  readonly reports: VoiceReport[] = [];
  readonly voice = new ToneVoice({ wordMs: 100, gapMs: 0 });
  readonly desk: SpeechDesk;
  #job = 0;

  constructor(parts: Partial<SpeechDeskParts> = {}) {
    this.desk = new SpeechDesk({
      voice: this.voice,
      clock: { now: () => this.nowMs },
      post: (speech) => this.sent.push(speech),
      report: (report) => this.reports.push(report),
      ...parts,
    });
  }

  speak(responseId: string, text: string, { last = false, offsetMs = 0, voice = 'room:a' } = {}): number {
    this.desk.speak({ job: ++this.#job, voice, responseId, text, last, offsetMs });
    return this.#job;
  }

  get clauses(): SpokenClause[] {
    return this.reports.flatMap((report) => (report.type === 'clause' ? [report.clause] : []));
  }

  /** Until nothing happens any more. */
  async settled(): Promise<void> {
    for (let quiet = 0, seen = -1; quiet < 3;) {
      await new Promise(setImmediate);
      const now = this.sent.length + this.reports.length;
      quiet = now === seen ? quiet + 1 : 0;
      seen = now;
    }
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise(setImmediate);
  }
}

describe('SpeechDesk', () => {
  let bench: Bench;
  afterEach(() => {
    bench.desk.close();
    vi.useRealTimers();
  });

  it.each([
    ['in the midst', ['Good morning in Japanese is', 'おはようございます.', 'You can say it, too.']],
    ['at the beginning', ['Спасибо.', 'That is thank you.']],
    ['at the end', ['Sure! That means hello:', '你好！']],
  ])('passes over what it has no words for %s of a response, and says so', async (_, parts) => {
    bench = new Bench();
    for (const [i, text] of parts.entries()) bench.speak('r1', text, { last: i === parts.length - 1 });
    await bench.settled();
    const said = parts.filter((text) => /[a-z]/i.test(text));
    expect(bench.clauses.map(({ text }) => text).join(' ')).toBe(said.join(' '));
    expect(bench.reports.filter(({ type }) => type === 'problem')).toMatchObject([{ error: { code: 'voice/failed' } }]);
    expect(bench.reports.filter(({ type }) => type === 'done')).toHaveLength(parts.length);
    expect(bench.reports.some(({ type }) => type === 'refused')).toBe(false);
    expect(bench.sent.at(-1)).toMatchObject({ responseId: 'r1', last: true });
  });

  it('times words from the start of the response, over clauses and over calls', async () => {
    bench = new Bench();
    bench.speak('r1', 'This is one. And two.');
    bench.speak('r1', 'Three');
    await bench.settled();
    expect(bench.clauses).toEqual([
      {
        text: 'This is one.',
        lengthMs: 300,
        offsetMs: 0,
        words: [
          { text: 'This', startMs: 0, endMs: 100 },
          { text: 'is', startMs: 100, endMs: 200 },
          { text: 'one.', startMs: 200, endMs: 300 },
        ],
      },
      // 250 ms of pause after a sentence come first.
      {
        text: 'And two.',
        lengthMs: 450,
        offsetMs: 300,
        words: [
          { text: 'And', startMs: 550, endMs: 650 },
          { text: 'two.', startMs: 650, endMs: 750 },
        ],
      },
      { text: 'Three', lengthMs: 350, offsetMs: 750, words: [{ text: 'Three', startMs: 1_000, endMs: 1_100 }] },
    ]);
    expect(bench.sent.map(({ pcm }) => pcm.length / 16)).toEqual([300, 450, 350]);
    expect(bench.sent[1]!.pcm.subarray(0, 250 * 16).every((sample) => sample === 0)).toBe(true);
    expect(bench.reports.filter((report) => report.type === 'done')).toEqual([
      { type: 'done', job: 1, lengthMs: 750 },
      { type: 'done', job: 2, lengthMs: 1_100 },
    ]);
  });

  it('makes no pause where real time has made it', async () => {
    bench = new Bench();
    bench.speak('r1', 'One.');
    await bench.settled();
    bench.nowMs += 100 + 200;
    bench.speak('r1', 'Two.');
    await bench.settled();
    bench.nowMs += 5_000;
    bench.speak('r1', 'Three.');
    await bench.settled();
    expect(bench.clauses.map((clause) => clause.lengthMs)).toEqual([100, 50 + 100, 100]);
  });

  it('ends a response with an empty last message: by `last`, by `end`, and after what is queued', async () => {
    bench = new Bench();
    const ended = () => bench.sent.filter(({ last }) => last).map(({ responseId, pcm }) => [responseId, pcm.length]);
    bench.speak('r1', 'One. And two. Now three.', { last: true });
    bench.speak('r2', 'One. And two. Now three.');
    bench.desk.end('room:a', 'r2');
    expect(ended()).toEqual([]);
    await bench.settled();
    expect(ended()).toEqual([
      ['r1', 0],
      ['r2', 0],
    ]);
    expect(bench.sent.findLast(({ responseId }) => responseId === 'r2')!.last).toBe(true);
    bench.speak('r3', 'One.');
    await bench.settled();
    bench.desk.end('room:a', 'r3');
    expect(ended().at(-1)).toEqual(['r3', 0]);
  });

  it('serves an answer of one word after one clause of a long text that others hear', async () => {
    bench = new Bench();
    bench.speak('long', LONG);
    await bench.until(() => bench.sent.length > 0);
    bench.speak('short', 'yes', { voice: 'room:b' });
    const before = bench.sent.length;
    await bench.until(() => bench.sent.some(({ responseId }) => responseId === 'short'));
    expect(bench.sent.slice(before).filter(({ responseId }) => responseId === 'long').length).toBeLessThanOrEqual(1);
  });

  it('lets audiences take turns, the one that came first first', async () => {
    bench = new Bench();
    bench.speak('a', LONG);
    bench.speak('b', LONG, { voice: 'room:b' });
    await bench.settled();
    expect(bench.sent.slice(0, 6).map(({ responseId }) => responseId)).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
  });

  it('says to one audience one response after the other, each to its end', async () => {
    bench = new Bench();
    bench.speak('a', LONG, { last: true });
    bench.speak('b', LONG, { last: true });
    await bench.settled();
    const order = bench.sent.map(({ responseId }) => responseId);
    expect(order.join('')).toMatch(/^a+b+$/);
  });

  it('drops a cancelled response between two clauses, without a report, and goes on with the others', async () => {
    bench = new Bench();
    bench.speak('a', LONG);
    bench.speak('b', LONG);
    await bench.until(() => bench.sent.length >= 3);
    bench.desk.cancel('a');
    const before = bench.sent.length;
    await bench.settled();
    expect(bench.sent.slice(before).every(({ responseId }) => responseId === 'b')).toBe(true);
    expect(bench.reports.filter((report) => report.type === 'done').map(({ job }) => job)).toEqual([2]);
  });

  it('drops the clause that is in the making when its response is cancelled', async () => {
    let made = () => {};
    const slow = new ToneVoice();
    const say = slow.speak.bind(slow);
    slow.speak = async function* (text, options) {
      await new Promise<void>((resolve) => (made = resolve));
      yield* say(text, options);
    };
    bench = new Bench({ voice: slow });
    bench.speak('a', 'yes', { last: true });
    await bench.settled();
    bench.desk.cancel('a');
    made();
    await bench.settled();
    expect([bench.sent, bench.reports]).toEqual([[], []]);
  });

  it('leaves the voice of a response that is cancelled while it is far enough ahead, as a loop leaves it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const tones = new ToneVoice({ wordMs: 100, gapMs: 0 });
    const say = tones.speak.bind(tones);
    let left = 0;
    tones.speak = async function* (text, options) {
      try {
        yield* say(text, options);
      } finally {
        left++;
      }
    };
    bench = new Bench({ voice: tones, aheadMs: 500 });
    bench.speak('a', LONG);
    await bench.settled();
    expect(left).toBe(0);
    bench.desk.cancel('a');
    await bench.settled();
    expect(left).toBe(1);
  });

  it('refuses what cannot be said, ends a response that was to end with it, and goes on', async () => {
    bench = new Bench();
    bench.speak('r1', '世界', { last: true });
    bench.speak('r2', 'yes');
    await bench.settled();
    expect(bench.reports[0]).toMatchObject({ type: 'refused', job: 1, error: { code: 'voice/failed' } });
    expect(bench.sent.map(({ responseId, last }) => [responseId, last])).toEqual([
      ['r1', true],
      ['r2', false],
    ]);
  });

  it('fault 22: is never further ahead than it is told, and goes on as time passes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    bench = new Bench({ aheadMs: 2_000 });
    bench.speak('long', LONG);
    await bench.settled();
    const madeMs = () => bench.clauses.reduce((sum, clause) => sum + clause.lengthMs, 0);
    expect(madeMs()).toBeGreaterThan(2_000);
    expect(madeMs()).toBeLessThan(3_000);
    // Others are not held up by it.
    bench.speak('short', 'yes', { last: true, voice: 'room:b' });
    await bench.settled();
    expect(bench.sent.at(-1)).toMatchObject({ responseId: 'short', last: true });
    for (let second = 0; second < 8; second++) {
      bench.nowMs += 1_000;
      vi.advanceTimersByTime(1_000);
      await bench.settled();
      expect(madeMs()).toBeLessThan(3_000 + (second + 1) * 1_000);
    }
    expect(bench.reports.at(-1)).toMatchObject({ type: 'done', job: 1 });
  });

  it('goes on where another desk ended', async () => {
    bench = new Bench();
    bench.speak('r1', 'yes', { offsetMs: 5_000 });
    await bench.settled();
    expect(bench.clauses[0]).toMatchObject({ offsetMs: 5_000, words: [{ startMs: 5_000, endMs: 5_100 }] });
  });

  it('says texts to itself while there is nothing else to do', async () => {
    const said: string[] = [];
    const voice = new ToneVoice();
    const say = voice.speak.bind(voice);
    voice.speak = (text, options) => {
      said.push(text);
      return say(text, options);
    };
    bench = new Bench({ voice });
    bench.desk.warmUp(['one', '', 'two']);
    bench.speak('r1', 'first');
    await bench.settled();
    expect(said).toEqual(['first', 'one', '', 'two']);
    expect(bench.sent).toHaveLength(1);
  });

  it('does nothing after it is closed', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    bench = new Bench({ aheadMs: 500 });
    bench.speak('long', LONG);
    await bench.settled();
    expect(vi.getTimerCount()).toBe(1);
    bench.desk.close();
    expect(vi.getTimerCount()).toBe(0);
    const before = bench.sent.length;
    bench.speak('short', 'yes');
    await bench.settled();
    expect(bench.sent).toHaveLength(before);
  });
});
