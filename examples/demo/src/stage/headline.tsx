import { useAgentState, useConnection, useFloor, useMicrophone, type MicrophoneControls } from '@microturn/react';
import type { Mode } from '../shell/mode.js';
import { titleOf } from './failure.js';
import { stateOf, type Caller, type Statement } from './statement.js';

/** What is going on, in one large line: it changes with the floor, up to five times a second. */
export function Headline({ mode, ended }: { readonly mode: Mode; readonly ended: boolean }) {
  const { status, error } = useConnection();
  const { isMuted, isSilenced } = useMicrophone();
  const { floor } = useFloor();
  const agentSpeaks = useAgentState(isSpeaking);
  const { parts, aside } =
    status === 'failed' && error
      ? failed(titleOf(error.code))
      : stateOf({ status, ended, floor, agentSpeaks, caller: callerOf(mode, { isMuted, isSilenced }) });
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

function callerOf(mode: Mode, { isMuted, isSilenced }: Pick<MicrophoneControls, 'isMuted' | 'isSilenced'>): Caller {
  switch (mode) {
    case 'live':
      return isMuted ? 'muted' : isSilenced ? 'silenced' : 'live';
    case 'listen':
      return 'absent';
    case 'example':
      return 'recorded';
    default:
      return mode satisfies never;
  }
}

function failed(title: string): Statement {
  return { parts: [[title, 'plain']], aside: '' };
}
