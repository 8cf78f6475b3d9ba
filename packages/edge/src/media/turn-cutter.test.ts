import { describe, expect, it } from 'vitest';
import { TurnCutter } from './turn-cutter.js';

describe('TurnCutter', () => {
  it('gives each micro-turn once, when it is due', () => {
    const cutter = new TurnCutter(1000, 200, 1000);
    expect(cutter.take(1199.9)).toEqual([]);
    expect(cutter.take(1200)).toEqual([0]);
    expect(cutter.take(1203)).toEqual([]);
    expect(cutter.take(1600)).toEqual([1, 2]);
    expect(cutter.dueMs(2)).toBe(1600);
  });

  it('waits for a session that starts later', () => {
    const cutter = new TurnCutter(1000, 200, 400);
    expect(cutter.take(900)).toEqual([]);
    expect(cutter.take(1205)).toEqual([0]);
  });

  it('starts in the middle with the micro-turn that is running', () => {
    expect(new TurnCutter(1000, 200, 3450).take(3600)).toEqual([12]);
  });

  it('catches up after a short stall', () => {
    const cutter = new TurnCutter(0, 200, 0);
    expect(cutter.take(1000)).toEqual([0, 1, 2, 3, 4]);
  });

  it('gives only the newest after a long stall, and it keeps its index', () => {
    const cutter = new TurnCutter(0, 200, 0);
    cutter.take(200);
    expect(cutter.take(60_000)).toEqual([299]);
    expect(cutter.take(60_200)).toEqual([300]);
  });
});
