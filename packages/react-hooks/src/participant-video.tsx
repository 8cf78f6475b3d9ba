import type { VideoChoice } from '@microturn/sdk';
import { useEffect, useRef, type ComponentPropsWithoutRef } from 'react';
import { useSession } from './use-session.js';

export type ParticipantVideoProps = VideoChoice & Omit<ComponentPropsWithoutRef<'video'>, 'src' | 'children'>;

/** A `<video>` of a participant's camera, or their `source="screen"`; of the user's own where none is named. Empty while there is none. */
export function ParticipantVideo({ participant, source, ...props }: ParticipantVideoProps) {
  const session = useSession();
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (!element.current) return undefined;
    return session.attachVideo(element.current, { participant, source });
  }, [session, participant, source]);
  return <video ref={element} autoPlay muted playsInline {...props} />;
}
