import { createHmac } from 'node:crypto';

/** Claims of a token that lets its bearer in, unless a test changes them. */
export function claims(issuer: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  const base = {
    iss: issuer,
    sub: 'caller',
    nbf: now - 60,
    exp: now + 600,
    video: { roomJoin: true, room: 'test', canPublish: true, canSubscribe: true },
  };
  return Object.fromEntries(Object.entries({ ...base, ...changes }).filter(([, value]) => value !== undefined));
}

/** A JSON web token with any header, any claims and any secret; unsigned where there is none. */
export function forge(
  payload: object,
  secret: string | undefined,
  header: object = { alg: 'HS256', typ: 'JWT' },
): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${secret === undefined ? '' : createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
