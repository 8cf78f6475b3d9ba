import * as v from 'valibot';
import { limits } from './limits.js';
import { Id } from './schema.js';

/** What a participant sends, and whether it is muted: by its own device, or by whoever administers the room. */
export const ParticipantTrack = v.object({
  /** The producerId, as in a `TrackOffer`. */
  id: Id,
  source: v.picklist(['microphone', 'camera', 'screen']),
  kind: v.picklist(['audio', 'video']),
  muted: v.boolean(),
});
export type ParticipantTrack = v.InferOutput<typeof ParticipantTrack>;

/** One person in a room, as everybody in it sees them. The agent is none of them. */
export const Participant = v.object({
  identity: Id,
  /** As their token says; for people to read. */
  name: v.optional(v.pipe(v.string(), v.maxLength(limits.nameChars))),
  /** As their token says. */
  attributes: v.record(v.string(), v.string()),
  /** Their connection is lost, and they may come back. */
  away: v.boolean(),
  /** Among the loudest now, by what their microphone sends. No model and no floor goes by it. */
  speaking: v.boolean(),
  tracks: v.array(ParticipantTrack),
});
export type Participant = v.InferOutput<typeof Participant>;
