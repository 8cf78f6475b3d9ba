import type { SessionEventOf, SessionEventType } from '@microturn/sdk';
import { useEffect, useRef } from 'react';
import { useSession } from './use-session.js';

/** Calls the newest `callback` for every event of one type; it needs no memo. */
export function useSessionEvent<T extends SessionEventType>(
  type: T,
  callback: (event: SessionEventOf<T>) => void,
): void {
  const session = useSession();
  const latest = useRef(callback);
  useEffect(() => {
    latest.current = callback;
  });
  useEffect(() => session.on(type, (event) => latest.current(event)), [session, type]);
}
