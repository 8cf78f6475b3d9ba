import { describe, expect, it } from 'vitest';
import { EchoDelay, MAX_ECHO_MS } from './echo-delay.js';
import { seededRandom } from '../testing/seeded-random.js';

const RATE_HZ = 16_000;
const TURN = 3_200;
const BEFORE = (MAX_ECHO_MS * RATE_HZ) / 1000;
const LENGTH = BEFORE + 20 * TURN;

/** Noise with most of its power below 1 kHz, that comes and goes as syllables do. */
function voice(seed: number): Float32Array {
  const random = seededRandom(seed);
  let low = 0;
  return Float32Array.from({ length: LENGTH }, (_, i) => {
    low += 0.2 * (random() - 0.5 - low);
    return low * (1 + Math.sin(i / 1_000));
  });
}

const agent = voice(1);

/** Pushes micro-turns whose microphone hears the agent `delayMs` late, and somebody else. */
function listen(detector: EchoDelay, turns: number, delayMs: number, gain: number, other?: Float32Array): void {
  const late = (delayMs * RATE_HZ) / 1000;
  for (let turn = 0; turn < turns; turn++) {
    const at = BEFORE + turn * TURN;
    const near = Float32Array.from({ length: TURN }, (_, i) => gain * agent[at + i - late]! + (other?.[at + i] ?? 0));
    detector.push(near, agent.slice(at - BEFORE, at + TURN));
  }
}

describe('EchoDelay', () => {
  it.each([0, 60, 120, 250, 480])('finds an echo that is %i ms late within three micro-turns', (delayMs) => {
    const detector = new EchoDelay(RATE_HZ);
    listen(detector, 3, delayMs, 0.1);
    expect(Math.abs(detector.delayMs! - delayMs)).toBeLessThanOrEqual(1);
  });

  it('finds one that a loudspeaker has turned round', () => {
    const detector = new EchoDelay(RATE_HZ);
    listen(detector, 3, 90, -0.1);
    expect(Math.abs(detector.delayMs! - 90)).toBeLessThanOrEqual(1);
  });

  it('finds none where there is none, whoever speaks', () => {
    const detector = new EchoDelay(RATE_HZ);
    listen(detector, 10, 0, 0);
    listen(detector, 10, 0, 0, voice(2));
    expect(detector.delayMs).toBeUndefined();
  });

  it('holds what it found while somebody speaks over it', () => {
    const detector = new EchoDelay(RATE_HZ);
    listen(detector, 4, 120, 0.1);
    listen(detector, 15, 120, 0.1, voice(2));
    expect(Math.abs(detector.delayMs! - 120)).toBeLessThanOrEqual(1);
  });

  it('follows when the sound takes another way', () => {
    const detector = new EchoDelay(RATE_HZ);
    listen(detector, 8, 60, 0.1);
    listen(detector, 15, 250, 0.1);
    expect(Math.abs(detector.delayMs! - 250)).toBeLessThanOrEqual(1);
  });

  it('forgets when it is told to', () => {
    const detector = new EchoDelay(RATE_HZ);
    listen(detector, 4, 60, 0.1);
    detector.reset();
    expect(detector.delayMs).toBeUndefined();
  });

  it('takes no rate that cannot be thinned out', () => {
    expect(() => new EchoDelay(11_025)).toThrow(RangeError);
  });
});
