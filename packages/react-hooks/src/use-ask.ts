import type { InteractionSession } from '@microturn/sdk';
import { useCallback } from 'react';
import { useAction, type ActionState } from './use-action.js';
import { useSession } from './use-session.js';

type Ask = InteractionSession['ask'];

export interface AskControls extends ActionState {
  /** Resolves once the edge has taken the question; with undefined where it has not, and then `error` says why. */
  ask(this: void, ...args: Parameters<Ask>): Promise<Awaited<ReturnType<Ask>> | undefined>;
}

/** Asks the background model, and tells whether the question and its pictures are on their way. What becomes of it is in `useTasks()`. */
export function useAsk(): AskControls {
  const session = useSession();
  const [state, ask] = useAction(useCallback((...args: Parameters<Ask>) => session.ask(...args), [session]));
  return { ...state, ask };
}
