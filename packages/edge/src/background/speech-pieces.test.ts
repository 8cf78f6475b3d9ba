import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextPiece, toSpeech } from './speech-pieces.js';

function pieces(text: string, complete = true): string[] {
  const spoken: string[] = [];
  for (let at = 0; ;) {
    const piece = nextPiece(text, at, complete);
    if (!piece) return spoken;
    spoken.push(piece.spoken);
    at = piece.toChar;
  }
}

describe('what is said of a result', () => {
  it('is its sentences, each as soon as it is whole', () => {
    expect(pieces('It is 3.5 km. That is far! And', false)).toEqual(['It is 3.5 km.', 'That is far!']);
    expect(pieces('It is 3.5 km. That is far! And', true)).toEqual(['It is 3.5 km.', 'That is far!', 'And']);
  });

  it('holds nothing that only an eye can read', () => {
    expect(toSpeech('**Yes**: see [the docs](https://a.b/c) or `npm start`,\n- at https://x.y/z .')).toBe(
      'Yes: see the docs or npm start, at a link.',
    );
    expect(pieces('All done! 🎉')).toEqual(['All done!', '']);
  });

  it('comes in bounded parts that lead to the end, however the text was written', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 2000 }), (text) => {
        let at = 0;
        while (at < text.length) {
          const piece = nextPiece(text, at, true)!;
          expect(piece.toChar).toBeGreaterThan(at);
          expect(piece.toChar - at).toBeLessThanOrEqual(240);
          at = piece.toChar;
        }
        expect(nextPiece(text, at, true)).toBeUndefined();
      }),
    );
  });

  it('is the same for a text that grows as for the whole of it', () => {
    const word = fc.constantFrom('one', 'two.', 'three', 'four?', 'five', '6.5', '\n');
    fc.assert(
      fc.property(fc.array(word, { maxLength: 60 }), fc.array(fc.nat(300), { maxLength: 20 }), (words, cuts) => {
        const text = words.join(' ');
        const grown: string[] = [];
        let at = 0;
        for (const end of [...cuts.sort((a, b) => a - b), text.length]) {
          const complete = end >= text.length;
          for (;;) {
            const piece = nextPiece(text.slice(0, end), at, complete);
            if (!piece) break;
            grown.push(piece.spoken);
            at = piece.toChar;
          }
        }
        expect(grown.join(' ').replaceAll(/\s+/g, ' ').trim()).toBe(
          pieces(text).join(' ').replaceAll(/\s+/g, ' ').trim(),
        );
      }),
    );
  });
});
