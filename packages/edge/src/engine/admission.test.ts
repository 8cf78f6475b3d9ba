import { describe, expect, it } from 'vitest';
import { Admission } from './admission.js';

describe('Admission', () => {
  /** Decides for `leases` rows over some seconds, each with the lag that `lagMs` gives it. */
  function run(
    admission: Admission,
    fromS: number,
    seconds: number,
    leases: number,
    lagMs: (n: number) => number,
  ): number {
    let n = 0;
    for (let at = fromS * 1000; at < (fromS + seconds) * 1000; at += 200) {
      for (let row = 0; row < leases; row++) admission.note({ lagMs: lagMs(n++) }, at);
    }
    return (fromS + seconds) * 1000;
  }

  it('knows no bound while the engine keeps time', () => {
    const admission = new Admission(200);
    expect(admission.capacity(0, 0, 0)).toBe(Infinity);
    const nowMs = run(admission, 0, 60, 20, () => 30);
    expect(admission.capacity(20, 20, nowMs)).toBe(Infinity);
    expect(admission.lateness(nowMs - 1)).toMatchObject({ late: 0, lateShare: 0, lagP99Ms: 32 });
  });

  it('takes one pause of the machine for what it is', () => {
    const admission = new Admission(200);
    const nowMs = run(admission, 0, 10, 1, (n) => (n === 7 ? 450 : 10));
    expect(admission.capacity(1, 1, nowMs - 1)).toBe(Infinity);
  });

  it('closes below what was too many, once too many are late', () => {
    const admission = new Admission(200);
    const nowMs = run(admission, 0, 10, 20, (n) => (n % 50 === 0 ? 250 : 10));
    expect(admission.capacity(20, 20, nowMs - 1)).toBe(19);
  });

  it('closes before any is late, where the lag comes near', () => {
    const admission = new Admission(200);
    const nowMs = run(admission, 0, 10, 20, (n) => (n % 20 === 0 ? 150 : 10));
    expect(admission.lateness(nowMs - 1)).toMatchObject({ late: 0 });
    expect(admission.capacity(20, 20, nowMs - 1)).toBe(19);
  });

  it('stays closed for as long as it is behind, and opens a while after it keeps time again', () => {
    const admission = new Admission(200);
    let nowMs = run(admission, 0, 10, 20, () => 300);
    expect(admission.capacity(20, 20, nowMs - 1)).toBe(19);
    nowMs = run(admission, 10, 10, 15, () => 250); // five left, and that was not enough
    expect(admission.capacity(15, 15, nowMs - 1)).toBe(14);
    nowMs = run(admission, 20, 15, 10, () => 20);
    expect(admission.capacity(10, 10, nowMs)).toBe(14); // four more may come
    nowMs = run(admission, 35, 60, 14, () => 20);
    expect(admission.capacity(14, 14, nowMs)).toBe(Infinity); // and then whoever comes, to see
  });

  it('opens the sooner, the shorter it was behind', () => {
    const opensAfter = (lateSeconds: number) => {
      const admission = new Admission(200);
      let nowMs = run(admission, 0, lateSeconds, 20, () => 300);
      expect(admission.capacity(20, 20, nowMs - 1)).toBe(19);
      const endedMs = nowMs;
      for (; admission.capacity(19, 19, nowMs) !== Infinity; nowMs += 1000)
        run(admission, nowMs / 1000, 1, 19, () => 20);
      return (nowMs - endedMs) / 1000;
    };
    // It is behind for as long as the last ten seconds hold what was late, less of it each second.
    expect(opensAfter(1)).toBeLessThan(40);
    expect(opensAfter(10)).toBeGreaterThan(58);
  });

  it('lets one in again where even one was too many', () => {
    const admission = new Admission(200);
    const nowMs = run(admission, 0, 10, 1, () => 300);
    expect(admission.capacity(1, 1, nowMs - 1)).toBe(1);
  });

  describe('those that have not stepped yet', () => {
    /** Decides for `leases` rows over some seconds, each in a step of `rows` that takes `stepMs`. */
    function step(admission: Admission, seconds: number, leases: number, stepMs: (second: number) => number, rows = 1) {
      for (let at = 0; at < seconds * 1000; at += 200) {
        const timing = { lagMs: 10, stepMs: stepMs(Math.floor(at / 1000)), stepRows: rows };
        for (let row = 0; row < leases; row++) admission.note(timing, at);
      }
      return seconds * 1000 - 1;
    }

    it('are counted at what the steps of the others take, and one more may come while those that there are fit', () => {
      const admission = new Admission(200);
      const nowMs = step(admission, 5, 4, () => 5);
      expect(admission.capacity(4, 4, nowMs)).toBe(29); // 28 take 140 of 200 ms
      expect(admission.capacity(5, 4, nowMs)).toBe(29);
      expect(admission.capacity(28, 4, nowMs)).toBe(29);
    });

    it('keep out who comes on top of what fits, and one more may try when they have stepped', () => {
      const admission = new Admission(200);
      const nowMs = step(admission, 5, 30, () => 5);
      expect(admission.capacity(30, 30, nowMs)).toBe(31);
      expect(admission.capacity(31, 30, nowMs)).toBe(31);
    });

    it('keep a second one out only where a step takes most of a micro-turn', () => {
      const capacity = (stepMs: number) => {
        const admission = new Admission(200);
        return admission.capacity(
          1,
          0,
          step(admission, 5, 1, () => stepMs),
        );
      };
      expect([capacity(100), capacity(140), capacity(141)]).toEqual([2, 2, 1]);
    });

    it('are let in where nothing was measured, and where a step was passed over', () => {
      const admission = new Admission(200);
      expect(admission.capacity(50, 0, 0)).toBe(Infinity);
      admission.note({ lagMs: 10, stepMs: 0 }, 0);
      expect(admission.capacity(50, 0, 0)).toBe(Infinity);
    });

    it('are not measured by one second in which the machine stood still', () => {
      const admission = new Admission(200);
      const nowMs = step(admission, 5, 1, (second) => (second === 3 ? 90 : 5));
      expect(admission.capacity(2, 1, nowMs)).toBe(29);
    });

    it('are not measured by the slower one of the first two seconds either', () => {
      const admission = new Admission(200);
      const nowMs = step(admission, 2, 1, (second) => (second === 0 ? 90 : 5));
      expect(admission.capacity(2, 1, nowMs)).toBe(29);
    });

    it('share the step of their lane', () => {
      const admission = new Admission(200, { laneSize: 8 });
      const nowMs = step(admission, 5, 8, () => 20, 8);
      expect(admission.capacity(9, 8, nowMs)).toBe(57);
      const slow = new Admission(200, { laneSize: 8 });
      expect(
        slow.capacity(
          2,
          1,
          step(slow, 5, 1, () => 100),
        ),
      ).toBe(8);
    });
  });
});
