import { describe, expect, it } from 'vitest';
import { share, Tally } from './share.js';

/** `of` sessions of four events each, of which all or none are hits, or half. */
function counted(of: number, hitsIn: (session: number) => number): Tally {
  const tally = new Tally();
  for (let session = 0; session < of; session++)
    for (let one = 0; one < 4; one++) tally.add(one < hitsIn(session), session);
  return tally;
}

describe('a tally', () => {
  it('has the interval of single events where none says of which session it is', () => {
    const tally = new Tally();
    for (let one = 0; one < 40; one++) tally.add(one % 2 === 0);
    expect(tally.share).toEqual(share(20, 40));
  });

  it('has a wider one where all of a session are right or wrong together: as of so many sessions', () => {
    const { value, n, low, high } = counted(40, (session) => (session % 2 ? 4 : 0)).share;
    expect({ value, n }).toEqual({ value: 0.5, n: 160 });
    const sessions = share(20, 40);
    expect(low).toBeCloseTo(sessions.low, 1);
    expect(high).toBeCloseTo(sessions.high, 1);
    expect(high - low).toBeGreaterThan(1.8 * (share(80, 160).high - share(80, 160).low));
  });

  it('has none that is narrower than that of single events', () => {
    expect(counted(40, () => 2).share).toEqual(share(80, 160));
    expect(counted(40, () => 4).share).toEqual(share(160, 160));
    expect(counted(1, () => 2).share).toEqual(share(2, 4));
  });

  it('is as wide where each event is counted twice', () => {
    const [once, twice] = [new Tally(), new Tally()];
    for (let session = 0; session < 60; session++) {
      const hits = session % 2 ? 4 : 0;
      once.addAll(hits, 4, session);
      twice.addAll(2 * hits, 8, session);
    }
    expect(twice.share.n).toBe(2 * once.share.n);
    expect(twice.share.low).toBeCloseTo(once.share.low);
    expect(twice.share.high).toBeCloseTo(once.share.high);
  });

  it('has nothing to tell before it counted anything', () => {
    expect(new Tally().share).toEqual({ value: undefined, n: 0, low: 0, high: 1 });
  });
});
