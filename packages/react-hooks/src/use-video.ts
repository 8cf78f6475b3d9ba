import type { VideoChoice } from '@microturn/sdk';
import { useMemo } from 'react';
import { useSession } from './use-session.js';
import { useStateValue } from './use-state-value.js';

/** What there is to see of a participant now, for whoever shows something else meanwhile; the user's own where none is named. */
export function useVideo({ participant, source }: VideoChoice = {}): MediaStreamTrack | undefined {
  const session = useSession();
  const video = useMemo(() => session.videoOf({ participant, source }), [session, participant, source]);
  return useStateValue(video, undefined);
}
