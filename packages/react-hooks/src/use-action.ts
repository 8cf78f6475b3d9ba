import { MicroturnError } from '@microturn/sdk';
import { useCallback, useState } from 'react';

/** What became of what an action was called for. */
export interface ActionState {
  /** Called, and not yet answered: show it, or disable what calls it. */
  readonly isPending: boolean;
  /** Of what was called since, if it failed; the next call begins without. */
  readonly error: MicroturnError | undefined;
}

interface Calls {
  readonly open: number;
  readonly error: MicroturnError | undefined;
}

/**
 * An action that tells how it stands, and never rejects: it resolves with undefined where it failed.
 * @param run the same function from render to render
 */
export function useAction<A extends readonly unknown[], R>(
  run: (...args: A) => Promise<R>,
): [ActionState, (...args: A) => Promise<R | undefined>] {
  const [{ open, error }, setCalls] = useState<Calls>({ open: 0, error: undefined });
  const act = useCallback(
    async (...args: A) => {
      setCalls((calls) => ({ open: calls.open + 1, error: undefined }));
      try {
        const result = await run(...args);
        setCalls((calls) => ({ ...calls, open: calls.open - 1 }));
        return result;
      } catch (cause) {
        const failure = MicroturnError.from(cause, 'edge/internal');
        setCalls((calls) => ({ open: calls.open - 1, error: failure }));
        return undefined;
      }
    },
    [run],
  );
  return [{ isPending: open > 0, error }, act];
}
