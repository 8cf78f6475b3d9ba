import type { MicroturnError } from '@microturn/sdk';
import { useEffect, useRef } from 'react';
import { useSession } from './use-session.js';

/**
 * Calls the newest `callback` for everything that goes wrong without ending the call; it needs no memo. What ends a call is
 * `error` of `useConnection()`.
 */
export function useSessionError(callback: (error: MicroturnError) => void): void {
  const session = useSession();
  const latest = useRef(callback);
  useEffect(() => {
    latest.current = callback;
  });
  useEffect(() => {
    const subscription = session.errors.subscribe((error) => latest.current(error));
    return () => subscription.unsubscribe();
  }, [session]);
}
