import type { AgentResponse } from '@microturn/sdk';
import { useSession } from './use-session.js';
import { useStateValue } from './use-state-value.js';

const none: readonly AgentResponse[] = [];

/** What the agent said, with what was heard of it. */
export function useResponses(): readonly AgentResponse[] {
  return useStateValue(useSession().responses, none);
}
