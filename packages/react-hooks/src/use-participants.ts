import type { Participant } from '@microturn/sdk';
import { useSession } from './use-session.js';
import { useStateValue } from './use-state-value.js';

const none: readonly Participant[] = [];

/** Who is in the room, this user first; empty outside a call. */
export function useParticipants(): readonly Participant[] {
  return useStateValue(useSession().participants, none);
}
