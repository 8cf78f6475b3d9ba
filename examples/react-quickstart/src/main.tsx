import {
  ParticipantVideo,
  SessionProvider,
  useAgentState,
  useCamera,
  useConnection,
  useSession,
  useSpeaker,
  useTranscript,
} from '@microturn/react';
import { TokenSource, type MicroturnError, type SessionOptions, type TranscriptEntry } from '@microturn/sdk';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

const options: SessionOptions = { tokenSource: TokenSource.endpoint('/dev/token') };

function Call() {
  const session = useSession();
  const { isConnected, isReconnecting, isPending, error, connect, disconnect } = useConnection();
  const inCall = isConnected || isReconnecting;
  const speaking = useAgentState((agent) => agent.speaking);
  const { isBlocked, unlock } = useSpeaker();
  return (
    <main>
      <button disabled={isPending} onClick={inCall ? disconnect : connect}>
        {inCall ? 'Hang up' : 'Talk'}
      </button>
      {speaking && <button onClick={() => session.interrupt().catch(() => undefined)}>Stop the agent</button>}
      {isBlocked && <button onClick={unlock}>Turn the sound on</button>}
      {error && <p role="alert">{isReconnecting ? 'Reconnecting…' : toProse(error)}</p>}
      {inCall && <Camera />}
      <Transcript />
    </main>
  );
}

/** What went wrong, and what to do about it. */
const toProse = ({ message, hint }: MicroturnError) =>
  `${message[0]?.toUpperCase()}${message.slice(1)}. What to do: ${hint}.`;

/** Yourself, as others of the room see you; an LLM that looks at pictures is shown you once a second. The call needs none of it. */
function Camera() {
  const { isEnabled, isPending, error, enable, disable } = useCamera();
  return (
    <>
      <button disabled={isPending} onClick={isEnabled ? disable : () => enable({ show: true })}>
        {isEnabled ? 'Camera off' : 'Camera on'}
      </button>
      {error && <p role="alert">{toProse(error)}</p>}
      {isEnabled && <ParticipantVideo aria-label="You" width={320} style={{ display: 'block' }} />}
    </>
  );
}

function Transcript() {
  return (
    <ol>
      {useTranscript().map((entry) => (
        <li key={entry.id}>
          <b>{entry.speaker === 'agent' ? 'Agent' : 'You'}</b> <Words entry={entry} />
        </li>
      ))}
    </ol>
  );
}

/** Words of the agent that were not heard are struck out. */
function Words({ entry }: { entry: TranscriptEntry }) {
  if (entry.speaker === 'user') return entry.text;
  return entry.words.map(({ text, heard, startMs }) => (heard ? `${text} ` : <s key={startMs}>{text} </s>));
}

createRoot(document.body.appendChild(document.createElement('div'))).render(
  <StrictMode>
    <SessionProvider options={options}>
      <Call />
    </SessionProvider>
  </StrictMode>,
);
