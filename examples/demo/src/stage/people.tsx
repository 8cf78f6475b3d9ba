import { useParticipants } from '@microturn/react';
import type { Participant } from '@microturn/sdk';

/** Who is in the room. With nobody else in it there is nothing to say. */
export function People() {
  const participants = useParticipants();
  if (participants.length < 2) return null;
  return (
    <ul className="people" aria-label="In this room">
      {participants.map((participant) => (
        <Person key={participant.identity} participant={participant} />
      ))}
    </ul>
  );
}

function Person({ participant }: { readonly participant: Participant }) {
  const { name, isLocal, speaking, away } = participant;
  const state = away ? 'away' : microphoneOf(participant);
  return (
    <li className="person" data-speaking={speaking || undefined} data-state={state}>
      <span className="person-face" aria-hidden="true">
        {[...name][0]?.toUpperCase()}
      </span>
      <span className="person-name">
        {name}
        {isLocal && ' (you)'}
      </span>
      <span className={state === 'live' ? 'sr-only' : 'person-state'}>{speaking ? 'speaking' : stateNames[state]}</span>
    </li>
  );
}

type MicrophoneState = 'live' | 'muted' | 'off';

const stateNames: Readonly<Record<MicrophoneState | 'away', string>> = {
  live: 'microphone on',
  muted: 'muted',
  off: 'listening only',
  away: 'reconnecting',
};

function microphoneOf({ tracks }: Participant): MicrophoneState {
  const microphone = tracks.find(({ source }) => source === 'microphone');
  if (!microphone) return 'off';
  return microphone.muted ? 'muted' : 'live';
}
