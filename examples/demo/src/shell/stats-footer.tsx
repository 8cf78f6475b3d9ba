import { useConnection, useSession, useStateValue } from '@microturn/react';
import type { ReactNode } from 'react';
import { formatMs, formatShare } from './format.js';

/** What the call measures of itself, once a second. */
export function StatsFooter({ children }: { readonly children?: ReactNode }) {
  const session = useSession();
  const stats = useStateValue(session.stats, undefined);
  const info = useStateValue(session.info, undefined);
  const { isConnected } = useConnection();
  const now = isConnected ? stats : undefined;
  return (
    <footer className="stats">
      <div className="stats-line">
        <dl>
          <Stat name="model" value={info?.model ?? 'Nano'} />
          <Stat name="step" value={formatMs(now?.stepMs)} title="How long the model computes for one micro-turn" />
          <Stat name="turn lag" value={formatMs(now?.turnLagMs)} title="From the end of a micro-turn to its decision" />
          <Stat name="round trip" value={formatMs(now?.rttMs)} title="From this browser to the edge and back" />
          <Stat name="loss" value={formatShare(now?.loss)} title="Packets of your microphone that did not arrive" />
          <Stat name="jitter" value={formatMs(now?.jitterMs)} title="How unevenly they arrive" />
        </dl>
        {children}
      </div>
    </footer>
  );
}

function Stat({ name, value, title }: { readonly name: string; readonly value: string; readonly title?: string }) {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
