import { readFile } from 'node:fs/promises';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FliteLexicon } from './flite-lexicon.js';
import { FliteProgram } from './flite-program.js';
import { alignWords, parsePhoneEnds, parsePhoneNames } from './word-times.js';

/** What libflite 2.2 says, by `reference/word-ends.c`. */
interface Reference {
  readonly text: string;
  readonly ends: string;
  readonly words: readonly (readonly [text: string, startMs: number, endMs: number])[];
}
const lines = await readFile(new URL('./reference/word-ends.jsonl', import.meta.url), 'utf8');
const reference = lines
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Reference);
/** Every word of the sentences above, exactly. */
const TOLERANCE_MS = 0;

const phones = (text: string) => {
  const [first, ...rest] = text.split(' ');
  return parsePhoneEnds([first, ...rest].map((name, i) => `${name}:${((i + 1) / 10).toFixed(3)}`).join(' '));
};
const spans = (said: string, ...alone: string[]) =>
  alignWords(
    phones(said),
    alone.map((names) => names.split(' ').filter(Boolean)),
  ).map(({ startMs, endMs }) => [startMs, endMs]);

describe('alignWords', () => {
  it('finds the words that libflite finds, from what the program prints', async () => {
    const program = await FliteProgram.load();
    const lexicon = new FliteLexicon(program);
    let words = 0;
    for (const sentence of reference) {
      const { stdout } = program.run(['-voice', 'slt', '-psdur', '-t', sentence.text, '-o', 'none']);
      expect(stdout.trim(), sentence.text).toBe(sentence.ends.trim());
      const found = alignWords(parsePhoneEnds(stdout), lexicon.phonesOf(sentence.words.map(([text]) => text)));
      for (const [i, [text, startMs, endMs]] of sentence.words.entries()) {
        expect(Math.abs(found[i]!.startMs - startMs), `start of ${text} in: ${sentence.text}`).toBeLessThanOrEqual(
          TOLERANCE_MS,
        );
        expect(Math.abs(found[i]!.endMs - endMs), `end of ${text} in: ${sentence.text}`).toBeLessThanOrEqual(
          TOLERANCE_MS,
        );
        words++;
      }
    }
    expect(words).toBeGreaterThan(250);
  });

  it('leaves pauses to no word', () => {
    expect(spans('pau w ah n pau t uw pau', 'w ah n', 't uw')).toEqual([
      [100, 400],
      [500, 700],
    ]);
  });

  it('holds on to the neighbours where a word is read differently in context', () => {
    // "Dr." alone is "drive".
    expect(spans('pau d aa k t er s m ih th pau', 'd r ay v', 's m ih th')).toEqual([
      [100, 600],
      [600, 1_000],
    ]);
    // What context adds goes to the word before.
    expect(spans('d ao g z b ow n', 'd ao g', 'b ow n')).toEqual([
      [0, 400],
      [400, 700],
    ]);
  });

  it('gives a word without phones no length', () => {
    expect(spans('w ah n t uw', 'w ah n', '', 't uw')).toEqual([
      [0, 300],
      [300, 300],
      [300, 500],
    ]);
  });

  it('of any phones makes one span for each word, in order and inside the sound', () => {
    const names = fc.array(fc.constantFrom('aa', 'iy', 't', 's', 'n'), { maxLength: 12 });
    fc.assert(
      fc.property(names, fc.array(names, { minLength: 1, maxLength: 6 }), (said, alone) => {
        const utterance = said.map((name, i) => ({ name, startMs: i * 10, endMs: i * 10 + 10 }));
        const found = alignWords(utterance, alone);
        expect(found).toHaveLength(alone.length);
        let at = 0;
        for (const span of found) {
          expect(span.startMs).toBeGreaterThanOrEqual(at);
          expect(span.endMs).toBeGreaterThanOrEqual(span.startMs);
          at = span.endMs;
        }
        expect(at).toBeLessThanOrEqual(said.length * 10);
      }),
    );
  });
});

describe('parsePhoneEnds', () => {
  it('reads what -psdur prints', () => {
    expect(parsePhoneEnds('pau:0.220 hh:0.295 ax:0.342 pau:0.500 \n')).toEqual([
      { name: 'hh', startMs: 220, endMs: 295 },
      { name: 'ax', startMs: 295, endMs: 342 },
    ]);
  });

  it('refuses anything else', () => {
    expect(() => parsePhoneEnds('flite: no such voice')).toThrow('expected phone:seconds');
  });
});

describe('parsePhoneNames', () => {
  it('reads what -ps prints, a line for each utterance', () => {
    expect(parsePhoneNames('pau w ah n pau \npau \npau t uw pau \n')).toEqual([['w', 'ah', 'n'], [], ['t', 'uw']]);
  });
});
