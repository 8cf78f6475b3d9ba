// A new code is a protocol change: list it in docs/protocol.md.
const ERRORS = {
  'auth/denied': {
    retryable: false,
    summary: 'the token was not accepted',
    hint: 'mint a token with `microturn token` or livekit-server-sdk, signed with a key and secret of this edge',
  },
  'auth/expired': {
    retryable: true,
    summary: 'the token has expired or is not valid yet',
    hint: 'fetch a new token and connect again; check the clocks if it happens at once',
  },
  'auth/revoked': {
    retryable: false,
    summary: 'the key that the token was signed with is not accepted any more',
    hint: 'fetch a new token, signed with a key of this edge, and connect again',
  },
  'auth/forbidden': {
    retryable: false,
    summary: 'the token does not allow this',
    hint: 'mint the token with the grant that is named here (roomJoin, room, canPublish, canPublishData, canSubscribe, roomAdmin)',
  },
  'auth/no-endpoint': {
    // Whatever stands in front of it may be starting.
    retryable: true,
    summary: 'there is no token endpoint',
    hint: 'start the edge with `--dev`, or serve a token endpoint; a dev server in between has to pass it on',
  },
  'auth/token-source': {
    retryable: true,
    summary: 'the token source failed',
    hint: 'the message says why: the app’s own function threw it',
  },
  'net/unreachable': {
    retryable: true,
    summary: 'the edge could not be reached',
    hint: 'check the address and that the edge is running (`microturn doctor`)',
  },
  'net/timeout': {
    retryable: true,
    summary: 'the other side did not answer in time',
    hint: 'try again, or wait longer; if it is the edge that does not answer, run `microturn doctor`',
  },
  'net/ice-failed': {
    retryable: true,
    summary: 'no media path to the edge was found',
    hint: 'open the edge’s UDP and TCP media port, and set `media.announcedAddress` to an address that callers reach',
  },
  'net/closed': {
    retryable: true,
    summary: 'the connection was closed',
    hint: 'connect again; while it is reconnecting, wait',
  },
  'media/permission': {
    retryable: false,
    summary: 'access to a device was refused',
    hint: 'allow it in the address bar; pages other than localhost need HTTPS',
  },
  'media/not-found': {
    retryable: false,
    summary: 'no such input device',
    hint: 'plug one in, or choose another',
  },
  'media/in-use': {
    retryable: true,
    summary: 'the input device is in use',
    hint: 'close the other program that uses it',
  },
  'media/insecure': {
    retryable: false,
    summary: 'the page is not secure, and may use no microphone or camera',
    hint: 'open the page over https, or on localhost',
  },
  'media/blocked': {
    retryable: true,
    summary: 'the browser blocks audio until the user acts',
    hint: 'call `session.speaker.unlock()` in a click or key handler',
  },
  'media/unsupported': {
    retryable: false,
    summary: 'this browser or device cannot send or play this medium',
    hint: 'use a current browser with WebRTC and Opus',
  },
  'edge/full': {
    retryable: true,
    summary: 'there is no room for another participant',
    hint: 'raise `engine.rows`, or where it could not keep time `engine.threads`, or add an edge',
  },
  'room/full': {
    retryable: true,
    summary: 'the room has as many participants as it may',
    hint: 'raise `room.maxParticipants`, or use another room',
  },
  'room/unknown': {
    retryable: false,
    summary: 'there is no such room, participant or track',
    hint: 'look at who is in the room: they may have left',
  },
  'recipe/unknown': {
    retryable: false,
    summary: 'there is no such recipe',
    hint: 'ask for one that the message names (`GET /v1/recipes` lists them), or add it under `recipes`',
  },
  'edge/draining': { retryable: true, summary: 'the edge is shutting down', hint: 'connect again in a moment' },
  'edge/config': {
    retryable: false,
    summary: 'the configuration is not valid',
    hint: 'see `microturn start --print-config` and docs/configuration.md',
  },
  'edge/port-in-use': {
    retryable: false,
    summary: 'a port is already in use',
    hint: 'stop the other program, or choose another port with --port or --media-port',
  },
  'edge/no-worker': {
    retryable: false,
    summary: 'the mediasoup worker is missing or does not run',
    hint: 'run `npm start` in the repository, which provides it, or set MEDIASOUP_WORKER_BIN',
  },
  'edge/worker-died': {
    retryable: true,
    summary: 'the media worker died',
    hint: 'connect again; run `microturn doctor` if it repeats',
  },
  'edge/internal': {
    retryable: true,
    summary: 'the edge failed where it should not',
    hint: 'try again, and report it with the edge’s log',
  },
  'edge/store': {
    retryable: true,
    summary: 'sessions could not be kept or found',
    hint: 'make room on the disk, raise `store.maxMiB`, or name another folder with --data',
  },
  'engine/late': {
    retryable: true,
    summary: 'a micro-turn missed its deadline',
    hint: 'lower the load, or run `microturn doctor`',
  },
  'engine/failed': {
    retryable: true,
    summary: 'the interaction model failed',
    hint: 'connect again; run `microturn doctor` to check the bundle',
  },
  'engine/provider': {
    retryable: false,
    summary: 'the model does not run where it was asked to',
    hint: 'set `engine.provider` to auto, or install what the provider needs: docs/gpu.md',
  },
  'bundle/missing': {
    retryable: false,
    summary: 'a file of the model bundle is missing',
    hint: 'check `engine.bundle`, and restore the folder from where it came',
  },
  'bundle/manifest': {
    retryable: false,
    summary: 'bundle.json is not valid',
    hint: 'compare it with docs/bundle.md',
  },
  'bundle/hash': {
    retryable: false,
    summary: 'a file of the model bundle is not the one its manifest names',
    hint: 'restore the file; after a deliberate change, write its new SHA-256 into bundle.json',
  },
  'bundle/outside': {
    retryable: false,
    summary: 'the model bundle points outside its folder',
    hint: 'put real files into the folder: what leaves it is refused',
  },
  'bundle/graph': {
    retryable: false,
    summary: 'a graph of the model bundle cannot be used',
    hint: 'export it again; its inputs and outputs must be those that bundle.json names',
  },
  'transcriber/failed': {
    retryable: true,
    summary: 'the words could not be transcribed',
    hint: 'check the transcriber with `microturn doctor --recipe NAME`; the model’s own words are used meanwhile',
  },
  'voice/failed': {
    retryable: true,
    summary: 'the text could not be spoken',
    hint: 'shorten or rephrase it; `microturn doctor` checks the voice',
  },
  'llm/none': {
    retryable: false,
    summary: 'no language model can answer this',
    hint: 'add one under `llm.models`; see docs/background.md',
  },
  'llm/denied': {
    retryable: false,
    summary: 'the language model’s provider did not accept the key',
    hint: 'check the key in the variable that `apiKeyEnv` names (`microturn doctor --language-model NAME`)',
  },
  'llm/refused': {
    retryable: false,
    summary: 'the language model’s provider refused the request',
    hint: 'check `baseUrl` and `model`; the provider’s own words are in the message',
  },
  'llm/unavailable': {
    retryable: true,
    summary: 'the language model could not be reached, or is overloaded',
    hint: 'try again later, or add a second model to fall back on',
  },
  'llm/timeout': {
    retryable: true,
    summary: 'the language model did not answer in time',
    hint: 'raise `firstTokenMs` or `idleMs` of the model, or take a faster one',
  },
  'llm/malformed': {
    retryable: true,
    summary: 'the language model’s answer could not be read',
    hint: 'check that `baseUrl` speaks the wire format of its `provider`',
  },
  'llm/budget': {
    retryable: false,
    summary: 'the budget of this session is spent',
    hint: 'raise `background.budget`, or start a new session',
  },
  'task/full': {
    retryable: true,
    summary: 'too many tasks wait already',
    hint: 'wait for one to end, or raise `background.queued`',
  },
  'task/unknown': {
    retryable: false,
    summary: 'there is no such task that could take this',
    hint: 'look at `session.tasks`: it may have ended',
  },
  'task/timeout': {
    retryable: true,
    summary: 'the task took too long',
    hint: 'ask again, or raise `background.timeoutSeconds`',
  },
  'task/unheard': {
    retryable: true,
    summary: 'the words of the question could not be made out',
    hint: 'type it, or configure a transcriber or a model that takes audio; see docs/background.md',
  },
  'task/off': {
    retryable: false,
    summary: 'this edge has no background model',
    hint: 'set `background` in the configuration; see docs/background.md',
  },
  'image/invalid': {
    retryable: false,
    summary: 'the image cannot be used',
    hint: 'send a JPEG, PNG or WebP',
  },
  'tool/failed': {
    retryable: true,
    summary: 'a tool failed',
    hint: 'the message says which, and why',
  },
  'ui/patch': {
    retryable: false,
    summary: 'the patch does not fit what is shown',
    hint: 'patch what is there, or add the whole anew at the path ""',
  },
  'protocol/malformed': {
    retryable: false,
    summary: 'a message did not match its schema',
    hint: 'see docs/protocol.md',
  },
  'protocol/too-large': {
    retryable: false,
    summary: 'a message was too large or too deep',
    hint: 'keep messages under 64 KiB and 16 levels',
  },
  'protocol/rate': {
    retryable: true,
    summary: 'too many messages in a short time',
    hint: 'send at most 50 messages a second',
  },
  'protocol/state': {
    retryable: false,
    summary: 'the message does not fit the state of the session',
    hint: 'see the order of messages in docs/protocol.md',
  },
  'protocol/version': {
    retryable: false,
    summary: 'this protocol version is not spoken here',
    hint: 'use an SDK and an edge of the same minor version',
  },
  'protocol/unknown': {
    retryable: false,
    summary: 'an error that this version does not know',
    hint: 'use an SDK and an edge of the same minor version',
  },
  'session/closed': { retryable: false, summary: 'the session is closed', hint: 'create a new session' },
  'session/aborted': {
    retryable: true,
    summary: 'the call was given up by its own AbortSignal',
    hint: 'call it again',
  },
  'session/expired': {
    retryable: false,
    summary: 'the session can no longer be resumed',
    hint: 'connect without the resume token to start a new one',
  },
  'session/removed': {
    retryable: false,
    summary: 'the participant was removed from the room',
    hint: 'ask whoever has the grant roomAdmin',
  },
  'session/replaced': {
    retryable: false,
    summary: 'another connection with the same identity took over',
    hint: 'give every participant an identity of their own',
  },
} as const satisfies Record<string, { retryable: boolean; summary: string; hint: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** Every code there is, for documentation and exhaustive tests. */
export const errorCodes = Object.keys(ERRORS) as readonly ErrorCode[];

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}

/** An error as it crosses the wire. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly hint: string;
  /** How long whoever refused wants to be left alone, where it said so. */
  readonly retryAfterMs?: number | undefined;
}

/** Crosses package boundaries. Branch on `code`; `message` is for people. */
export class MicroturnError extends Error {
  override readonly name = 'MicroturnError';
  readonly code: ErrorCode;
  /** How long whoever refused wants to be left alone, where it said so. */
  readonly retryAfterMs: number | undefined;
  /** With `protocol/unknown`, the error as a newer peer sent it: `wire.code` is what that calls it. */
  readonly wire: WireError | undefined;
  constructor(
    code: ErrorCode,
    detail?: string,
    { retryAfterMs, wire, ...options }: ErrorOptions & Partial<Pick<MicroturnError, 'retryAfterMs' | 'wire'>> = {},
  ) {
    super(detail ? `${ERRORS[code].summary}: ${detail}` : ERRORS[code].summary, options);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.wire = wire;
  }
  /** True where the same call may succeed later. */
  get retryable(): boolean {
    return (this.wire ?? ERRORS[this.code]).retryable;
  }
  /** What the reader can do about it, in one sentence. */
  get hint(): string {
    return (this.wire ?? ERRORS[this.code]).hint;
  }
  toWire(): WireError {
    if (this.wire) return this.wire;
    const { code, message, retryable, hint, retryAfterMs } = this;
    return { code, message, retryable, hint, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  /** A code that this build does not know, from a newer peer, becomes `protocol/unknown`, and keeps what the peer said of it. */
  static fromWire(wire: WireError): MicroturnError {
    const { code, message, retryAfterMs } = wire;
    if (!isErrorCode(code)) {
      return new MicroturnError('protocol/unknown', `${code}: ${message}`, { retryAfterMs, wire });
    }
    const prefix = `${ERRORS[code].summary}: `;
    if (message === ERRORS[code].summary) return new MicroturnError(code, undefined, { retryAfterMs });
    return new MicroturnError(code, message.startsWith(prefix) ? message.slice(prefix.length) : message, {
      retryAfterMs,
    });
  }
  /** Returns `error` itself where it is coded already, and wraps anything else as its cause. */
  static from(error: unknown, code: ErrorCode): MicroturnError {
    if (error instanceof MicroturnError) return error;
    return new MicroturnError(code, error instanceof Error ? error.message : String(error), { cause: error });
  }
}
