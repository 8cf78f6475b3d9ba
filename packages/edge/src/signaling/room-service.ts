import { MicroturnError, type Participant } from '@microturn/protocol';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import * as v from 'valibot';
import type { KeyRing } from './key-ring.js';
import { toParticipantInfo, toRoom, toTrackInfo } from './livekit-json.js';
import { addTwirp, authorize, parseBody } from './twirp.js';

/** A room, as whoever administers it may see and change it. */
export interface AdministeredRoom {
  readonly id: string;
  readonly participants: readonly Participant[];
  find(identity: string): AdministeredParticipant | undefined;
}

export interface AdministeredParticipant {
  /** @throws {MicroturnError} `room/unknown` where there is no such track */
  mute(trackId: string): Promise<void>;
  /** @param tokensGoodFrom Unix seconds: tokens that were good before that do not let them back in */
  remove(tokensGoodFrom?: number): Promise<void>;
}

export interface RoomServiceParts {
  readonly keys: KeyRing;
  rooms(): readonly AdministeredRoom[];
}

const Name = v.pipe(v.string(), v.minLength(1));
const InRoom = v.object({ room: Name });
const OfParticipant = v.object({ room: Name, identity: Name });
/** Protobuf's JSON has either spelling, and writes an int64 as text. */
const Seconds = v.optional(v.pipe(v.union([v.string(), v.number()]), v.transform(Number), v.integer(), v.minValue(0)));
const OfRemoved = v.object({ room: Name, identity: Name, revokeTokenTs: Seconds, revoke_token_ts: Seconds });
const OfTrack = v.object({
  room: Name,
  identity: Name,
  trackSid: v.optional(Name),
  track_sid: v.optional(Name),
  muted: v.optional(v.boolean(), false),
});

/**
 * The calls of LiveKit's `RoomServiceClient` that make sense here, as Twirp JSON: `ListRooms`, `ListParticipants`,
 * `GetParticipant`, `MutePublishedTrack` and `RemoveParticipant`. Others are `unimplemented`.
 */
export function addRoomService(app: FastifyInstance, parts: RoomServiceParts): void {
  addTwirp(app, 'livekit.RoomService', {
    ListRooms: async (request) => {
      await authorize(request, parts.keys, { roomList: true });
      const { names = [] } = parseBody(v.object({ names: v.optional(v.array(v.string())) }), request.body);
      const rooms = parts.rooms().filter(({ id }) => names.length === 0 || names.includes(id));
      return { rooms: rooms.map(toRoom) };
    },
    ListParticipants: async (request) => {
      const room = await administer(request, parts, parseBody(InRoom, request.body));
      return { participants: room.participants.map(toParticipantInfo) };
    },
    GetParticipant: async (request) => {
      const { identity, ...body } = parseBody(OfParticipant, request.body);
      const { participants } = await administer(request, parts, body);
      const participant = participants.find((one) => one.identity === identity);
      if (!participant) throw new MicroturnError('room/unknown', 'no such participant');
      return toParticipantInfo(participant);
    },
    MutePublishedTrack: async (request) => {
      const { identity, trackSid, track_sid: id = trackSid, muted, ...body } = parseBody(OfTrack, request.body);
      const room = await administer(request, parts, body);
      if (!muted) throw new MicroturnError('protocol/state', 'only its owner unmutes a track');
      await find(room, identity).mute(id ?? '');
      const tracks = room.participants.find((one) => one.identity === identity)?.tracks ?? [];
      const track = tracks.find((one) => one.id === id);
      return track ? { track: toTrackInfo(track) } : {};
    },
    RemoveParticipant: async (request) => {
      const {
        identity,
        revokeTokenTs,
        revoke_token_ts: goodFrom = revokeTokenTs,
        ...body
      } = parseBody(OfRemoved, request.body);
      // Protobuf's 0 is what was not given.
      await find(await administer(request, parts, body), identity).remove(goodFrom || undefined);
      return {};
    },
  });
}

/** The token first: who may not administer a room does not learn whether there is one. */
async function administer(
  request: FastifyRequest,
  parts: RoomServiceParts,
  { room: roomAdmin }: { readonly room: string },
): Promise<AdministeredRoom> {
  await authorize(request, parts.keys, { roomAdmin });
  const room = parts.rooms().find(({ id }) => id === roomAdmin);
  if (!room) throw new MicroturnError('room/unknown', 'no such room');
  return room;
}

function find(room: AdministeredRoom, identity: string): AdministeredParticipant {
  const participant = room.find(identity);
  if (!participant) throw new MicroturnError('room/unknown', 'no such participant');
  return participant;
}
