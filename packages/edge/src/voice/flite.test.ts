import { MicroturnError } from '@microturn/protocol';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FliteVoice, fliteVoices } from './flite.js';
import type { SpeechClause } from './types.js';
import { rms, soundEdges, voiceContract } from './voice.contract.js';

for (const voice of fliteVoices) voiceContract(`FliteVoice ${voice}`, () => FliteVoice.open({ voice }));

const STORY =
  'The quick brown fox jumps over the lazy dog while the small grey cat watches from the warm kitchen window, ' +
  'and nobody in the house notices that the soup on the stove has already begun to boil over onto the floor.';

describe('FliteVoice', () => {
  let voice: FliteVoice;
  beforeAll(async () => {
    voice = await FliteVoice.open();
  });
  afterAll(() => voice.close());
  const say = async (text: string, with_: FliteVoice = voice) => {
    const clauses: SpeechClause[] = [];
    for await (const clause of with_.speak(text)) clauses.push(clause);
    return clauses;
  };

  it('speaks at the pace and level of a person', async () => {
    const clauses = await say(STORY);
    const lengthMs = clauses.reduce(
      (sum, { pcm, rateHz, pauseMs }) => sum + (pcm.length * 1_000) / rateHz + pauseMs,
      0,
    );
    const wordsPerMinute = (STORY.split(' ').length * 60_000) / lengthMs;
    expect(wordsPerMinute).toBeGreaterThan(130);
    expect(wordsPerMinute).toBeLessThan(230);
    for (const { pcm } of clauses) {
      const levelDbfs = 20 * Math.log10(rms(pcm));
      expect(levelDbfs).toBeGreaterThan(-24);
      expect(levelDbfs).toBeLessThan(-16);
      expect(pcm.every((sample) => Math.abs(sample) < 0.99)).toBe(true);
    }
  });

  it('gives word times that the sound keeps to', async () => {
    // Measured by energy where there is silence beside a word; the bounds are those of `alignWords`.
    for (const text of [
      'one',
      'seven',
      'Hello, my dog.',
      'Please wait, stop, and start again.',
      'Turn left, then right.',
    ]) {
      for (const { pcm, rateHz, words } of await say(text)) {
        const { firstMs, lastMs } = soundEdges(pcm, rateHz);
        expect(firstMs - words[0]!.startMs).toBeGreaterThanOrEqual(-10);
        expect(firstMs - words[0]!.startMs).toBeLessThanOrEqual(75);
        expect(lastMs - words.at(-1)!.endMs).toBeGreaterThanOrEqual(-45);
        expect(lastMs - words.at(-1)!.endMs).toBeLessThanOrEqual(60);
      }
    }
  });

  it('keeps the words as written, and speaks numbers, money and abbreviations', async () => {
    const [clause] = await say('Dr. Lee paid $5 million.');
    expect(clause!.words.map((word) => word.text)).toEqual(['Dr.', 'Lee', 'paid', '$5', 'million.']);
    // "million dollars" takes longer than "five".
    const [five, million] = clause!.words.slice(3);
    expect(million!.endMs - million!.startMs).toBeGreaterThan(2 * (five!.endMs - five!.startMs));
  });

  it('says a clause that it knows without Flite, and the same', async () => {
    const cached = await FliteVoice.open();
    const [first] = await say('seven', cached);
    const [second] = await say('seven', cached);
    expect(second).toEqual(first);
    const uncached = await FliteVoice.open({ cacheBytes: 0 });
    expect((await say('seven', uncached))[0]).toEqual(first);
    await Promise.all([cached.close(), uncached.close()]);
  });

  it('refuses a voice that it does not have', async () => {
    await expect(FliteVoice.open({ voice: 'nobody' as 'slt' })).rejects.toThrow('expected one of slt, rms, awb, kal16');
  });

  it('says any text, or refuses it with a code', async () => {
    const fast = await FliteVoice.open({ voice: 'kal16', cacheBytes: 0 });
    const text = fc.string({ unit: fc.constantFrom(...'abcdeiou AB  019.,;:!?\'"-%$#()/+&@'), maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(text, async (text) => {
        try {
          for (const clause of await say(text, fast)) {
            expect(clause.pcm.every(Number.isFinite)).toBe(true);
            expect(clause.words.map((word) => word.text).join(' ')).toBe(clause.text);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(MicroturnError);
        }
      }),
      { numRuns: 100 },
    );
    await fast.close();
  });
});
