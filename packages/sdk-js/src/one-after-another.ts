/** Runs a step when those before it have ended, and gives what came of it. */
export type Turns = <T>(step: () => Promise<T>) => Promise<T>;

/** A queue of its callers' own making: each waits for its turn, whatever became of those before. */
export function oneAfterAnother(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (step) => {
    const turn = last.then(step);
    last = turn.catch(() => undefined);
    return turn;
  };
}
