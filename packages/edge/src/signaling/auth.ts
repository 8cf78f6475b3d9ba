import { MicroturnError, limits, type AudienceChoice } from '@microturn/protocol';
import { AccessToken, TokenVerifier, type VideoGrant } from 'livekit-server-sdk';

/** API key -> secret. Several are live at once, so that keys can be rotated. */
export type ApiKeys = Readonly<Record<string, string>>;

export type Source = 'microphone' | 'camera' | 'screen';

/** Who a verified token says its bearer is, and what they may do. */
export interface Grant {
  readonly identity: string;
  readonly room: string;
  /** The API key that it is signed with. */
  readonly key: string;
  /** Unix seconds from which on it is good: when it was minted, as a rule. 0 where it does not say. */
  readonly notBefore: number;
  /** Unix seconds. */
  readonly expiresAt: number;
  /** Where it is good for one join: what tells it from others of its key. A `jti`, or the attribute `mt.once`. */
  readonly onceAs: string | undefined;
  readonly name?: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  /** Whom they talk with, where the token says it: the agent of its `roomConfig`. */
  readonly agent: string | undefined;
  /** Whom the model speaks to, where the token says it: the attribute `mt.audience`. */
  readonly audience: AudienceChoice | undefined;
  /** Others neither see nor hear them. */
  readonly hidden: boolean;
  /** May mute and remove others. */
  readonly roomAdmin: boolean;
  readonly canSubscribe: boolean;
  readonly canPublish: (source: Source) => boolean;
  /** May write to the agent, have it say something, and stop it. */
  readonly canPublishData: boolean;
}

/** As they stand in a token. */
const SOURCES: Record<Source, string> = { microphone: 'microphone', camera: 'camera', screen: 'screen_share' };
export const trackSources = Object.keys(SOURCES) as readonly Source[];
/** Whose voice comes under this name. */
const AGENT = 'agent';
const AUDIENCE = 'mt.audience';
const ONCE = 'mt.once';
/** How far the clock of whoever mints tokens may be off. */
const CLOCK_TOLERANCE_SECONDS = 60;

/**
 * Verifies a LiveKit-shaped token. What cannot be verified is refused with one generic error; what is genuine but
 * expired or not enough is told so.
 * @throws {MicroturnError} `auth/denied`, `auth/expired`, `auth/forbidden`
 */
export async function verifyJoinToken(token: string, keys: ApiKeys, room?: string): Promise<Grant> {
  const claims = await verify(token, keys);
  const { sub, video, name, attributes = {}, iss, nbf, exp, roomConfig } = claims;
  if (!video?.roomJoin) throw new MicroturnError('auth/forbidden', 'the grant roomJoin is missing');
  if (!video.room) throw new MicroturnError('auth/forbidden', 'the grant names no room');
  if (room !== undefined && video.room !== room) {
    throw new MicroturnError('auth/forbidden', 'the token is for another room');
  }
  if (!sub) throw new MicroturnError('auth/forbidden', 'the token has no identity');
  if ([sub, video.room, name ?? ''].some((text) => typeof text !== 'string' || text.length > limits.nameChars)) {
    throw new MicroturnError('auth/forbidden', `a name is a text of at most ${limits.nameChars} characters`);
  }
  if (!isAttributes(attributes)) {
    throw new MicroturnError('auth/forbidden', `attributes are texts, at most ${limits.attributesChars} characters`);
  }
  if (sub === AGENT) throw new MicroturnError('auth/forbidden', `nobody but the agent is called ${AGENT}`);
  // Some of LiveKit's SDKs write the identity there, in every token of a participant: that asks for nothing.
  const jti = claims.jti === sub ? undefined : claims.jti;
  return {
    identity: sub,
    room: video.room,
    key: iss ?? '',
    notBefore: nbf ?? 0,
    expiresAt: exp ?? 0,
    onceAs: onceAs(jti ?? attributes[ONCE]),
    ...(name && { name }),
    attributes,
    agent: agentIn(roomConfig),
    audience: audienceIn(attributes),
    hidden: video.hidden === true,
    roomAdmin: video.roomAdmin === true,
    canSubscribe: video.canSubscribe !== false,
    canPublish: (source) => mayPublish(video, source),
    canPublishData: video.canPublishData !== false,
  };
}

/**
 * Verifies a token of the app's server: one that lists rooms, or administers the room that is named.
 * @throws {MicroturnError} `auth/denied`, `auth/expired`, `auth/forbidden`
 */
export async function verifyServerToken(
  token: string,
  keys: ApiKeys,
  need: { readonly roomList: true } | { readonly roomAdmin: string },
): Promise<void> {
  const { video } = await verify(token, keys);
  if ('roomList' in need) {
    if (!video?.roomList) throw new MicroturnError('auth/forbidden', 'the grant roomList is missing');
  } else if (!video?.roomAdmin || video.room !== need.roomAdmin) {
    throw new MicroturnError('auth/forbidden', 'the grant roomAdmin for this room is missing');
  }
}

/** What else a token allows: its bearer, or an app's server. */
export type ServerGrant = Pick<VideoGrant, 'room' | 'roomAdmin' | 'roomList'>;

/** A token that joins `room` as `identity`. */
export async function mintJoinToken(
  keys: ApiKeys,
  {
    identity,
    name,
    ttlSeconds,
    ...grant
  }: ServerGrant & { identity: string; room: string; name?: string; ttlSeconds?: number },
): Promise<string> {
  const who = { identity, ...(name !== undefined && { name }) };
  return mint(keys, { roomJoin: true, canPublish: true, canSubscribe: true, ...grant }, who, ttlSeconds);
}

/** A token that joins nothing, for the HTTP API and LiveKit's clients of an app's server. */
export async function mintServerToken(keys: ApiKeys, grant: ServerGrant, ttlSeconds?: number): Promise<string> {
  return mint(keys, grant, {}, ttlSeconds);
}

function mint(
  keys: ApiKeys,
  grant: VideoGrant,
  who: { readonly identity?: string; readonly name?: string },
  ttlSeconds = 3600,
): Promise<string> {
  const [key, secret] = Object.entries(keys)[0] ?? [];
  if (!key || !secret)
    throw new MicroturnError('edge/config', 'there is no API key to sign with; see `microturn keys`');
  const token = new AccessToken(key, secret, { ...who, ttl: ttlSeconds });
  token.addGrant(grant);
  return token.toJwt();
}

/** The one agent that a participant has here; protobuf's JSON has either spelling of its name. */
function agentIn(roomConfig: unknown): string | undefined {
  const { agents = [] } = (roomConfig ?? {}) as { agents?: unknown };
  if (!Array.isArray(agents) || agents.length > 1) {
    throw new MicroturnError('auth/forbidden', 'roomConfig.agents: a list of one agent at most');
  }
  const [agent] = agents as ({ agentName?: unknown; agent_name?: unknown } | null | undefined)[];
  const name = agent?.agentName ?? agent?.agent_name;
  if (name === undefined || name === '') return undefined;
  if (typeof name !== 'string') throw new MicroturnError('auth/forbidden', 'roomConfig.agents: a name is a text');
  return name;
}

function audienceIn({ [AUDIENCE]: audience }: Readonly<Record<string, string>>): AudienceChoice | undefined {
  if (audience === undefined || audience === 'room' || audience === 'self') return audience;
  throw new MicroturnError('auth/forbidden', `the attribute ${AUDIENCE} is room or self`);
}

function onceAs(id: unknown): string | undefined {
  if (id === undefined || (typeof id === 'string' && id.length <= limits.nameChars)) return id;
  throw new MicroturnError('auth/forbidden', `jti and ${ONCE} are texts of at most ${limits.nameChars} characters`);
}

/** A genuine token may still say anything: it was signed by somebody, not checked. */
function isAttributes(attributes: unknown): attributes is Record<string, string> {
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) return false;
  if (!Object.values(attributes).every((value) => typeof value === 'string')) return false;
  return JSON.stringify(attributes).length <= limits.attributesChars;
}

function mayPublish(video: VideoGrant, source: Source): boolean {
  if (video.canPublish === false) return false;
  // Typed as protobuf numbers, but a JWT carries their names.
  const sources = video.canPublishSources as readonly unknown[] | undefined;
  return !sources || sources.length === 0 || sources.includes(SOURCES[source]);
}

async function verify(token: string, keys: ApiKeys): ReturnType<TokenVerifier['verify']> {
  const issuer = readIssuer(token);
  const secret = issuer !== undefined && Object.hasOwn(keys, issuer) ? keys[issuer] : undefined;
  if (issuer === undefined || secret === undefined) throw new MicroturnError('auth/denied');
  try {
    return await new TokenVerifier(issuer, secret).verify(token, CLOCK_TOLERANCE_SECONDS);
  } catch (cause) {
    // jose checks the signature before the times, so these two are said only to the bearer of a genuine token.
    const { code, claim } = cause as { code?: string; claim?: string };
    if (code === 'ERR_JWT_EXPIRED' || (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED' && claim === 'nbf')) {
      throw new MicroturnError('auth/expired', undefined, { cause });
    }
    throw new MicroturnError('auth/denied', undefined, { cause });
  }
}

/** The key that a token claims to be signed with: only says which secret to check it against. */
function readIssuer(token: string): string | undefined {
  try {
    const [, payload] = token.split('.');
    const claims: unknown = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString('utf8'));
    const { iss } = claims as { iss?: unknown };
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined;
  }
}
