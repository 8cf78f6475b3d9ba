import { useConnection } from '@microturn/react';
import type { ConnectionStatus } from '@microturn/sdk';
import { ThemeSwitch } from './theme-switch.js';
import type { Mode } from './mode.js';

const statusNames: Readonly<Record<ConnectionStatus, string>> = {
  idle: 'not connected',
  'requesting-media': 'asking for the microphone',
  connecting: 'connecting',
  connected: 'connected',
  reconnecting: 'reconnecting',
  closing: 'hanging up',
  closed: 'closed',
  failed: 'failed',
};

export function PageHeader({ mode }: { readonly mode: Mode }) {
  const { status } = useConnection();
  const name = mode === 'example' && status === 'connected' ? 'replaying a recording' : statusNames[status];
  return (
    <header className="page-header">
      <p className="wordmark">
        <svg viewBox="0 0 22 14" width="22" height="14" aria-hidden="true">
          <path className="mark-you" d="M0 5h4v4H0zM6 1h4v8H6zM12 3h4v6h-4z" />
          <path className="mark-agent" d="M12 10h4v4h-4zM18 10h4v4h-4z" />
        </svg>
        Microturn
      </p>
      <p className="status" role="status" data-status={status}>
        <span>{name}</span>
      </p>
      <ThemeSwitch />
    </header>
  );
}
