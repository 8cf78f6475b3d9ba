import { MicroturnError, type AudienceChoice } from '@microturn/protocol';
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { ConnectionStatus } from '../session.js';
import { sleep, unlessAborted } from '../waiting.js';
import { aborted } from './aborted.js';
import { Backoff } from './backoff.js';
import { checkedToken, type TokenRequest, type TokenResponse, type TokenSource } from './token-source.js';
import type { LinkObserver, Transport, TransportLink } from './transport.js';
import { chooseBase } from './url.js';

/** As a request to the edge: one that hangs is not to use up the time in which a session can be come back to. */
const TOKEN_MS = 10_000;
/** So old a token is used without another thought: some are made for a minute, and a user may take longer to allow a microphone. */
const FRESH_MS = 30_000;

/** What a call asks of its session, and tells it. */
export interface CallHost extends Omit<LinkObserver, 'closed'> {
  /** Opens what is to be sent. */
  prepare(signal: AbortSignal): Promise<void>;
  /** What the session knows already, when it comes back. */
  lastSeq(): number;
  /** A link is up: sends over it what there is to send. */
  joined(link: TransportLink, signal: AbortSignal): Promise<void>;
  /** The link is gone, and what came with it; the call goes on, and another link is sought. */
  linkLost(): void;
  status(status: ConnectionStatus, error?: MicroturnError): void;
  /** The call is over, whoever ended it: nothing of it is left. Once. */
  left(): void;
}

export interface CallParts {
  readonly url: string | undefined;
  readonly room: string | undefined;
  readonly recipe: string | undefined;
  readonly participantName: string | undefined;
  readonly audience: AudienceChoice | undefined;
  readonly tokenSource: TokenSource;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly host: CallHost;
}

/** One call, from `connect()` to its end: the link that carries it, and the next one where that is lost. */
export class Call {
  /** Settles when the call is joined, or cannot be; of one that has lost its link, when it is back. */
  #up: Promise<void>;
  /** How many asked for it, less those who gave up before it was joined. */
  #wanted = 0;
  readonly #parts: CallParts;
  readonly #host: CallHost;
  readonly #abort = new AbortController();
  #link: TransportLink | undefined;
  /** Joined at least once: what is lost from now on can be resumed. */
  #resumeToken: string | undefined;
  /** As long as the edge keeps the session then. */
  #resumeMs = 0;
  /** The room and the identity that it joined with: one who comes back must be who it was. */
  #as: TokenRequest = {};
  /** An attempt to open a link, which the loss of that link ends. */
  #attempt: AbortController | undefined;
  #left = false;

  constructor(parts: CallParts) {
    this.#parts = parts;
    this.#host = parts.host;
    this.#up = Promise.resolve().then(() => this.#join());
  }

  get link(): TransportLink | undefined {
    return this.#link;
  }

  /** Resolves when the call is up. Whoever gives up waiting leaves it to the others; the last one ends it, at once. */
  join(signal: AbortSignal | undefined): Promise<void> {
    this.#wanted++;
    if (!signal) return this.#up;
    const giveUp = () => {
      if (--this.#wanted > 0 || this.#left) return;
      this.leave(aborted(signal));
      this.#host.status('idle');
    };
    signal.addEventListener('abort', giveUp);
    return unlessAborted(this.#up, signal).finally(() => signal.removeEventListener('abort', giveUp));
  }

  /** Lets go of everything that the call holds. Leaving twice is harmless. */
  leave(reason: MicroturnError): void {
    if (this.#left) return;
    this.#left = true;
    this.#abort.abort(reason);
    this.#link?.close(reason);
    this.#host.left();
  }

  /** The way into a call; a failure anywhere leaves nothing open. */
  async #join(): Promise<void> {
    const { signal } = this.#abort;
    const { transport, clock, logger } = this.#parts;
    try {
      signal.throwIfAborted();
      transport.prepare?.();
      const untilMs = clock.now() + FRESH_MS;
      const token = this.#fetchToken();
      // It may fail while the microphone is asked for, before anybody waits for it.
      token.catch(() => undefined);
      await this.#host.prepare(signal);
      const joined = await this.#openLink(await (clock.now() < untilMs ? token : this.#fetchToken()));
      this.#host.status('connected');
      logger.info('connected', joined);
    } catch (cause) {
      // Whoever left it said why.
      const error = signal.aborted ? aborted(signal) : MicroturnError.from(cause, 'edge/internal');
      this.#link?.close(error);
      this.#fail(error);
      throw error;
    }
  }

  /** Opens a link and sends over it; a link that is lost on the way is no link. Returns what to log of it. */
  async #openLink({ participantToken, serverUrl }: TokenResponse): Promise<object> {
    const { url, room, recipe, audience, transport, clock, logger } = this.#parts;
    const attempt = new AbortController();
    this.#attempt = attempt;
    const signal = AbortSignal.any([this.#abort.signal, attempt.signal]);
    const host = this.#host;
    const resumeToken = this.#resumeToken;
    try {
      const link = await transport.open({
        url: chooseBase(url, serverUrl),
        token: participantToken,
        room,
        audience,
        recipe,
        resume: resumeToken === undefined ? undefined : { resumeToken, lastSeq: host.lastSeq() },
        signal,
        clock,
        logger,
        observer: {
          event: (event) => host.event(event),
          trackAdded: (track) => host.trackAdded(track),
          trackRemoved: (id) => host.trackRemoved(id),
          roster: (update) => host.roster(update),
          // Until the link is up, media that flows one way is no news of the call.
          media: (flowing) => {
            if (!this.#attempt) host.media(flowing);
          },
          problem: (error) => host.problem(error),
          closed: (error, resumable) => this.#lose(error, resumable),
        },
      });
      this.#link = link;
      signal.throwIfAborted();
      this.#resumeToken = link.joined.resumeToken;
      this.#resumeMs = link.joined.resumeMs;
      this.#as = { roomName: link.joined.room, participantIdentity: link.joined.participant };
      await host.joined(link, signal);
      await unlessAborted(link.ready(), signal);
      const { sessionId, room: joinedRoom, participant, model } = link.joined;
      return { sessionId, room: joinedRoom, participant, model };
    } finally {
      this.#attempt = undefined;
    }
  }

  /** @throws {MicroturnError} what the source rejects with, `auth/token-source` around what is not coded, `net/timeout`, or why the call was left */
  async #fetchToken(): Promise<TokenResponse> {
    const { room, participantName, tokenSource, clock } = this.#parts;
    const timeout = new AbortController();
    const cancel = clock.after(TOKEN_MS, () => timeout.abort(new MicroturnError('net/timeout', 'the token source')));
    const signal = AbortSignal.any([this.#abort.signal, timeout.signal]);
    try {
      const asked = {
        ...this.#as,
        ...(room !== undefined && { roomName: room }),
        ...(participantName !== undefined && { participantName }),
        signal,
      };
      return checkedToken(await unlessAborted(tokenSource.fetch(asked), signal));
    } catch (error) {
      throw MicroturnError.from(error, 'auth/token-source');
    } finally {
      cancel();
    }
  }

  /** The edge, or the network, ended the link. */
  #lose(reason: MicroturnError, resumable: boolean): void {
    if (this.#left) return;
    if (this.#attempt && resumable) {
      this.#attempt.abort(reason);
      return;
    }
    if (!resumable || this.#resumeToken === undefined) {
      this.#fail(reason);
      return;
    }
    this.#parts.logger.warn('the link is lost', { code: reason.code });
    this.#dropLink();
    // Whoever is told of it may leave.
    if (this.#left) return;
    this.#up = this.#resume(reason);
    this.#up.catch((cause: unknown) => this.#fail(MicroturnError.from(cause, 'net/closed')));
    // Last, since who connects when they are told waits for this.
    this.#host.status('reconnecting', reason);
  }

  #fail(error: MicroturnError): void {
    if (this.#left) return;
    this.#parts.logger.warn('the call ended', { code: error.code });
    this.leave(error);
    this.#host.status('failed', error);
  }

  #dropLink(): void {
    this.#link = undefined;
    this.#host.linkLost();
  }

  /** Comes back to the session until it works, the edge says that there is none, or the edge has given it up. */
  async #resume(lost: MicroturnError): Promise<void> {
    const { signal } = this.#abort;
    const { clock, logger } = this.#parts;
    const untilMs = clock.now() + this.#resumeMs;
    const backoff = new Backoff(Math.random);
    for (let error = lost; ;) {
      const waitMs = backoff.nextMs();
      if (clock.now() + waitMs > untilMs) throw new MicroturnError('net/closed', error.message, { cause: error });
      await sleep(waitMs, clock, signal);
      signal.throwIfAborted();
      try {
        // A fresh one: the edge looks at it every time.
        const joined = await this.#openLink(await this.#fetchToken());
        this.#host.status('connected');
        logger.info('resumed', joined);
        return;
      } catch (cause) {
        signal.throwIfAborted();
        error = MicroturnError.from(cause, 'net/closed');
        this.#link?.drop();
        this.#dropLink();
        logger.debug('not resumed', { code: error.code });
        if (!error.retryable || error.code === 'auth/expired') throw error;
      }
    }
  }
}
