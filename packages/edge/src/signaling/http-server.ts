import fastifyRateLimit from '@fastify/rate-limit';
import fastifyStatic from '@fastify/static';
import { MicroturnError, limits, type AudienceChoice, type ErrorCode } from '@microturn/protocol';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { existsSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { EdgeMetrics } from '../telemetry/metrics.js';
import { mintJoinToken, verifyServerToken } from './auth.js';
import { callerAddress, type TrustedProxies } from './caller-address.js';
import { addDispatchService } from './dispatch-service.js';
import type { Dispatches } from './dispatches.js';
import { addRoomService, type RoomServiceParts } from './room-service.js';
import type { Certificate } from './certificate.js';

export interface HttpServerParts extends RoomServiceParts {
  /** Serves HTTPS with it, else HTTP. */
  readonly certificate: Certificate | undefined;
  readonly version: string;
  /** Who there is to talk with; the first is who talks where nobody is asked for. */
  readonly recipes: readonly string[];
  readonly metrics: EdgeMetrics;
  /** Serves `/dev/token`, which gives anybody a token: for a developer's machine only. */
  readonly dev: boolean;
  /** Whether only this machine can reach the edge. */
  readonly loopback: boolean;
  /** A folder served at `/`. */
  readonly demoDir: string | undefined;
  /** Origins that may open a socket; empty allows all, since a token is needed anyway. */
  readonly allowedOrigins: readonly string[];
  /** Proxies in front of the edge, whose word on who calls is taken. */
  readonly trustedProxies: TrustedProxies;
  readonly dispatches: Dispatches;
  readonly ready: () => boolean;
  /** Called before each scrape. */
  readonly refreshMetrics: () => Promise<void>;
  /** Connections that the process has descriptors for; a few more are taken, to be told why they are refused. */
  readonly maxConnections: number;
  readonly onSocket: (socket: WebSocket, address: string) => void;
  /** Speaks through the agent of a session. @throws {MicroturnError} `session/closed` where there is no such session */
  readonly say: (sessionId: string, text: string, audience: AudienceChoice | undefined) => { responseId: string };
  /** Changes what the page of a session shows. @throws {MicroturnError} as `say`, and as `Session.patch` */
  readonly patch: (sessionId: string, surfaceId: string, patch: unknown) => void;
  readonly roomOf: (sessionId: string) => string | undefined;
}

/** Time for a client to agree on a cipher. */
const HANDSHAKE_MS = 10_000;

/** Time to send a request, its head and all of it, from the moment the connection is there. */
const REQUEST_MS = 10_000;
/** Beyond what there is room for: sockets that are told so and closed. Who comes on top of them finds the door shut. */
const REFUSED_AT_ONCE = 24;
/** Of one message; browsers send it in one, and a flood of tiny ones costs far more memory than its bytes. */
const MAX_FRAGMENTS = 64;
/** Of one frame, as TCP cuts it. */
const MAX_CHUNKS = 4096;

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[?::1\]?)$/;

const STATUS: Partial<Record<string, number>> = {
  'auth/denied': 401,
  'auth/expired': 401,
  'auth/forbidden': 403,
  'session/closed': 404,
  'protocol/malformed': 400,
  'protocol/too-large': 413,
  'protocol/rate': 429,
  'ui/patch': 409,
  'edge/full': 503,
  'edge/draining': 503,
  'voice/failed': 503,
};

/** HTTP and the upgrade of `/v1/connect`; listening is the caller's. */
export async function createHttpServer(parts: HttpServerParts): Promise<FastifyInstance> {
  const app = open(parts);
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (error instanceof MicroturnError) return sendError(reply, error);
    const status = error.statusCode ?? 500;
    const message = status === 415 ? 'expected JSON, with the header `content-type: application/json`' : error.message;
    return reply.code(status).send({ error: new MicroturnError(codeOf(status), message).toWire() });
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: new MicroturnError('protocol/malformed', 'no such path').toWire() }),
  );
  addProbes(app, parts);
  addAppApi(app, parts);
  addRoomService(app, parts);
  addDispatchService(app, parts);
  if (parts.dev) await addDevToken(app, parts);
  if (parts.demoDir !== undefined) await addDemo(app, parts.demoDir);
  addSockets(app, parts);
  if (Number.isFinite(parts.maxConnections)) app.server.maxConnections = parts.maxConnections + REFUSED_AT_ONCE;
  return app;
}

function open({ certificate, trustedProxies: trustProxy }: HttpServerParts): FastifyInstance {
  const options = { logger: false, bodyLimit: limits.messageBytes, forceCloseConnections: true, trustProxy } as const;
  const timeouts = { headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS, connectionsCheckingInterval: 1000 };
  if (!certificate) return Fastify({ ...options, http: timeouts });
  const { cert, key } = certificate;
  // Of the two servers that Fastify tells apart by type, what is used here is the same.
  return Fastify({
    ...options,
    https: { cert, key, handshakeTimeout: HANDSHAKE_MS, ...timeouts },
  }) as unknown as FastifyInstance;
}

function addProbes(app: FastifyInstance, { ready, metrics, refreshMetrics, version, recipes }: HttpServerParts): void {
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', (_request, reply) =>
    ready() ? { status: 'ready' } : reply.code(503).send({ status: 'draining' }),
  );
  app.get('/version', () => ({ version }));
  app.get('/v1/recipes', () => ({ recipes }));
  const scrape = async () => {
    await refreshMetrics();
    return metrics.registry.metrics();
  };
  // Anybody may ask, and many times in one packet: whoever comes while it is made gets the same.
  let scraped: Promise<string> | undefined;
  app.get('/metrics', async (_request, reply) => {
    scraped ??= scrape().finally(() => (scraped = undefined));
    return reply.type(metrics.registry.contentType).send(await scraped);
  });
}

function addAppApi(app: FastifyInstance, { keys, say, patch, roomOf }: HttpServerParts): void {
  // Before the body is read: nobody else has a large one taken in.
  const authorize = async (id: string, { authorization = '' }: IncomingMessage['headers']) => {
    const token = /^Bearer (\S+)$/i.exec(authorization)?.[1];
    if (token === undefined) throw new MicroturnError('auth/denied', 'send it as `Authorization: Bearer`');
    // An unknown session has no room that a token could match, so it is refused like a foreign one.
    await verifyServerToken(token, keys.current, { roomAdmin: roomOf(id) ?? '' });
  };
  const sayBody = {
    type: 'object',
    required: ['text'],
    properties: {
      text: { type: 'string', minLength: 1, maxLength: limits.textChars },
      audience: { enum: ['room', 'self'] },
    },
  };
  app.post<{ Params: { id: string }; Body: { text: string; audience?: AudienceChoice } }>(
    '/v1/sessions/:id/say',
    { schema: { body: sayBody }, onRequest: ({ params: { id }, headers }) => authorize(id, headers) },
    async ({ params: { id }, body: { text, audience } }) => say(id, text, audience),
  );
  // What is in them is the session's to check: a schema here would change numbers to strings and the like where it can.
  const patchBody = { type: 'object', required: ['surfaceId', 'patch'] };
  app.post<{ Params: { id: string }; Body: { surfaceId: string; patch: unknown } }>(
    '/v1/sessions/:id/patch',
    {
      schema: { body: patchBody },
      bodyLimit: limits.patchBodyBytes,
      onRequest: ({ params: { id }, headers }) => authorize(id, headers),
    },
    async ({ params: { id }, body: { surfaceId, patch: operations } }, reply) => {
      patch(id, surfaceId, operations);
      return reply.code(204).send();
    },
  );
}

interface DevTokenRequest {
  readonly room_name?: unknown;
  readonly participant_name?: unknown;
  /** Of a session that is come back to. Where none is given, one that nobody has: two people may have one name, or one person two tabs. */
  readonly participant_identity?: unknown;
}

const HOW_TO_ASK =
  'ask with POST and `content-type: application/json`, as in {"room_name": "den", "participant_name": "ann"}; both may be left out';

/** The JSON of LiveKit's token endpoints, so that one `TokenSource` serves development and production. */
async function addDevToken(app: FastifyInstance, parts: HttpServerParts): Promise<void> {
  await app.register(fastifyRateLimit, { global: false });
  app.post<{ Body: DevTokenRequest | undefined }>(
    '/dev/token',
    { config: { rateLimit: { max: 120, timeWindow: '1 minute' } } },
    async (request) => {
      // A page elsewhere may point a name of its own at this machine; what it asks then is not what the developer asked.
      if (parts.loopback && !LOOPBACK.test(request.hostname))
        throw new MicroturnError('auth/denied', 'not asked on localhost');
      const name = (value: unknown, fallback: string) =>
        typeof value === 'string' && value.length > 0 && value.length <= 128 ? value : fallback;
      const unique = Math.random().toString(36).slice(2, 10);
      const room = name(request.body?.room_name, `room-${unique}`);
      const called = name(request.body?.participant_name, '');
      const identity = name(request.body?.participant_identity, `caller-${unique}`);
      const participantToken = await mintJoinToken(parts.keys.current, {
        identity,
        room,
        ...(called && { name: called }),
      });
      return { server_url: `${request.protocol}://${request.headers.host ?? ''}`, participant_token: participantToken };
    },
  );
  app.route({
    method: ['GET', 'PUT', 'PATCH', 'DELETE'],
    url: '/dev/token',
    handler: (_request, reply) =>
      reply
        .code(405)
        .header('allow', 'POST')
        .send({ error: new MicroturnError('protocol/malformed', HOW_TO_ASK).toWire() }),
  });
}

async function addDemo(app: FastifyInstance, dir: string): Promise<void> {
  const root = resolve(dir);
  if (!existsSync(root)) throw new MicroturnError('edge/config', `the folder to serve does not exist: ${dir}`);
  await app.register(fastifyStatic, { root, dotfiles: 'ignore' });
}

function addSockets(app: FastifyInstance, { allowedOrigins, trustedProxies, onSocket }: HttpServerParts): void {
  const sockets = new WebSocketServer({
    noServer: true,
    // A wall behind the connection's own limit, which can still say why before it closes.
    maxPayload: 4 * limits.messageBytes,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_CHUNKS,
    perMessageDeflate: false,
  });
  sockets.on('connection', (ws: WebSocket, request: IncomingMessage) =>
    onSocket(ws, callerAddress(request, trustedProxies)),
  );
  app.server.on('upgrade', (request, socket, head) => {
    // Node has let go of the socket: with no listener, a peer that resets it would end the process.
    socket.on('error', destroyThis);
    const { origin } = request.headers;
    const path = (request.url ?? '').split('?', 1)[0];
    const refused =
      path !== '/v1/connect'
        ? '404 Not Found'
        : origin && allowedOrigins.length > 0 && !allowedOrigins.includes(origin)
          ? '403 Forbidden'
          : undefined;
    if (refused) {
      // No timeout covers an upgraded socket, so it is not left half open either.
      socket.end(`HTTP/1.1 ${refused}\r\nConnection: close\r\n\r\n`, () => socket.destroy());
      return;
    }
    sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit('connection', ws, request));
  });
}

/** A function of its own: one that closes over the request keeps that for as long as the socket lasts. */
function destroyThis(this: Duplex): void {
  this.destroy();
}

function codeOf(status: number): ErrorCode {
  if (status === 413) return 'protocol/too-large';
  if (status === 429) return 'protocol/rate';
  return status < 500 ? 'protocol/malformed' : 'edge/internal';
}

function sendError(reply: FastifyReply, error: MicroturnError): FastifyReply {
  return reply.code(STATUS[error.code] ?? 500).send({ error: error.toWire() });
}
