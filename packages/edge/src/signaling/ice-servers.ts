import { createHash, createHmac } from 'node:crypto';

const PORT = { stun: 3478, turn: 3478, stuns: 5349, turns: 5349 } as const;

/** A STUN or TURN server, as it is configured. */
export interface IceServerConfig {
  readonly urls: string | readonly string[];
  readonly username?: string | undefined;
  readonly credential?: string | undefined;
  /** Shared with the TURN server, which coturn calls `static-auth-secret`: every caller gets credentials of their own. */
  readonly secret?: string | undefined;
  readonly ttlSeconds: number;
}

/** As `RTCPeerConnection` takes it. */
export interface IceServer {
  readonly urls: string | readonly string[];
  readonly username?: string;
  readonly credential?: string;
}

/**
 * What one caller is given. With a secret the credentials end by themselves, so that whoever copies them out of a page
 * cannot relay through the server for long: the user name says until when, and the password proves that this edge
 * said so (draft-uberti-behave-turn-rest-00).
 * @param caller who they are for, in any words; the TURN server, which may log it, is told a hash
 */
export function iceServersFor(servers: readonly IceServerConfig[], caller: string, nowMs = Date.now()): IceServer[] {
  return servers.map(({ urls, username, credential, secret, ttlSeconds }) => {
    if (secret === undefined)
      return { urls, ...(username !== undefined && { username }), ...(credential !== undefined && { credential }) };
    const user = createHash('sha256').update(caller).digest('base64url').slice(0, 16);
    const temporary = `${Math.floor(nowMs / 1000) + ttlSeconds}:${user}`;
    return { urls, username: temporary, credential: createHmac('sha1', secret).update(temporary).digest('base64') };
  });
}

export interface IceUrl {
  readonly scheme: keyof typeof PORT;
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
}

/** @throws {TypeError} where it is no URL of RFC 7064 or RFC 7065 */
export function parseIceUrl(url: string): IceUrl {
  const match = /^(stuns?|turns?):(?:\[([\da-f:]+)\]|([^\s:/?[\]]+))(?::(\d{1,5}))?(?:\?transport=(udp|tcp))?$/i.exec(
    url,
  );
  if (!match) throw new TypeError(`expected a URL such as turn:turn.example:3478?transport=udp, got ${url}`);
  const scheme = match[1]!.toLowerCase() as IceUrl['scheme'];
  const transport = scheme.endsWith('s') ? 'tls' : match[5] === 'tcp' ? 'tcp' : 'udp';
  return { scheme, host: match[2] ?? match[3]!, port: match[4] ? Number(match[4]) : PORT[scheme], transport };
}
