// What an app writes that knows nothing of this repository, with no more `lib` than it starts with: the declarations that
// we publish are checked with it.
import { SessionProvider, useConnection, useTranscript } from '@microturn/react';
import {
  createSession,
  TokenSource,
  type JoinResult,
  type RosterUpdate,
  type SessionOptions,
  type Transport,
} from '@microturn/sdk';
import { scriptedTransport } from '@microturn/sdk/testing';

/** A transport of one's own, with names for all that it is given and gives. */
const inner = scriptedTransport();
const transport: Transport = {
  media: inner.media,
  async open(options) {
    const link = await inner.open(options);
    const { participant }: JoinResult = link.joined;
    console.log(participant.length);
    return link;
  },
};
export const countOf = (update: RosterUpdate): number => (update.type === 'present' ? update.participants.length : 1);

const options: SessionOptions = { tokenSource: TokenSource.endpoint('/dev/token'), transport };

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
