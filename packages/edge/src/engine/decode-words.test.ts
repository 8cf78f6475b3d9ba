import { describe, expect, it } from 'vitest';
import { decode, freshDecoder, type DecoderState } from './decode.js';
import { manifest, wordHead, words } from './fixtures/decoder-heads.js';

describe('decode: words', () => {
  const m = manifest();
  const hear = (state: DecoderState, index: number, ...heard: [number, string, number][]) =>
    decode(m, state, { words: wordHead(...heard) }, { index, play: 0 });

  it('gives the end of a word to the slot, less the delay it was learnt with', () => {
    const { decoded } = hear(freshDecoder, 10, [3, 'horse', 0.8]);
    expect(decoded.words).toEqual([{ text: 'horse', endMs: 10 * 200 + 4 * 40 - 120, confidence: expect.closeTo(0.8) }]);
  });

  it('never ends a word before the session began', () => {
    expect(hear(freshDecoder, 0, [0, 'horse', 0.8]).decoded.words[0]!.endMs).toBe(0);
  });

  it('takes a word only above the threshold, which all words share', () => {
    expect(hear(freshDecoder, 0, [1, 'horse', 0.5]).decoded.words).toEqual([]);
    const split = wordHead([1, 'horse', 0.35]);
    split[1 * words.length] = 0.4;
    split[1 * words.length + words.indexOf('goat')] = 0.25;
    expect(decode(m, freshDecoder, { words: split }, { index: 0, play: 0 }).decoded.words).toMatchObject([
      { text: 'horse', confidence: expect.closeTo(0.35) },
    ]);
  });

  describe('over a span', () => {
    const m = manifest({ 'decoding/words': { threshold: 0.5, repeatMs: 160, delayMs: 120, spanMs: 120 } });
    const hearAll = (...turns: [number, string, number][][]) => {
      let state = freshDecoder;
      return turns.map((heard, index) => {
        const next = decode(m, state, { words: wordHead(...heard) }, { index, play: 0 });
        ({ state } = next);
        return next.decoded.words.map(({ text, endMs }) => [text, endMs]);
      });
    };

    it('hears a word that no slot is sure of, also on both sides of a boundary', () => {
      expect(
        hearAll([
          [2, 'horse', 0.4],
          [3, 'horse', 0.3],
        ]),
      ).toEqual([[['horse', 40]]]);
      expect(hearAll([[4, 'horse', 0.3]], [[1, 'horse', 0.3]])).toEqual([[], [['horse', 160]]]);
      expect(hearAll([[4, 'horse', 0.3]], [[2, 'horse', 0.3]])).toEqual([[], []]);
    });

    it('hears none where it is sure of some word, and not of which', () => {
      expect(
        hearAll([
          [1, 'horse', 0.4],
          [2, 'goat', 0.4],
        ]),
      ).toEqual([[]]);
    });

    it('hears one word once, and again when it is said again', () => {
      expect(
        hearAll(
          [
            [0, 'horse', 0.9],
            [1, 'horse', 0.9],
          ],
          [[4, 'horse', 0.9]],
        ),
      ).toEqual([[['horse', 0]], [['horse', 280]]]);
    });

    it('hears a word that is said twice in quick succession twice, as it does without a span', () => {
      const twice = [
        [0, 'horse', 0.9],
        [1, 'horse', 0.9],
      ] as [number, string, number][];
      const again = [
        [1, 'horse', 0.9],
        [2, 'horse', 0.9],
      ] as [number, string, number][];
      expect(hearAll(twice, again)).toEqual([[['horse', 0]], [['horse', 160]]]);
    });

    it('is at most sure, and keeps what goes into the next micro-turn small', () => {
      const { decoded, state } = decode(
        m,
        freshDecoder,
        { words: wordHead([3, 'goat', 0.9], [4, 'goat', 0.9]) },
        { index: 0, play: 0 },
      );
      expect(decoded.words).toMatchObject([{ text: 'goat', confidence: expect.closeTo(0.9) }]);
      expect(state.heard).toEqual([
        { class: 3, share: 0.9, slot: 3 },
        { class: 3, share: 0.9, slot: 4 },
      ]);
    });
  });

  it('calls the unknown class by one name', () => {
    const other = manifest({
      'outputs/words/classes': ['<blank>', '[oov]', 'horse', 'goat'],
      'outputs/words/unknown': '[oov]',
    });
    const { decoded } = decode(other, freshDecoder, { words: wordHead([2, '<unk>', 0.9]) }, { index: 0, play: 0 });
    expect(decoded.words[0]!.text).toBe('<unk>');
  });

  it('hears one word once, though it fills slots on both sides of a boundary', () => {
    const first = hear(freshDecoder, 4, [3, 'horse', 0.9], [4, 'horse', 0.9]);
    const second = hear(first.state, 5, [0, 'horse', 0.9], [1, 'horse', 0.9]);
    expect(first.decoded.words).toHaveLength(1);
    expect(second.decoded.words).toHaveLength(0);
  });

  it('hears the same word again after the time of a repeat', () => {
    const first = hear(freshDecoder, 4, [0, 'horse', 0.9]);
    expect(hear(first.state, 4, [4, 'horse', 0.9]).decoded.words).toHaveLength(0); // 160 ms
    expect(hear(first.state, 5, [0, 'horse', 0.9]).decoded.words).toHaveLength(1); // 200 ms
  });

  it('hears another word at once, and then the first again', () => {
    const { decoded } = hear(freshDecoder, 0, [0, 'horse', 0.9], [1, 'goat', 0.9], [2, 'horse', 0.9]);
    expect(decoded.words.map(({ text }) => text)).toEqual(['horse', 'goat', 'horse']);
  });
});
