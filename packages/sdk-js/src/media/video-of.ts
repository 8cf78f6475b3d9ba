import type { Participant } from '../participants.js';
import type { RemoteTrack } from '../session.js';
import { DerivedState, type State } from '../state.js';
import type { VideoDevice } from './devices.js';
import type { MediaPlatform } from './platform.js';

export interface VideoChoice {
  /** An identity of the room; this user's own where it is left out, before and after a call too. */
  readonly participant?: string | undefined;
  /** Default `camera`. */
  readonly source?: 'camera' | 'screen' | undefined;
}

interface VideoOfParts {
  readonly participants: State<readonly Participant[]>;
  readonly tracks: State<readonly RemoteTrack[]>;
  readonly camera: VideoDevice;
  readonly screen: VideoDevice;
}

/** What there is to see of somebody now; of one who is muted nothing. */
export function videoOf(
  { participants, tracks, ...devices }: VideoOfParts,
  { participant, source = 'camera' }: VideoChoice,
): State<MediaStreamTrack | undefined> {
  const { state, track: own } = devices[source];
  const read = () => {
    const person = participants.value.find(({ identity }) => identity === participant);
    if (participant === undefined || person?.isLocal) return state.value.muted ? undefined : own.value;
    if (person?.tracks.find((track) => track.source === source)?.muted) return undefined;
    return tracks.value.findLast((track) => track.participant === participant && track.source === source)?.track;
  };
  return new DerivedState(read, [participants, tracks, state, own]);
}

/** Shows a video that comes and goes, until the returned function is called. */
export function attachVideo(
  element: HTMLVideoElement,
  video: State<MediaStreamTrack | undefined>,
  media: MediaPlatform,
): () => void {
  // What browsers play without being asked; a video track has no sound that could be missed.
  element.muted = true;
  element.autoplay = true;
  element.playsInline = true;
  const show = (track: MediaStreamTrack | undefined) => {
    element.srcObject = track ? media.createStream([track]) : null;
  };
  const subscription = video.subscribe(show);
  return () => {
    if (subscription.closed) return;
    subscription.unsubscribe();
    show(undefined);
  };
}
