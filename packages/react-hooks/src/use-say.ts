import type { InteractionSession } from '@microturn/sdk';
import { useCallback } from 'react';
import { useAction, type ActionState } from './use-action.js';
import { useSession } from './use-session.js';

type Say = InteractionSession['say'];

export interface SayControls extends ActionState {
  /** Resolves once the edge has taken the text; with undefined where it has not, and then `error` says why. */
  say(this: void, ...args: Parameters<Say>): Promise<Awaited<ReturnType<Say>> | undefined>;
}

/** Speaks through the agent, and tells whether the text is on its way. What becomes of it is in `useResponses()`. */
export function useSay(): SayControls {
  const session = useSession();
  const [state, say] = useAction(useCallback((...args: Parameters<Say>) => session.say(...args), [session]));
  return { ...state, say };
}
