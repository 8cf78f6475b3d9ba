import { MicroturnError } from '@microturn/protocol';

export interface TokenRequest {
  readonly roomName?: string;
  readonly participantName?: string;
  /** Whom the token must be for: given where a session is come back to, which belongs to this identity. */
  readonly participantIdentity?: string;
  readonly signal?: AbortSignal;
}

export interface TokenResponse {
  /** Base of the edge; the session's own `url` wins over it. */
  readonly serverUrl?: string;
  readonly participantToken: string;
}

/**
 * Gives a fresh token for every `connect()`, where the user took more than 30 s to allow a microphone another one, and one each time that
 * a lost link is come back from; it has 10 s.
 */
export interface TokenSource {
  fetch(request: TokenRequest): Promise<TokenResponse>;
}

export interface EndpointOptions {
  readonly headers?: Record<string, string>;
  readonly credentials?: RequestCredentials;
  readonly fetch?: typeof globalThis.fetch;
}

export const TokenSource = {
  /** A token that was minted beforehand. */
  literal(response: TokenResponse): TokenSource {
    return { fetch: () => Promise.resolve(response) };
  },

  /** Any function that gets a token. */
  custom(fetch: (request: TokenRequest) => Promise<TokenResponse>): TokenSource {
    return { fetch };
  },

  /**
   * The JSON of LiveKit's token endpoints: POSTs `{room_name, participant_name, participant_identity}`, those that are known,
   * and takes `{server_url, participant_token}`.
   * @throws {MicroturnError} `auth/denied` for 401, 403 and JSON without a token, `auth/no-endpoint` for 404 and 405, else
   *   `net/unreachable`, which a lost link tries again
   */
  endpoint(url: string | URL, options: EndpointOptions = {}): TokenSource {
    return {
      async fetch(request) {
        const response = await post(url, options, request);
        if (!response.ok) {
          const { status } = response;
          // The first thing that goes wrong in most apps.
          if (status === 404 || status === 405)
            throw new MicroturnError('auth/no-endpoint', `${url} answered ${status}`);
          const code = status === 401 || status === 403 ? 'auth/denied' : 'net/unreachable';
          throw new MicroturnError(code, `the token endpoint ${url} answered ${status}`);
        }
        return readToken(url, response);
      },
    };
  },
};

/** @throws {MicroturnError} `auth/denied` where a source gives no token: whatever an app's own function says, or any other */
export function checkedToken(response: TokenResponse): TokenResponse {
  const { participantToken } = (response ?? {}) as Partial<TokenResponse>;
  if (typeof participantToken === 'string' && participantToken !== '') return response;
  throw new MicroturnError('auth/denied', 'the token source gave no `participantToken`');
}

async function post(url: string | URL, options: EndpointOptions, request: TokenRequest): Promise<Response> {
  const doFetch = options.fetch ?? globalThis.fetch;
  const { roomName: room_name, participantName: participant_name, participantIdentity: participant_identity } = request;
  try {
    return await doFetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...options.headers },
      body: JSON.stringify({ room_name, participant_name, participant_identity }),
      credentials: options.credentials,
      signal: request.signal,
    } as RequestInit);
  } catch (cause) {
    const why = globalThis.location || /^[a-z]+:/i.test(`${url}`) ? '' : ' is relative, and there is no page';
    throw new MicroturnError('net/unreachable', `the token endpoint ${url}${why}`, { cause });
  }
}

async function readToken(url: string | URL, response: Response): Promise<TokenResponse> {
  const body: unknown = await response.json().catch((cause: unknown) => {
    // Of a portal that wants to be logged in to, or cut short by a bad network: it may be another one next time.
    throw new MicroturnError('net/unreachable', `the token endpoint ${url} answered with no JSON`, { cause });
  });
  const fields = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const token = fields['participant_token'] ?? fields['participantToken'];
  const serverUrl = fields['server_url'] ?? fields['serverUrl'];
  if (typeof token !== 'string' || token === '') {
    throw new MicroturnError('auth/denied', `the token endpoint ${url} answered with JSON without a participant_token`);
  }
  return { participantToken: token, ...(typeof serverUrl === 'string' && serverUrl !== '' && { serverUrl }) };
}

/**
 * The one that an app gave. Looked at, since not every app has its types checked, and an environment variable may be missing.
 * @throws {TypeError} where it gave none
 */
export function tokenSourceOf({
  token,
  tokenSource,
}: {
  readonly token?: string | undefined;
  readonly tokenSource?: TokenSource | undefined;
}): TokenSource {
  if (tokenSource !== undefined) {
    if (typeof (tokenSource as Partial<TokenSource> | null)?.fetch === 'function') return tokenSource;
    const got = typeof tokenSource === 'string' ? JSON.stringify(tokenSource) : typeof tokenSource;
    throw new TypeError(`expected a \`tokenSource\` such as TokenSource.endpoint('/token'), got ${got}`);
  }
  if (typeof token === 'string' && token !== '') return TokenSource.literal({ participantToken: token });
  throw new TypeError(
    `expected a \`token\` or a \`tokenSource\`, got ${token === '' ? 'an empty token' : `a token that is ${typeof token}`}`,
  );
}
