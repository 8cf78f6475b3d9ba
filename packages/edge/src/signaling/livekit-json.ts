import type { Participant, ParticipantTrack } from '@microturn/protocol';

// Rooms, participants and tracks in the JSON of LiveKit's protobuf messages, so that its clients know them.

const SOURCES = { microphone: 'MICROPHONE', camera: 'CAMERA', screen: 'SCREEN_SHARE' } as const;

/** `livekit.Room` */
export function toRoom({
  id,
  participants,
}: {
  readonly id: string;
  readonly participants: readonly Participant[];
}): object {
  const publishers = participants.filter(({ tracks }) => tracks.length > 0);
  return { sid: id, name: id, numParticipants: participants.length, numPublishers: publishers.length };
}

/** `livekit.ParticipantInfo` */
export function toParticipantInfo({ identity, name, attributes, away, tracks }: Participant): object {
  return {
    sid: identity,
    identity,
    name: name ?? '',
    attributes,
    state: away ? 'DISCONNECTED' : 'ACTIVE',
    isPublisher: tracks.length > 0,
    tracks: tracks.map(toTrackInfo),
  };
}

/** `livekit.TrackInfo` */
export function toTrackInfo({ id, kind, source, muted }: ParticipantTrack): object {
  return { sid: id, type: kind.toUpperCase(), source: SOURCES[source], muted };
}
