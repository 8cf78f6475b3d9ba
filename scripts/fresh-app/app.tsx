// What an app writes that knows nothing of this repository, with no more `lib` than it starts with: the declarations that
// we publish are checked with it.
import { SessionProvider, useConnection, useTranscript } from '@microturn/react';
import { createSession, TokenSource, type SessionOptions } from '@microturn/sdk';
import { scriptedTransport } from '@microturn/sdk/testing';

const options: SessionOptions = { tokenSource: TokenSource.endpoint('/dev/token'), transport: scriptedTransport() };

export const session = createSession(options);
session.on('response.interrupted', ({ heardText, unheardText }) => console.log(heardText.length, unheardText.length));

function Call() {
  const { isConnected, connect } = useConnection();
  const lines = useTranscript().map(({ id, text }) => <p key={id}>{text}</p>);
  return isConnected ? <>{lines}</> : <button onClick={connect}>Talk</button>;
}

export const App = () => (
  <SessionProvider session={session}>
    <Call />
  </SessionProvider>
);
