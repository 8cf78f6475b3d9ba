import { describe, expect, it } from 'vitest';
import { DeskStage, limits, settle } from './fixtures/desk-stage.js';
import { Turnstile } from './turnstile.js';

/** The event loop, turned by hand. */
function handLoop() {
  let next: (() => void)[] = [];
  return {
    nextTurn: (fn: () => void) => void next.push(fn),
    async turn() {
      for (const fn of next.splice(0)) fn();
      await settle();
    },
    get idle() {
      return next.length === 0;
    },
  };
}

describe('a turnstile', () => {
  it('lets the first pass at once, and of those who come together one in each turn of the loop, in their order', async () => {
    const loop = handLoop();
    const turnstile = new Turnstile(loop.nextTurn);
    const passed: number[] = [];
    for (let i = 0; i < 50; i++) void turnstile.pass().then(() => passed.push(i));
    await settle();
    expect(passed).toEqual([0]);
    for (let turn = 1; turn < 50; turn++) {
      await loop.turn();
      expect(passed).toHaveLength(turn + 1);
    }
    expect(passed).toEqual(Array.from({ length: 50 }, (_, i) => i));
    await loop.turn();
    expect(loop.idle).toBe(true);
  });

  it('is free again one turn after the last', async () => {
    const loop = handLoop();
    const turnstile = new Turnstile(loop.nextTurn);
    await turnstile.pass();
    let second = false;
    void turnstile.pass().then(() => (second = true));
    await settle();
    expect(second).toBe(false);
    await loop.turn();
    expect(second).toBe(true);
    await loop.turn();
    await turnstile.pass();
  });

  it('fifty tasks that five sessions ask for at once begin one after the other, and one that was called off does not', async () => {
    const loop = handLoop();
    const starts = new Turnstile(loop.nextTurn);
    const stages = Array.from({ length: 5 }, () => new DeskStage({ starts, limits: { ...limits, concurrent: 10 } }));
    const begun = () => stages.reduce((sum, { provider }) => sum + provider.runs.length, 0);
    for (const { desk } of stages) for (let i = 0; i < 10; i++) desk.ask({ text: `question ${i}`, origin: 'app' });
    stages[4]!.desk.cancel('task-10', 'app');
    await settle();
    expect(begun()).toBe(1);
    for (let turn = 2; turn <= 49; turn++) {
      await loop.turn();
      expect(begun()).toBe(turn);
    }
    await loop.turn();
    await loop.turn();
    expect(begun()).toBe(49);
    expect(loop.idle).toBe(true);
  });

  it('by the event loop itself: what else is to be done comes in between', async () => {
    const turnstile = new Turnstile();
    const order: string[] = [];
    let timers = 0;
    const other = setInterval(() => timers++, 0);
    const passes = Array.from({ length: 200 }, async (_, i) => {
      await turnstile.pass();
      order.push(`${i}/${timers}`);
    });
    await Promise.all(passes);
    clearInterval(other);
    expect(order).toHaveLength(200);
    expect(timers).toBeGreaterThan(0);
  });
});
