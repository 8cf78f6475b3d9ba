import { MicroturnError } from '@microturn/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SpeechClause, Voice } from './types.js';

const TEXT = 'Well, this is the first clause, and here is another. It has numbers: 3.14, and Dr. Smith!';

/** What every `Voice` keeps to, the real ones and the fakes. */
export function voiceContract(name: string, open: () => Promise<Voice>): void {
  describe(`${name} keeps the contract of a voice`, () => {
    let voice: Voice;
    beforeEach(async () => {
      voice = await open();
    });
    afterEach(() => voice.close());

    const say = async (text: string, signal?: AbortSignal, rate = 1): Promise<SpeechClause[]> => {
      const clauses: SpeechClause[] = [];
      for await (const clause of voice.speak(text, signal ? { signal } : { rate })) clauses.push(clause);
      return clauses;
    };
    const failure = (text: string): Promise<unknown> =>
      say(text).then(
        () => undefined,
        (error: unknown) => error,
      );

    it('speaks clause by clause, and the clauses are the text', async () => {
      const clauses = await say(TEXT);
      expect(clauses.length).toBeGreaterThan(2);
      expect(clauses.map((clause) => clause.text).join(' ')).toBe(TEXT);
    });

    it('gives the words of a clause, in order and inside its sound', async () => {
      for (const { text, words, pcm, rateHz, pauseMs } of await say(TEXT)) {
        expect(words.map((word) => word.text).join(' ')).toBe(text);
        let at = 0;
        for (const word of words) {
          expect(word.startMs).toBeGreaterThanOrEqual(at);
          expect(word.endMs).toBeGreaterThan(word.startMs);
          at = word.endMs;
        }
        expect(at).toBeLessThanOrEqual((pcm.length * 1_000) / rateHz);
        expect(pauseMs).toBeGreaterThanOrEqual(0);
      }
    });

    it('makes sound that Opus takes: whole milliseconds at one of its rates, in range, starting and ending quietly', async () => {
      for (const { pcm, rateHz } of await say(TEXT)) {
        expect([8_000, 12_000, 16_000, 24_000, 48_000]).toContain(rateHz);
        expect((pcm.length * 1_000) % rateHz).toBe(0);
        expect(pcm.every((sample) => Math.abs(sample) <= 1)).toBe(true);
        expect(rms(pcm)).toBeGreaterThan(0.02);
        expect(Math.abs(pcm[0]!)).toBeLessThan(0.01);
        expect(Math.abs(pcm.at(-1)!)).toBeLessThan(0.01);
      }
    });

    it('says the same faster and slower', async () => {
      const words = 'one small step, and another';
      const lengthMs = (clauses: SpeechClause[]) =>
        clauses.reduce((sum, { pcm, rateHz }) => sum + (pcm.length * 1_000) / rateHz, 0);
      const plain = await say(words);
      const [slow, fast] = [await say(words, undefined, 0.6), await say(words, undefined, 1.5)];
      expect(lengthMs(slow)).toBeGreaterThan(1.25 * lengthMs(plain));
      expect(lengthMs(fast)).toBeLessThan(0.85 * lengthMs(plain));
      for (const clauses of [slow, fast]) expect(clauses.map(({ text }) => text).join(' ')).toBe(words);
      expect(lengthMs(await say(words))).toBe(lengthMs(plain));
    });

    it('trims the silence at both ends', async () => {
      for (const { pcm, rateHz } of await say(TEXT)) {
        const { firstMs, lastMs } = soundEdges(pcm, rateHz);
        expect(firstMs).toBeLessThanOrEqual(20);
        expect((pcm.length * 1_000) / rateHz - lastMs).toBeLessThanOrEqual(45);
      }
    });

    it('says the same text the same way, in memory of its own', async () => {
      const [first] = await say('One more time.');
      const before = first!.pcm.slice();
      structuredClone(first!.pcm.buffer, { transfer: [first!.pcm.buffer as ArrayBuffer] });
      const [second] = await say('One more time.');
      expect(second!.pcm).toEqual(before);
    });

    it.each([
      ['nothing', ''],
      ['white space and punctuation', ' \n ... — !? '],
      ['no words that it knows', '世界 😀'],
      ['too much', 'word '.repeat(1_000)],
    ])('refuses %s with a code', async (_, text) => {
      const error = await failure(text);
      expect(error).toBeInstanceOf(MicroturnError);
      expect((error as MicroturnError).code).toBe('voice/failed');
    });

    it('goes on after a refusal', async () => {
      await failure('');
      expect(await say('yes')).toHaveLength(1);
    });

    it('ends early and without an error when it is aborted', async () => {
      const abort = new AbortController();
      const clauses: SpeechClause[] = [];
      for await (const clause of voice.speak(TEXT, { signal: abort.signal })) {
        clauses.push(clause);
        abort.abort();
      }
      expect(clauses).toHaveLength(1);
    });

    it('closes more than once, and throws when it is used afterwards', async () => {
      await voice.close();
      await voice.close();
      expect(await failure('yes')).toBeInstanceOf(TypeError);
    });
  });
}

export function rms(pcm: Float32Array): number {
  return Math.sqrt(pcm.reduce((sum, sample) => sum + sample * sample, 0) / pcm.length);
}

/** Where sound within 40 dB of the loudest starts and ends, in 5 ms frames. */
export function soundEdges(pcm: Float32Array, rateHz: number): { firstMs: number; lastMs: number } {
  const frame = rateHz / 200;
  const levels = Array.from({ length: Math.floor(pcm.length / frame) }, (_, i) =>
    rms(pcm.subarray(i * frame, (i + 1) * frame)),
  );
  const floor = Math.max(...levels) / 100;
  return {
    firstMs: levels.findIndex((level) => level > floor) * 5,
    lastMs: (levels.findLastIndex((level) => level > floor) + 1) * 5,
  };
}
