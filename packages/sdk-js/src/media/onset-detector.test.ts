import { describe, expect, it } from 'vitest';
import { OnsetDetector } from './onset-detector.js';

const rms = (db: number) => 10 ** (db / 20);

/** Pushes frames of 10 ms, and says in which of them an onset was seen. */
function push(
  detector: OnsetDetector,
  frames: number,
  nearDb: number | ((i: number) => number),
  farDb = -100,
): number[] {
  const level = typeof nearDb === 'number' ? () => nearDb : nearDb;
  return Array.from({ length: frames }, (_, i) => (detector.push(rms(level(i)), rms(farDb)) ? i : -1)).filter(
    (i) => i >= 0,
  );
}

describe('OnsetDetector', () => {
  it('sees a voice after 30 ms, and once', () => {
    const detector = new OnsetDetector();
    expect(push(detector, 100, -65)).toEqual([]);
    expect(push(detector, 100, -25)).toEqual([2]);
  });

  it('sees the next one only after a pause: words of a sentence are one onset', () => {
    const detector = new OnsetDetector();
    push(detector, 50, -65);
    expect(push(detector, 300, (i) => (i % 30 < 20 ? -25 : -65))).toEqual([2]);
    push(detector, 30, -65);
    expect(push(detector, 10, -25)).toEqual([2]);
  });

  it('takes no click, no room and no noise that goes on for a voice', () => {
    const detector = new OnsetDetector();
    push(detector, 200, -50);
    expect(push(detector, 20, (i) => (i < 2 ? -10 : -50))).toEqual([]);
    expect(push(detector, 500, (i) => -48 + 4 * Math.sin(i))).toEqual([]);
  });

  it('knows the far end’s echo as a canceller leaves it, and a voice above it', () => {
    const detector = new OnsetDetector();
    expect(push(detector, 200, (i) => -46 - (i % 7), -20)).toEqual([]);
    expect(push(detector, 20, -30, -20)).toEqual([2]);
  });

  it('learns from a mistake: an echo as loud as before is no onset any more, and somebody louder is', () => {
    const detector = new OnsetDetector();
    push(detector, 50, -65);
    expect(push(detector, 100, -30, -20)).toEqual([2]);
    detector.mistaken();
    push(detector, 60, -65);
    expect(push(detector, 200, -30, -20)).toEqual([]);
    push(detector, 60, -65);
    expect(push(detector, 20, -20, -20)).toEqual([2]);
  });
});
