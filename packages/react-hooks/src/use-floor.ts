import type { FloorState } from '@microturn/sdk';
import { useSession } from './use-session.js';
import { useStateValue } from './use-state-value.js';

const silent: FloorState = { floor: 'silent', confidence: 0, at: 0 };

/** What the model believes about this participant. */
export function useFloor(): FloorState {
  return useStateValue(useSession().floor, silent);
}
