import type { BackgroundTask } from '@microturn/sdk';
import { useSession } from './use-session.js';
import { useStateValue } from './use-state-value.js';

const none: readonly BackgroundTask[] = [];

/** The background work of this conversation. */
export function useTasks(): readonly BackgroundTask[] {
  return useStateValue(useSession().tasks, none);
}
