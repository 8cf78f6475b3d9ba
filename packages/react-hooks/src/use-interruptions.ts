import type { InterruptionRecord } from '@microturn/sdk';
import { useSession } from './use-session.js';
import { useStateValue } from './use-state-value.js';

const none: readonly InterruptionRecord[] = [];

/** Who talked over whom, in both directions. */
export function useInterruptions(): readonly InterruptionRecord[] {
  return useStateValue(useSession().interruptions, none);
}
