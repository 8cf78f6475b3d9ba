import { MicroturnError, type ErrorCode } from '@microturn/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as v from 'valibot';
import { verifyServerToken } from './auth.js';
import type { KeyRing } from './key-ring.js';

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

export type TwirpMethods = Readonly<Record<string, (request: FastifyRequest) => Promise<unknown>>>;

/** Answers the calls of one of LiveKit's services in Twirp's JSON; those that are not there are `unimplemented`. */
export function addTwirp(app: FastifyInstance, service: string, methods: TwirpMethods): void {
  app.post<{ Params: { method: string } }>(`/twirp/${service}/:method`, async (request, reply) => {
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

/** @throws {MicroturnError} `auth/*` where the request has no token of an app's server that may do this */
export async function authorize(
  request: FastifyRequest,
  keys: KeyRing,
  need: Parameters<typeof verifyServerToken>[2],
): Promise<void> {
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new MicroturnError('auth/denied', 'send it as `Authorization: Bearer`');
  await verifyServerToken(token, keys.current, need);
}

/** @throws {MicroturnError} `protocol/malformed` */
export function parseBody<S extends v.GenericSchema>(schema: S, body: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(schema, body);
  if (!parsed.success) throw new MicroturnError('protocol/malformed', parsed.issues[0].message);
  return parsed.output;
}

function refuse(reply: FastifyReply, code: TwirpCode, msg: string): FastifyReply {
  // As bytes: LiveKit's client reads the error only of a type without a charset, which Fastify adds to text.
  const body = Buffer.from(JSON.stringify({ code, msg }));
  return reply.code(STATUS[code]).header('content-type', 'application/json').send(body);
}
