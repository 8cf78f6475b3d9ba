import {
  MicroturnError,
  PROTOCOL_VERSION,
  decodeJson,
  limits,
  parseClientMessage,
  type ClientMessage,
  type ClientMessageOf,
  type ClientRequest,
  type RosterMessage,
  type ServerMessage,
  type SessionEvent,
} from '@microturn/protocol';
import type { RawData, WebSocket } from 'ws';
import type { MediaEvent } from '../media/types.js';
import type { EdgeMetrics } from '../telemetry/metrics.js';
import { answerInCall } from './answer-in-call.js';
import type { Call, Carrier } from './call.js';
import { joinCall, type JoinParts } from './join-call.js';
import { readOfferedTools } from './offered-tools.js';
import { RateLimit } from './rate-limit.js';

/** Time to send the first message. */
const JOIN_TIMEOUT_MS = 10_000;
/** Time to answer a close. */
const CLOSE_MS = 1000;
/** A client that does not read its socket is cut off here: its queue is bounded, and others do not pay for it. */
const BUFFERED_BYTES = 1024 * 1024;
/** What one that comes back may be sent at once: the events that it missed, and all that its page shows. */
const RESUMED_BYTES = 4 * 1024 * 1024;
/** Above this a client is slow: what is only news of the moment waits, and the newest is told when it has caught up. */
const BACKLOG_BYTES = 64 * 1024;
/** Messages that wait for the one before them; the rate limit keeps an honest client far below. */
const WAITING_MESSAGES = 256;

/** Close codes: RFC 6455, section 7.4.1. */
const NORMAL = 1000;
const POLICY = 1008;
const TOO_LARGE = 1009;
/** How a client closes a socket that it is done with: properly, by leaving the page, or without a word about why. */
const LEFT: ReadonlySet<number> = new Set([NORMAL, 1001, 1005]);
/** Pings without an answer after which a peer is silent. */
const SILENT_PINGS = 2;

/** What all connections share. */
export interface ConnectionParts extends JoinParts {
  readonly metrics: EdgeMetrics;
  /** Called once. */
  readonly onClosed: (connection: Connection) => void;
  /** Why nobody is let in now, where that is so. */
  readonly refusal: () => MicroturnError | undefined;
}

/** What there is before anything has been asked for: a socket that waits to join is to cost little. */
const DONE: Promise<void> = Promise.resolve();

/** One participant's socket: parses at the door, answers requests in order, carries events out. */
export class Connection implements Carrier {
  readonly #socket: WebSocket;
  readonly #parts: ConnectionParts;
  readonly #rate: RateLimit;
  readonly #joinTimer: NodeJS.Timeout;
  #call: Call | undefined;
  #waiting = 0;
  #chain = DONE;
  #seq = 0;
  /** What a client that is slow to read has not been told: the newest of each kind, and of each participant. */
  #owed: Map<string, RosterMessage> | undefined;
  #pings = 0;
  /** What may wait on its socket now; more than `BUFFERED_BYTES` where it has just come back, and less as that goes out. */
  #mostBuffered = BUFFERED_BYTES;
  /** What waited when it was asked for a sign of life. */
  #bufferedBefore = 0;
  /** It does not read: nothing more is sent, and it is cut off once what it was being told is over. */
  #cutOff = false;
  #closed = false;
  #finished = DONE;
  readonly #leaveWaiting: (() => void) | undefined;

  /** @param leaveWaiting called when it waits no more: it has joined, and again when it is closed */
  constructor(socket: WebSocket, parts: ConnectionParts, leaveWaiting?: () => void) {
    this.#socket = socket;
    this.#parts = parts;
    this.#leaveWaiting = leaveWaiting;
    this.#rate = new RateLimit(parts.clock, limits.messagesPerSecond, limits.messageBurst);
    this.#joinTimer = setTimeout(
      () => this.end(new MicroturnError('net/timeout', 'no join message came')),
      JOIN_TIMEOUT_MS,
    );
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on('pong', () => (this.#pings = 0));
    // ws answers them by itself; they count like messages all the same.
    socket.on('ping', () => this.#onPing());
    socket.on('close', (code) => this.#onClose(LEFT.has(code)));
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
      case 'uplink.stalled':
        this.#send({ type: 'media.stalled' });
        return;
      default:
    }
  }

  roster(message: RosterMessage): void {
    // To a client that is slow to read, how things stand by then matters, and not how they stood meanwhile.
    if (this.#socket.bufferedAmount > BACKLOG_BYTES && this.#owe(message)) return;
    this.#send(message);
  }

  /** @returns whether it is told later; what comes and goes is told at once, and what was owed of it is nothing any more */
  #owe(message: RosterMessage): boolean {
    switch (message.type) {
      case 'speakers.changed':
        (this.#owed ??= new Map()).set('', message);
        return true;
      case 'participant.updated':
        (this.#owed ??= new Map()).set(message.participant.identity, message);
        return true;
      case 'participant.joined':
        this.#owed?.delete(message.participant.identity);
        return false;
      case 'participant.left':
        this.#owed?.delete(message.identity);
        return false;
      case 'track.muted':
        return false;
      default:
        return message satisfies never;
    }
  }

  /** Says why, then closes. Where it is resumable, the call waits for its client. Ending twice is harmless. */
  end(error: MicroturnError, resumable = false): void {
    this.#finish({ over: !resumable, reason: error.code }, () => {
      this.#send({ type: 'goodbye', error: error.toWire(), resumable, seq: this.#seq });
      this.#closeSocket(error.code === 'protocol/too-large' ? TOO_LARGE : POLICY, error.code);
    });
  }

  /** Resolves when the call behind the socket is closed, where it ends with it. */
  get finished(): Promise<void> {
    return this.#finished;
  }

  /**
   * Asks for a sign of life; called every few seconds once it has joined. A peer that gives none is cut off, and may come back: TCP alone
   * may take a quarter of an hour to find it out.
   */
  checkAlive(): void {
    if (this.#closed) return;
    const { bufferedAmount } = this.#socket;
    // Who takes what was sent before gives one, though the question still waits behind it.
    if (bufferedAmount < this.#bufferedBefore) this.#pings = 0;
    this.#bufferedBefore = bufferedAmount;
    this.#mostBuffered = Math.max(BUFFERED_BYTES, Math.min(this.#mostBuffered, bufferedAmount + BUFFERED_BYTES));
    if (this.#pings >= SILENT_PINGS) {
      this.#finish({ over: false, reason: 'net/timeout' });
      this.#socket.terminate();
      return;
    }
    this.#pings++;
    this.#socket.ping();
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#closed) return;
    const refusal = this.#refusal(data as Buffer);
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

  #onPing(): void {
    if (this.#closed || this.#rate.take()) return;
    const refusal = new MicroturnError('protocol/rate');
    this.#refuse(refusal);
    this.end(refusal);
  }

  /** What ends a socket before its message is looked at. */
  #refusal(data: Buffer): MicroturnError | undefined {
    if (data.byteLength > limits.messageBytes) return new MicroturnError('protocol/too-large', sizeOf(data));
    if (!this.#rate.take() || this.#waiting >= WAITING_MESSAGES) return new MicroturnError('protocol/rate');
    return undefined;
  }

  async #handle(data: RawData, isBinary: boolean): Promise<void> {
    let raw: unknown;
    try {
      if (isBinary) throw new MicroturnError('protocol/malformed', 'binary messages are not used here');
      const text = (data as Buffer).toString('utf8');
      const offered = readOfferedTools(text);
      raw = offered?.message ?? decodeJson(text);
      const message = parseClientMessage(raw);
      // A newer client may say what this build does not know.
      if (!message) return;
      const result = await this.#answer(message, offered?.refused);
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

  /** @param refused what was wrong with tools that the message offered, and does not any more */
  async #answer(message: ClientMessage, refused: readonly string[] = []): Promise<unknown> {
    if (message.type === 'join') return this.#join(message);
    if (!this.#call) throw new MicroturnError('protocol/state', 'join comes first');
    if (message.type === 'leave') {
      this.#finish({ over: true, reason: 'left' }, () => this.#closeSocket(NORMAL, 'left'));
      return undefined;
    }
    return answerInCall(message, { call: this.#call, media: this.#parts.media, refused });
  }

  async #join(message: ClientMessageOf<'join'>): Promise<unknown> {
    const { metrics, refusal } = this.#parts;
    // It came; how long it takes to let them in is the edge's time, and the client's to give up.
    clearTimeout(this.#joinTimer);
    try {
      if (this.#call) throw new MicroturnError('protocol/state', 'this socket has joined already');
      if (message.protocol !== PROTOCOL_VERSION) {
        throw new MicroturnError('protocol/version', `got ${message.protocol}, this edge speaks ${PROTOCOL_VERSION}`);
      }
      const refused = refusal();
      if (refused) throw refused;
      const { call, joined } = await joinCall(this.#parts, message);
      const participants = call.attach(this);
      if (this.#closed) {
        // Whoever was never answered has nothing to come back with.
        if (joined.resumed) call.detach(this);
        else await call.leave(this, 'left');
        return undefined;
      }
      this.#call = call;
      this.#leaveWaiting?.();
      metrics.joins.inc({ outcome: 'ok' });
      // The reply first, so that a client knows its session before its first event.
      this.#send({ type: 'reply', id: message.id, result: { ...joined, participants } });
      const listener = ({ seq }: SessionEvent, json: string) => {
        this.#seq = seq;
        this.#sendText(json);
      };
      if (joined.resumed) {
        this.#mostBuffered = RESUMED_BYTES;
        call.session.resume(message.resume?.lastSeq ?? 0, listener);
        this.#mostBuffered = BUFFERED_BYTES + this.#socket.bufferedAmount;
      } else call.session.start(listener);
      return undefined;
    } catch (error) {
      metrics.joins.inc({ outcome: MicroturnError.from(error, 'edge/internal').code });
      throw error;
    }
  }

  #send(message: ServerMessage): void {
    this.#sendText(JSON.stringify(message));
  }

  #sendText(text: string): void {
    if (this.#cutOff || this.#socket.readyState !== this.#socket.OPEN) return;
    const owed = this.#socket.bufferedAmount > BACKLOG_BYTES ? undefined : this.#owed;
    if (owed) {
      this.#owed = undefined;
      for (const one of owed.values()) this.#socket.send(JSON.stringify(one));
    }
    this.#socket.send(text);
    if (this.#socket.bufferedAmount > this.#mostBuffered && !this.#closed) {
      this.#cutOff = true;
      // Its session may be in the middle of a step that others are told of, too.
      setImmediate(() => this.#endSlow());
    }
  }

  #endSlow(): void {
    if (this.#closed) return;
    this.#parts.log.warn({ bytes: this.#socket.bufferedAmount }, 'a client does not read its socket');
    this.#finish({ over: false, reason: 'net/closed' });
    this.#socket.terminate();
  }

  #onClose(left: boolean): void {
    // One who leaves may close the transports first, and is told to come back on others before the socket says more.
    if (this.#closed && left) this.#leave('left');
    this.#finish({ over: left, reason: 'net/closed' });
    this.#leaveWaiting?.();
    this.#parts.onClosed(this);
  }

  #leave(reason: string): void {
    if (!this.#call) return;
    this.#finished = this.#call
      .leave(this, reason)
      .catch((error: unknown) => this.#parts.log.error({ err: error }, 'a call did not close'));
  }

  /**
   * Ends the call first, so that its last events still reach the client; then says farewell.
   * @param over the client left or may not come back; else the call waits for it
   */
  #finish({ over, reason }: { over: boolean; reason: string }, farewell?: () => void): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#joinTimer);
    if (over) this.#leave(reason);
    else this.#call?.detach(this);
    farewell?.();
  }

  #closeSocket(code: number, reason: string): void {
    this.#socket.close(code, reason);
    // A peer that does not answer the close would hold the edge's own end up.
    setTimeout(() => this.#socket.terminate(), CLOSE_MS).unref();
  }
}

/** How large a message is, and of what type, where it begins with it: more of it is not read. */
function sizeOf(data: Buffer): string {
  const [, type] = /^\s*\{\s*"type"\s*:\s*"([\w.-]{1,32})"/.exec(data.toString('latin1', 0, 64)) ?? [];
  return `${data.byteLength} bytes${type === undefined ? '' : ` of ${type}`}`;
}
