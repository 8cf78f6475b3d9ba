import { describe, expect, it } from 'vitest';
import { lanePhaseMs, zeroOnPhase } from './lane-phase.js';

describe('the phases of lanes', () => {
  const phases = (thread: number, lanes: number) =>
    Array.from({ length: lanes }, (_, lane) => lanePhaseMs(thread, lane, 200));
  /** The shortest way from one phase to the next, round the micro-turn. */
  function closest(of: number[]): number {
    const sorted = [...of].sort((a, b) => a - b);
    return Math.min(...sorted.map((phase, i) => (sorted[i + 1] ?? sorted[0]! + 200) - phase));
  }

  it('spread the first few lanes of a thread as well as all of them', () => {
    expect(phases(0, 8)).toEqual([0, 100, 50, 150, 25, 125, 75, 175]);
    for (const lanes of [2, 4, 8, 32]) {
      for (const thread of [0, 1, 5]) expect(closest(phases(thread, lanes))).toBeGreaterThanOrEqual(200 / lanes - 1);
    }
  });

  it('shift threads against each other', () => {
    expect(closest([0, 1, 2, 3].map((thread) => lanePhaseMs(thread, 0, 200)))).toBeGreaterThan(20);
  });

  it('start a session at the next moment that is on the phase', () => {
    expect(zeroOnPhase(1000, 50, 200)).toBe(1050);
    expect(zeroOnPhase(1050, 50, 200)).toBe(1050);
    expect(zeroOnPhase(1050.1, 50, 200)).toBe(1250);
    expect(zeroOnPhase(10, 150, 200)).toBe(150);
  });
});
