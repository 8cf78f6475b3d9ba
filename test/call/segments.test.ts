import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../support/random.js';
import { SegmentDetector, detectSegments, overlapOf } from './segments.js';
import { joined, silence, tone } from './signals.js';

const HZ = 48_000;
const random = new SeededRandom(7);

function noise(ms: number, amplitude: number): Float32Array {
  return Float32Array.from({ length: (ms * HZ) / 1000 }, () => amplitude * (2 * random.next() - 1));
}

function add(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((x, i) => x + (b[i] ?? 0));
}

describe('the energy detector', () => {
  it('finds a sound to the frame', () => {
    const samples = joined(silence(500, HZ), tone(400, 0.3, HZ), silence(1_000, HZ));
    expect(detectSegments(samples, HZ)).toEqual([{ startMs: 500, endMs: 900 }]);
  });

  it('finds nothing in silence, in noise, and in nothing', () => {
    expect(detectSegments(silence(2_000, HZ), HZ)).toEqual([]);
    expect(detectSegments(noise(2_000, 0.003), HZ)).toEqual([]);
    expect(detectSegments(new Float32Array(0), HZ)).toEqual([]);
  });

  it('measures against the noise floor', () => {
    const samples = add(joined(silence(600, HZ), tone(300, 0.2, HZ), silence(900, HZ)), noise(1_800, 0.01));
    expect(detectSegments(samples, HZ)).toEqual([{ startMs: 600, endMs: 900 }]);
  });

  it('takes a dip and the gaps between words as part of a segment, and longer silence as its end', () => {
    const word = tone(200, 0.3, HZ);
    const at = (gapMs: number) =>
      detectSegments(joined(silence(500, HZ), word, silence(gapMs, HZ), word, silence(500, HZ)), HZ);
    expect(at(50)).toEqual([{ startMs: 500, endMs: 950 }]);
    expect(at(300)).toEqual([{ startMs: 500, endMs: 1_200 }]);
    expect(at(310)).toEqual([
      { startMs: 500, endMs: 700 },
      { startMs: 1_010, endMs: 1_210 },
    ]);
  });

  it('drops a click', () => {
    expect(detectSegments(joined(silence(500, HZ), tone(30, 0.5, HZ), silence(500, HZ)), HZ)).toEqual([]);
  });

  it('does not end a sound that fades, until it is quieter than the hysteresis', () => {
    const loud = tone(200, 0.1, HZ);
    // RMS -55 + 15 dB: below what starts a sound in this noise-free recording it would end at -61 dBFS.
    const quiet = tone(200, 0.0018, HZ);
    const samples = joined(silence(500, HZ), loud, quiet, silence(500, HZ));
    expect(detectSegments(samples, HZ)).toEqual([{ startMs: 500, endMs: 900 }]);
    expect(detectSegments(joined(silence(500, HZ), quiet, silence(500, HZ)), HZ)).toEqual([]);
  });

  it('gives the same segments however the samples are cut', () => {
    const samples = add(
      joined(
        silence(300, HZ),
        tone(250, 0.2, HZ),
        silence(120, HZ),
        tone(80, 0.1, HZ),
        silence(700, HZ),
        tone(333, 0.4, HZ),
        silence(217, HZ),
      ),
      noise(2_000, 0.002),
    );
    const whole = detectSegments(samples, HZ);
    expect(whole).toHaveLength(2);
    for (let round = 0; round < 20; round++) {
      const detector = new SegmentDetector(HZ);
      for (let at = 0; at < samples.length;) {
        const to = Math.min(samples.length, at + random.integer(1, round < 3 ? 40 : 9_000));
        detector.push(samples.subarray(at, to));
        at = to;
      }
      expect(detector.segments()).toEqual(whole);
    }
  });

  it('refuses a rate that its frames do not divide', () => {
    expect(() => new SegmentDetector(11_025)).toThrow(RangeError);
  });
});

describe('overlapOf', () => {
  it('sums what both lists have at once', () => {
    const a = [
      { startMs: 0, endMs: 100 },
      { startMs: 200, endMs: 300 },
    ];
    expect(overlapOf(a, [{ startMs: 50, endMs: 250 }])).toBe(100);
    expect(overlapOf(a, [{ startMs: 100, endMs: 200 }])).toBe(0);
    expect(overlapOf(a, [])).toBe(0);
  });
});
