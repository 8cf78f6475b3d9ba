import { useAgentState, useConnection, useFloor, useMicrophone } from '@microturn/react';
import type { Mode } from '../shell/mode.js';
import { titleOf } from './failure.js';
import { stateOf, type Statement } from './statement.js';

/** What is going on, in one large line: it changes with the floor, up to five times a second. */
export function Headline({ mode, ended }: { readonly mode: Mode; readonly ended: boolean }) {
  const { status, error } = useConnection();
  const { isMuted } = useMicrophone();
  const { floor } = useFloor();
  const speaking = useAgentState(isSpeaking);
  const { parts, aside } =
    status === 'failed' && error
      ? failed(titleOf(error.code))
      : stateOf({
          status: status === 'idle' && ended ? 'closed' : status,
          floor,
          agent: { speaking },
          muted: isMuted,
          // The example comes with a speaker whose microphone this page does not have.
          microphone: mode !== 'listen',
        });
  return (
    <div className="headline">
      <h1>
        {parts.map(([text, ink], index) => (
          <span key={index} data-ink={ink}>
            {text}
          </span>
        ))}
      </h1>
      <p>{aside}</p>
    </div>
  );
}

const isSpeaking = ({ speaking }: { readonly speaking: boolean }) => speaking;

function failed(title: string): Statement {
  return { parts: [[title, 'plain']], aside: '' };
}
