import { MicroturnError, type ErrorCode, type Participant } from '@microturn/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as v from 'valibot';
import { verifyServerToken } from './auth.js';
import type { KeyRing } from './key-ring.js';

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

/** Of Twirp's codes, those that are used here, with their HTTP status. */
const STATUS = {
  invalid_argument: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  failed_precondition: 412,
  internal: 500,
  unimplemented: 501,
} as const;
type TwirpCode = keyof typeof STATUS;

const CODES: Partial<Record<ErrorCode, TwirpCode>> = {
  'auth/denied': 'unauthenticated',
  'auth/expired': 'unauthenticated',
  'auth/forbidden': 'permission_denied',
  'room/unknown': 'not_found',
  'protocol/malformed': 'invalid_argument',
  'protocol/state': 'failed_precondition',
};

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

/** As of LiveKit, so that its clients know them. */
const SOURCES = { microphone: 'MICROPHONE', camera: 'CAMERA', screen: 'SCREEN_SHARE' } as const;

/**
 * The calls of LiveKit's `RoomServiceClient` that make sense here, as Twirp JSON: `ListRooms`, `ListParticipants`,
 * `GetParticipant`, `MutePublishedTrack` and `RemoveParticipant`. Others are `unimplemented`.
 */
export function addRoomService(app: FastifyInstance, parts: RoomServiceParts): void {
  const methods: Record<string, (request: FastifyRequest) => Promise<unknown>> = {
    ListRooms: async (request) => {
      await authorize(request, parts, { roomList: true });
      const { names = [] } = parse(v.object({ names: v.optional(v.array(v.string())) }), request.body);
      const rooms = parts.rooms().filter(({ id }) => names.length === 0 || names.includes(id));
      return { rooms: rooms.map(toRoom) };
    },
    ListParticipants: async (request) => {
      const room = await administer(request, parts, parse(InRoom, request.body));
      return { participants: room.participants.map(toParticipantInfo) };
    },
    GetParticipant: async (request) => {
      const { identity, ...body } = parse(OfParticipant, request.body);
      const { participants } = await administer(request, parts, body);
      const participant = participants.find((one) => one.identity === identity);
      if (!participant) throw new MicroturnError('room/unknown', 'no such participant');
      return toParticipantInfo(participant);
    },
    MutePublishedTrack: async (request) => {
      const { identity, trackSid, track_sid: id = trackSid, muted, ...body } = parse(OfTrack, request.body);
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
      } = parse(OfRemoved, request.body);
      // Protobuf's 0 is what was not given.
      await find(await administer(request, parts, body), identity).remove(goodFrom || undefined);
      return {};
    },
  };
  app.post<{ Params: { method: string } }>('/twirp/livekit.RoomService/:method', async (request, reply) => {
    const { method } = request.params;
    if (!Object.hasOwn(methods, method)) return refuse(reply, 'unimplemented', `${method} is not known here`);
    try {
      return await methods[method]!(request);
    } catch (cause) {
      const error = MicroturnError.from(cause, 'edge/internal');
      return refuse(reply, CODES[error.code] ?? 'internal', error.message);
    }
  });
}

type Need = Parameters<typeof verifyServerToken>[2];

async function authorize(request: FastifyRequest, { keys }: RoomServiceParts, need: Need): Promise<void> {
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new MicroturnError('auth/denied', 'send it as `Authorization: Bearer`');
  await verifyServerToken(token, keys.current, need);
}

/** The token first: who may not administer a room does not learn whether there is one. */
async function administer(
  request: FastifyRequest,
  parts: RoomServiceParts,
  { room: roomAdmin }: { readonly room: string },
): Promise<AdministeredRoom> {
  await authorize(request, parts, { roomAdmin });
  const room = parts.rooms().find(({ id }) => id === roomAdmin);
  if (!room) throw new MicroturnError('room/unknown', 'no such room');
  return room;
}

function find(room: AdministeredRoom, identity: string): AdministeredParticipant {
  const participant = room.find(identity);
  if (!participant) throw new MicroturnError('room/unknown', 'no such participant');
  return participant;
}

function parse<S extends v.GenericSchema>(schema: S, body: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(schema, body);
  if (!parsed.success) throw new MicroturnError('protocol/malformed', parsed.issues[0].message);
  return parsed.output;
}

function refuse(reply: FastifyReply, code: TwirpCode, msg: string): FastifyReply {
  // As bytes: LiveKit's client reads the error only of a type without a charset, which Fastify adds to text.
  const body = Buffer.from(JSON.stringify({ code, msg }));
  return reply.code(STATUS[code]).header('content-type', 'application/json').send(body);
}

function toRoom({ id, participants }: AdministeredRoom): object {
  const publishers = participants.filter(({ tracks }) => tracks.length > 0);
  return { sid: id, name: id, numParticipants: participants.length, numPublishers: publishers.length };
}

function toParticipantInfo({ identity, name, attributes, away, tracks }: Participant): object {
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

function toTrackInfo({ id, kind, source, muted }: Participant['tracks'][number]): object {
  return { sid: id, type: kind.toUpperCase(), source: SOURCES[source], muted };
}
