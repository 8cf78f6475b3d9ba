import {
  MicroturnError,
  PROTOCOL_VERSION,
  decodeJson,
  limits,
  parseClientMessage,
  type ClientMessage,
  type ClientMessageOf,
  type ClientRequest,
  type ServerMessage,
} from '@microturn/protocol';
import type { RawData, WebSocket } from 'ws';
import type { MediaEvent } from '../media/types.js';
import type { EdgeMetrics } from '../telemetry/metrics.js';
import { Call, type CallParts } from './call.js';
import { RateLimit } from './rate-limit.js';

/** Time to send the first message. */
const JOIN_TIMEOUT_MS = 10_000;
/** Two of these without an answer, and the peer is gone. */
const PING_MS = 15_000;
/** Time to answer a close. */
const CLOSE_MS = 1000;
/** A client that does not read its socket is cut off here: its queue is bounded, and others do not pay for it. */
const BUFFERED_BYTES = 1024 * 1024;
/** Messages that wait for the one before them; the rate limit keeps an honest client far below. */
const WAITING_MESSAGES = 256;

/** Close codes: RFC 6455, section 7.4.1. */
const NORMAL = 1000;
const POLICY = 1008;
const TOO_LARGE = 1009;

export interface ConnectionParts extends CallParts {
  readonly metrics: EdgeMetrics;
  /** False while the edge drains. */
  readonly accepting: () => boolean;
}

/** One participant's socket: parses at the door, answers requests in order, carries events out. */
export class Connection {
  readonly #socket: WebSocket;
  readonly #parts: ConnectionParts;
  readonly #rate: RateLimit;
  readonly #joinTimer: NodeJS.Timeout;
  readonly #pingTimer: NodeJS.Timeout;
  #call: Call | undefined;
  #waiting = 0;
  #chain: Promise<void> = Promise.resolve();
  #seq = 0;
  #closed = false;
  #alive = true;
  #finished: Promise<void> = Promise.resolve();

  constructor(socket: WebSocket, parts: ConnectionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#rate = new RateLimit(parts.clock, limits.messagesPerSecond, limits.messageBurst);
    this.#joinTimer = setTimeout(
      () => this.end(new MicroturnError('net/timeout', 'no join message came')),
      JOIN_TIMEOUT_MS,
    );
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    this.#pingTimer = setInterval(() => this.#ping(), PING_MS);
    socket.on('pong', () => (this.#alive = true));
    socket.on('close', () => this.#finish('net/closed'));
    // ws closes the socket itself after an error (1009 for a message that is too large, 1002 for a broken frame).
    socket.on('error', (error) => parts.log.debug({ err: error }, 'a socket failed'));
  }

  /** The endpoint whose media events belong here, once joined. */
  get endpoint(): string | undefined {
    return this.#call?.session.endpoint;
  }

  /** What the media thread says about this connection's endpoint. */
  onMediaEvent(event: MediaEvent): void {
    switch (event.type) {
      case 'track.added':
        this.#send({ type: 'track.added', track: event.track });
        return;
      case 'track.removed':
        this.#send({ type: 'track.removed', consumerId: event.consumerId });
        return;
      default:
    }
  }

  /** Says why, then closes. Ending twice is harmless. */
  end(error: MicroturnError): void {
    this.#finish(error.code, () => {
      this.#send({ type: 'goodbye', error: error.toWire(), resumable: false, seq: this.#seq });
      this.#closeSocket(error.code === 'protocol/too-large' ? TOO_LARGE : POLICY, error.code);
    });
  }

  /** Resolves when the call behind the socket is closed. */
  get finished(): Promise<void> {
    return this.#finished;
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#closed) return;
    const refusal = this.#refusal((data as Buffer).byteLength);
    if (refusal) {
      this.#refuse(refusal);
      this.end(refusal);
      return;
    }
    this.#waiting++;
    this.#chain = this.#chain.then(async () => {
      this.#waiting--;
      if (!this.#closed) await this.#handle(data, isBinary);
    });
  }

  /** What ends a socket before its message is looked at. */
  #refusal(bytes: number): MicroturnError | undefined {
    if (bytes > limits.messageBytes) return new MicroturnError('protocol/too-large', `${bytes} bytes`);
    if (!this.#rate.take() || this.#waiting >= WAITING_MESSAGES) return new MicroturnError('protocol/rate');
    return undefined;
  }

  async #handle(data: RawData, isBinary: boolean): Promise<void> {
    let raw: unknown;
    try {
      if (isBinary) throw new MicroturnError('protocol/malformed', 'binary messages are not used here');
      raw = decodeJson((data as Buffer).toString('utf8'));
      const message = parseClientMessage(raw);
      // A newer client may say what this build does not know.
      if (!message) return;
      const result = await this.#answer(message);
      // `join` has answered for itself, before the first event.
      if ('id' in message && message.type !== 'join')
        this.#send({ type: 'reply', id: message.id, ...(result !== undefined && { result }) });
    } catch (cause) {
      const error = MicroturnError.from(cause, 'edge/internal');
      this.#refuse(error, cause);
      const id = (raw as Partial<ClientRequest> | undefined)?.id;
      if (Number.isSafeInteger(id) && (id as number) >= 1)
        this.#send({ type: 'reply', id: id as number, error: error.toWire() });
      // Nothing else is worth hearing from a socket that did not get in.
      if (!this.#call) this.end(error);
      else if (id === undefined) this.#call.session.report(error);
    }
  }

  #refuse(error: MicroturnError, cause?: unknown): void {
    this.#parts.metrics.messages.inc({ code: error.code });
    if (error.code === 'edge/internal') this.#parts.log.error({ err: cause }, 'a message could not be answered');
    else this.#parts.log.debug({ code: error.code }, 'a message was refused');
  }

  async #answer(message: ClientMessage): Promise<unknown> {
    if (message.type === 'join') return this.#join(message);
    const call = this.#call;
    if (!call) throw new MicroturnError('protocol/state', 'join comes first');
    const { media } = this.#parts;
    const { session, grant } = call;
    const { endpoint } = session;
    switch (message.type) {
      case 'subscribe':
        if (!grant.canSubscribe) return { tracks: [] };
        return media.request('subscribe', { endpoint, rtpCapabilities: message.rtpCapabilities });
      case 'transport.connect':
        return media.request('transport.connect', {
          endpoint,
          transportId: message.transportId,
          dtlsParameters: message.dtlsParameters,
        });
      case 'transport.restart-ice':
        return media.request('transport.restart-ice', { endpoint, transportId: message.transportId });
      case 'produce': {
        const { transportId, source, rtpParameters } = message;
        if (!grant.canPublish(source)) throw new MicroturnError('auth/forbidden', `canPublish for ${source}`);
        return media.request('produce', { endpoint, transportId, source, rtpParameters });
      }
      case 'producer.mute':
        return media.request('producer.mute', { endpoint, producerId: message.producerId, muted: message.muted });
      case 'producer.close':
        return media.request('producer.close', { endpoint, producerId: message.producerId });
      case 'heard': {
        const { rtpTimestamp, outputLatencyMs, state } = message;
        return session.heard({ rtpTimestamp, outputLatencyMs, state });
      }
      case 'say':
        return session.say(message.text);
      case 'response.interrupt': {
        const { rtpTimestamp, outputLatencyMs = 0 } = message;
        return session.interrupt(
          rtpTimestamp === undefined ? undefined : { rtpTimestamp, outputLatencyMs, state: 'muted' },
        );
      }
      case 'ping':
        return { sessionMs: session.nowMs };
      case 'leave':
        this.#finish('left', () => this.#closeSocket(NORMAL, 'left'));
        return undefined;
      default:
        return message satisfies never;
    }
  }

  async #join(message: ClientMessageOf<'join'>): Promise<unknown> {
    const { metrics, accepting } = this.#parts;
    try {
      if (this.#call) throw new MicroturnError('protocol/state', 'this socket has joined already');
      if (message.protocol !== PROTOCOL_VERSION) {
        throw new MicroturnError('protocol/version', `got ${message.protocol}, this edge speaks ${PROTOCOL_VERSION}`);
      }
      if (!accepting()) throw new MicroturnError('edge/draining');
      const call = await Call.open(this.#parts, message);
      if (this.#closed) {
        await call.close('left');
        return undefined;
      }
      // Another socket with this identity may have come in meanwhile.
      if (call.session.closed) throw new MicroturnError('session/replaced');
      clearTimeout(this.#joinTimer);
      this.#call = call;
      call.onEnded = (error) => this.end(error);
      metrics.joins.inc({ outcome: 'ok' });
      // The reply first, so that a client knows its session before its first event.
      this.#send({ type: 'reply', id: message.id, result: call.joined });
      call.session.start((event) => {
        this.#seq = event.seq;
        this.#send(event);
      });
      return undefined;
    } catch (error) {
      metrics.joins.inc({ outcome: MicroturnError.from(error, 'edge/internal').code });
      throw error;
    }
  }

  #send(message: ServerMessage): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(JSON.stringify(message));
    if (this.#socket.bufferedAmount > BUFFERED_BYTES && !this.#closed) {
      this.#parts.log.warn({ bytes: this.#socket.bufferedAmount }, 'a client does not read its socket');
      this.#finish('net/closed');
      this.#socket.terminate();
    }
  }

  /** Ends the call first, so that its last events still reach the client; then says farewell. */
  #finish(reason: string, farewell?: () => void): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#joinTimer);
    clearInterval(this.#pingTimer);
    if (this.#call) {
      this.#finished = this.#call
        .close(reason)
        .catch((error: unknown) => this.#parts.log.error({ err: error }, 'a call did not close'));
    }
    farewell?.();
  }

  #closeSocket(code: number, reason: string): void {
    this.#socket.close(code, reason);
    // A peer that does not answer the close would hold the edge's own end up.
    setTimeout(() => this.#socket.terminate(), CLOSE_MS).unref();
  }

  /** A peer that is gone without a word is found out: TCP alone may take a quarter of an hour. */
  #ping(): void {
    if (this.#alive) {
      this.#alive = false;
      this.#socket.ping();
      return;
    }
    this.#finish('net/timeout');
    this.#socket.terminate();
  }
}
