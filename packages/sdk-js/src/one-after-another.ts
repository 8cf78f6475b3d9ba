import { MicroturnError } from '@microturn/protocol';

/** Runs a step when those before it have ended, and gives what came of it. */
export type Turns = <T>(step: () => Promise<T>) => Promise<T>;

/**
 * A queue of its callers' own making: each waits for its turn, whatever became of those before.
 * @param most with so many under way or waiting, another is refused: `protocol/rate`
 */
export function oneAfterAnother(most = Infinity): Turns {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return (step) => {
    if (waiting >= most) return Promise.reject(new MicroturnError('protocol/rate', `${most} are waiting already`));
    waiting += 1;
    const turn = last.then(step).finally(() => {
      waiting -= 1;
    });
    last = turn.catch(() => undefined);
    return turn;
  };
}
