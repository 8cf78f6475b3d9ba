import { MicroturnError } from '@microturn/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_TEXT_CHARS, splitClauses } from './clauses.js';

const texts = (text: string) => splitClauses(text).map((clause) => clause.text);
const spoken = (text: string) => splitClauses(text).map((clause) => clause.words.map((word) => word.spoken).join(' '));

describe('splitClauses', () => {
  it('splits at sentence ends, and at commas where both sides are long enough', () => {
    expect(texts('Hello there, how are you? I am well, thank you very much. Bye.')).toEqual([
      'Hello there,',
      'how are you?',
      'I am well, thank you very much.',
      'Bye.',
    ]);
    expect(texts('Yes, sir.')).toEqual(['Yes, sir.']);
  });

  it('makes the first clause short', () => {
    const [first, second] = texts(
      'I think we should all go to the big park near the river and then eat our lunch over there.',
    );
    expect(first).toBe('I think we should all go to the big park near');
    expect(second).toBe('the river and then eat our lunch over there.');
    expect(texts('My old friends went home early because it was raining all day.')[0]).toBe(
      'My old friends went home early',
    );
  });

  it.each([
    'It is 3.14 or 1,000 today.',
    'We met Dr. Smith and Mrs. Jones.',
    'Use ripe fruit e.g. apples.',
    'J. K. Rowling wrote it.',
    'See No. 5 there.',
    'At 5 p.m. we eat.',
    'It is 10:30 now.',
  ])('does not break %j', (text) => {
    expect(texts(text)).toEqual([text]);
  });

  it('breaks after an abbreviation that ends a sentence', () => {
    expect(texts('We ate at 5 p.m. Then we slept.')).toEqual(['We ate at 5 p.m.', 'Then we slept.']);
    expect(texts('Is it? No. Five of them.')).toEqual(['Is it?', 'No.', 'Five of them.']);
  });

  it('keeps to the length caps without punctuation', () => {
    const clauses = splitClauses('word '.repeat(200));
    expect(clauses[0]!.text.length).toBeLessThanOrEqual(48);
    for (const clause of clauses) expect(clause.text.length).toBeLessThanOrEqual(96);
  });

  it('pauses longest after a sentence, and hardly where nothing asked for a cut', () => {
    const pauses = (text: string) => splitClauses(text).map((clause) => clause.pauseMs);
    expect(pauses('This is one. Now wait there for a moment, and please listen to this: there it is again')).toEqual([
      250, 120, 180, 30,
    ]);
    expect(pauses('a first line\na second line')).toEqual([200, 30]);
  });

  it('leaves a dash that stands alone with the word before it', () => {
    expect(texts('Wait — there is more to say.')).toEqual(['Wait — there is more to say.']);
    expect(texts('We waited—there was nothing.')).toEqual(['We waited —', 'there was nothing.']);
    expect(spoken('We waited—there was nothing.')).toEqual(['We waited,', 'there was nothing.']);
  });

  it('takes tags, Markdown marks and control characters out', () => {
    expect(texts('<speak>Hello <break time="3s"/>there</speak>')).toEqual(['Hello there']);
    expect(texts('# Title\n- **bold** and `code`\n- [a link](https://example.com/x)')).toEqual([
      'Title',
      'bold and code',
      'a link',
    ]);
    expect(texts('one\u0000\u0007two\tth\u200bree')).toEqual(['one two three']);
    expect(spoken('5 < 6 & 7 > 2')).toEqual(['5 less than 6 and 7 greater than 2']);
    expect(spoken('R&D')).toEqual(['R and D']);
  });

  it('folds typographic characters, and reads money amount first', () => {
    expect(spoken('“Don’t” say café naïve Straße')).toEqual(['"Don\'t" say cafe naive Strasse']);
    expect(spoken('€5 or £20')).toEqual(['5 euros or 20 pounds']);
    expect(texts('It cost $5 million.')).toEqual(['It cost $5 million.']);
    expect(spoken('It cost $5 million.')).toEqual(['It cost 5 million dollars.']);
  });

  it('leaves out of the text what cannot be said', () => {
    expect(texts('Hello 世界 my friend 😀')).toEqual(['Hello my friend']);
  });

  it('refuses what is too long, and what has nothing that can be said', () => {
    expect(() => splitClauses('a'.repeat(MAX_TEXT_CHARS + 1))).toThrow('expected at most 4096 characters, got 4097');
    for (const text of ['', ' \n\t', '...', '😀', 'Привет', '<b></b>'])
      expect(() => splitClauses(text)).toThrow('nothing in it can be said');
  });

  it('cuts a token that is too long between two words without leaving a space', () => {
    expect(splitClauses('<>>a<a')[0]!.words[0]!.spoken).toBe('less than greater than greater than a less than');
  });

  it('of any text makes bounded clauses of printable ASCII, or refuses it with a code', () => {
    const anyText = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ unit: fc.constantFrom(...'aB1 .,;:!?-—\'"<>[](){}*_#$€&\n\\/@'), maxLength: 300 }),
    );
    fc.assert(
      fc.property(anyText, (text) => {
        let clauses;
        try {
          clauses = splitClauses(text);
        } catch (error) {
          expect(error).toBeInstanceOf(MicroturnError);
          return;
        }
        for (const clause of clauses) {
          expect(clause.words.map((word) => word.text).join(' ')).toBe(clause.text);
          for (const word of clause.words) expect(word.spoken).toMatch(/^[\x21-\x7e]+( [\x21-\x7e]+)*$/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('takes time in proportion to the text, however it is made', () => {
    for (const unit of ['<a', '[a](', '"', "'.", 'a-', '((', '- ', '**', '#', '—', '.'])
      for (const text of [unit.repeat(MAX_TEXT_CHARS / unit.length), `a${unit.repeat(2_000)}b`]) {
        const before = process.cpuUsage().user;
        try {
          splitClauses(text);
        } catch (error) {
          expect(error).toBeInstanceOf(MicroturnError);
        }
        // Processor time, not wall time; a quadratic pattern takes seconds here.
        expect(process.cpuUsage().user - before).toBeLessThan(500_000);
      }
  });
});
