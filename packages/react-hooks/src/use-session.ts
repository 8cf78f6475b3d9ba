import type { InteractionSession } from '@microturn/sdk';
import { useContext } from 'react';
import { SessionContext } from './provider.js';

/** The session of the nearest `<SessionProvider>`; the same object in every render. */
export function useSession(): InteractionSession {
  const session = useContext(SessionContext);
  if (!session) throw new TypeError('expected a <SessionProvider> above this component, got none');
  return session;
}
