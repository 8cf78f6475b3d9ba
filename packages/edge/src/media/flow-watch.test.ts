import { describe, expect, it } from 'vitest';
import { FlowWatch } from './flow-watch.js';

/** Looks every 5 ms, as the ticker does; packets come where the script has them. Gives the times at which it was told. */
function told(
  untilMs: number,
  packets: (ms: number) => boolean,
  looks: (ms: number) => boolean = () => true,
): number[] {
  const watch = new FlowWatch();
  const at: number[] = [];
  for (let ms = 0; ms <= untilMs; ms += 5) {
    if (packets(ms)) watch.arrived(ms);
    if (looks(ms) && watch.look(ms)) at.push(ms);
  }
  return at;
}
const every20 = (ms: number) => ms % 20 === 0;

describe('a stream of packets', () => {
  it('that breaks off is told 300 ms after the last of them, and three times more, ever later', () => {
    expect(told(40_000, (ms) => every20(ms) && ms <= 1000)).toEqual([1305, 2210, 4915, 13_020]);
  });

  it('that flows again may break off again', () => {
    expect(told(5000, (ms) => every20(ms) && (ms <= 1000 || (ms > 2000 && ms <= 3000)))).toEqual([1305, 3305, 4210]);
  });

  it('that never began, or that pauses for less, is nothing to tell of', () => {
    expect(told(5000, () => false)).toEqual([]);
    expect(told(5000, (ms) => every20(ms) && ms % 1000 > 260)).toEqual([]);
  });

  it('does not break off where this thread stood still: what came meanwhile waits behind its clock', () => {
    expect(
      told(
        9000,
        (ms) => every20(ms) && (ms < 1000 || ms > 6000),
        (ms) => ms < 1000 || ms > 6000,
      ),
    ).toEqual([]);
  });

  it('that broke off before this thread stood still is told of as soon as what came meanwhile would be here', () => {
    const stoodStill = (ms: number) => ms > 1100 && ms < 1400;
    expect(
      told(
        3000,
        (ms) => every20(ms) && ms <= 1000,
        (ms) => !stoodStill(ms),
      ),
    ).toEqual([1505, 2410]);
  });

  it('that is meant to be silent is not watched', () => {
    const watch = new FlowWatch();
    watch.look(0);
    watch.arrived(0);
    watch.reset();
    for (let ms = 5; ms < 1000; ms += 5) expect(watch.look(ms)).toBe(false);
  });
});
