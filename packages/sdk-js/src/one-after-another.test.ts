import { expect, test } from 'vitest';
import { oneAfterAnother } from './one-after-another.js';

test('each waits for its turn, whatever became of those before', async () => {
  const inTurn = oneAfterAnother();
  const order: string[] = [];
  const first = inTurn(async () => {
    await Promise.resolve();
    order.push('first');
    throw new Error('no');
  });
  const second = inTurn(async () => order.push('second'));
  await expect(first).rejects.toThrow('no');
  await second;
  expect(order).toEqual(['first', 'second']);
});

test('one more than may wait is refused by a code, and room is made by those that end', async () => {
  const inTurn = oneAfterAnother(2);
  const gates: (() => void)[] = [];
  const held = () => inTurn(() => new Promise<void>((open) => gates.push(open)));
  const [one, two] = [held(), held()];
  await expect(held()).rejects.toMatchObject({ code: 'protocol/rate' });
  await Promise.resolve();
  gates[0]!();
  await one;
  const three = held();
  await new Promise((settled) => setTimeout(settled));
  gates[1]!();
  await two;
  await new Promise((settled) => setTimeout(settled));
  gates[2]!();
  await expect(three).resolves.toBeUndefined();
});
