import { describe, expect, it } from 'vitest';
import { Gate } from './gate.js';

describe('a gate', () => {
  it('lets so many in at a time, in order, and goes on where one fails', async () => {
    const gate = new Gate(2);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const steps = Array.from({ length: 5 }, (_, i) =>
      gate.pass(async () => {
        begun.push(i);
        await new Promise<void>((resolve) => ends.push(resolve));
        if (i === 1) throw new Error('no');
        return i;
      }),
    );
    const results = Promise.allSettled(steps);
    await Promise.resolve();
    expect(begun).toEqual([0, 1]);
    for (let i = 0; i < 5; i++) {
      ends[i]!();
      await new Promise((resolve) => setTimeout(resolve));
      expect(begun).toHaveLength(Math.min(5, i + 3));
    }
    expect((await results).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ]);
    expect(await gate.pass(() => Promise.resolve('again'))).toBe('again');
  });
});
