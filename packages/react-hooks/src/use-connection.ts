import type { Connection, ConnectionStatus, MicroturnError } from '@microturn/sdk';
import { useMemo } from 'react';
import { useSession } from './use-session.js';
import { useStateValue } from './use-state-value.js';

export interface ConnectionControls {
  readonly status: ConnectionStatus;
  /** Between `connect()` and its outcome. */
  readonly isPending: boolean;
  readonly isConnected: boolean;
  readonly isReconnecting: boolean;
  readonly error: MicroturnError | undefined;
  /** Never rejects: what goes wrong is in `error`. */
  connect(this: void): Promise<void>;
  /** Never rejects. */
  disconnect(this: void): Promise<void>;
}

const idle: Connection = { status: 'idle' };

export function useConnection(): ConnectionControls {
  const session = useSession();
  const { status, error } = useStateValue(session.connection, idle);
  const actions = useMemo(
    () => ({
      connect: () => session.connect().catch(() => undefined),
      disconnect: () => session.disconnect().catch(() => undefined),
    }),
    [session],
  );
  return {
    status,
    isPending: status === 'requesting-media' || status === 'connecting',
    isConnected: status === 'connected',
    isReconnecting: status === 'reconnecting',
    error,
    ...actions,
  };
}
