import { expect, it } from 'vitest';
import { RestartBudget } from './restart-budget.js';
import { ManualClock } from './testing/manual-clock.js';

it('allows three restarts in a minute, and more once they are past', () => {
  const clock = new ManualClock();
  const budget = new RestartBudget(clock);
  expect([budget.take(), budget.take(), budget.take(), budget.take()]).toEqual([true, true, true, false]);
  clock.advance(60_001);
  expect(budget.take()).toBe(true);
});
