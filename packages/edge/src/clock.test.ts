import { describe, expect, it } from 'vitest';
import { within } from './clock.js';

describe('what is done within a time', () => {
  const never = new AbortController().signal;

  const act = (signal: AbortSignal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

  it('gives back what it came to, and is aborted by nothing afterwards', async () => {
    let signal: AbortSignal | undefined;
    expect(await within(1, never, async (given) => ((signal = given), 'done'))).toBe('done');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(signal!.aborted).toBe(false);
  });

  it('ends in time, with an error that says so', async () => {
    await expect(within(1, never, act)).rejects.toMatchObject({
      name: 'TimeoutError',
      message: 'no answer within 1 ms',
    });
  });

  it('ends with the signal of whoever wanted it, for its reason', async () => {
    const wanted = new AbortController();
    const done = within(60_000, wanted.signal, act);
    wanted.abort(new Error('nobody wants it'));
    await expect(done).rejects.toThrow('nobody wants it');
  });
});
