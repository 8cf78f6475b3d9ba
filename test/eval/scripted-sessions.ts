import type { Figure, Heard } from './heard.js';
import type { Session, SessionEvent } from './test-sets.js';
import type { Track } from './track.js';

/** Seconds. */
export const event = (kind: SessionEvent['kind'], start: number, end: number, value = 0) => ({
  kind,
  start,
  end,
  value,
});
/** A session of 20 s in which nothing is heard but what is given, and what a listener that cannot read made of it. */
export function heard(events: SessionEvent[], track: Partial<Track>, session: Partial<Session> = {}): Heard {
  const none = new Int16Array(0);
  return {
    session: {
      mic: none,
      ref: none,
      play: new Uint8Array(100),
      floor: new Uint8Array(100),
      words: [],
      events,
      typed: [],
      ...session,
    },
    track: { yields: [], stops: [], words: [], says: [], shows: [], ...track },
    reads: false,
  };
}
export const value = (figures: readonly Figure[], measure: string) =>
  figures.find((figure) => figure.measure === measure)!.value;
