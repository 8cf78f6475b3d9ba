import * as v from 'valibot';
import { eventSchemas, type SessionEvent } from './events.js';
import { Participant } from './participant.js';
import { AudienceChoice, errorEntries, Id, Index, Ms, taggedParser } from './schema.js';

const RequestId = v.pipe(v.number(), v.integer(), v.minValue(1));
const Loose = v.looseObject({});

/** A WebRTC transport of the edge, as mediasoup-client's `createSendTransport` and `createRecvTransport` take it. */
export const TransportOptions = v.looseObject({
  id: Id,
  iceParameters: Loose,
  iceCandidates: v.array(Loose),
  dtlsParameters: Loose,
});

/** A track that this participant receives, as mediasoup-client's `consume` takes it, and whose it is. */
export const TrackOffer = v.object({
  consumerId: Id,
  producerId: Id,
  kind: v.picklist(['audio', 'video']),
  rtpParameters: Loose,
  /** The participant who sends it, or `agent` for the agent's voice. */
  participant: Id,
  source: v.picklist(['agent', 'microphone', 'camera', 'screen']),
  /** Of the agent's voice: who hears it. */
  audience: v.optional(AudienceChoice),
});
export type TrackOffer = v.InferOutput<typeof TrackOffer>;

export const JoinResult = v.object({
  sessionId: Id,
  room: Id,
  participant: Id,
  resumeToken: Id,
  /** How long the session waits for a client that is away. */
  resumeMs: v.optional(Ms, 120_000),
  /** True where an earlier session goes on. */
  resumed: v.boolean(),
  model: v.string(),
  microTurnMs: Ms,
  /** Session ms now, to place events on the caller's own clock. */
  sessionMs: Ms,
  routerRtpCapabilities: Loose,
  sendTransport: TransportOptions,
  recvTransport: TransportOptions,
  iceServers: v.array(Loose),
  /** Who is in the room now, this participant among them, in the order in which they came. */
  participants: v.optional(v.array(Participant), []),
  /** What the token lets this participant send; an edge that does not say it refuses what is not. */
  canPublish: v.optional(v.array(Id)),
});
export type JoinResult = v.InferOutput<typeof JoinResult>;

export const InterruptResult = v.object({ responseId: v.optional(Id), heardMs: Ms });
export type InterruptResult = v.InferOutput<typeof InterruptResult>;

const WireErrorSchema = v.object(errorEntries);

const schemas = {
  ...eventSchemas,
  /** Answers the request with the same id: `result` where it succeeded, `error` where it did not. */
  reply: v.object({
    type: v.literal('reply'),
    id: RequestId,
    result: v.optional(v.unknown()),
    error: v.optional(WireErrorSchema),
  }),
  'track.added': v.object({ type: v.literal('track.added'), track: TrackOffer }),
  'track.removed': v.object({ type: v.literal('track.removed'), consumerId: Id }),
  'participant.joined': v.object({ type: v.literal('participant.joined'), participant: Participant }),
  /** They went away or came back, or a track of theirs did, or was muted. */
  'participant.updated': v.object({ type: v.literal('participant.updated'), participant: Participant }),
  'participant.left': v.object({ type: v.literal('participant.left'), identity: Id }),
  /** Who speaks now, loudest first; at most every 400 ms, and only where it changed. */
  'speakers.changed': v.object({ type: v.literal('speakers.changed'), speakers: v.array(Id) }),
  /** A track of this participant was muted by somebody else: the device is to follow. */
  'track.muted': v.object({
    type: v.literal('track.muted'),
    producerId: Id,
    source: v.picklist(['microphone', 'camera', 'screen']),
  }),
  /** Nothing of this participant's microphone arrives any more, though it is not muted: the way to the edge may be another one now. */
  'media.stalled': v.object({ type: v.literal('media.stalled') }),
  /** The last message before the edge closes the socket. */
  goodbye: v.object({ type: v.literal('goodbye'), error: WireErrorSchema, resumable: v.boolean(), seq: Index }),
} as const;

type MessageOf<T extends keyof typeof schemas> = v.InferOutput<(typeof schemas)[T]>;
/** Who is in the room, as it changes. State and no history: it has no `seq`, and a join brings all of it. */
export type RosterMessage = MessageOf<
  'participant.joined' | 'participant.updated' | 'participant.left' | 'speakers.changed' | 'track.muted'
>;
export type ControlMessage =
  RosterMessage | MessageOf<'reply' | 'track.added' | 'track.removed' | 'media.stalled' | 'goodbye'>;
export type ServerMessage = ControlMessage | SessionEvent;

/** Returns `undefined` for a type this build does not know; throws `protocol/malformed` for bad fields. */
export const parseServerMessage: (value: unknown) => ServerMessage | undefined = taggedParser(schemas);

/** Whether a message is a session event, which carries a `seq`, or one of the socket's own. */
export function isSessionEvent(message: ServerMessage): message is SessionEvent {
  return 'seq' in message && message.type !== 'goodbye';
}
