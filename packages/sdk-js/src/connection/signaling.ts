import {
  MicroturnError,
  decodeJson,
  isSessionEvent,
  parseServerMessage,
  type ClientMessage,
  type ClientRequest,
  limits,
  type ControlMessage,
  type RosterMessage,
  type ServerMessage,
  type SessionEvent,
} from '@microturn/protocol';
import type { Clock } from '../clock.js';
import type { OpenSocket, Socket } from './socket.js';

/** A request before it has its id. */
export type RequestBody = ClientRequest extends infer R ? (R extends ClientRequest ? Omit<R, 'id'> : never) : never;
export type Notice = Exclude<ClientMessage, ClientRequest>;

export interface SignalingObserver {
  event(event: SessionEvent): void;
  track(message: Extract<ControlMessage, { type: 'track.added' | 'track.removed' }>): void;
  roster(message: RosterMessage): void;
  /** The edge hears nothing of the microphone any more. */
  stalled(): void;
  /** A message could not be read. */
  problem(error: MicroturnError): void;
  /** Once, and the last call; not after `close()`. Where it is resumable, the edge still has the session. */
  closed(error: MicroturnError, resumable: boolean): void;
}

export interface SignalingParts {
  readonly url: string;
  readonly openSocket: OpenSocket;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly observer: SignalingObserver;
}

const REQUEST_TIMEOUT_MS = 10_000;
const PING_EVERY_MS = 15_000;
const PROBE_MS = 2_000;

interface Pending {
  resolve(result: unknown): void;
  reject(error: MicroturnError): void;
  cancelTimeout(): void;
}

/** Requests with replies, and pushed messages, over one socket. */
export class Signaling {
  readonly #clock: Clock;
  readonly #observer: SignalingObserver;
  readonly #pending = new Map<number, Pending>();
  #socket: Socket | undefined;
  #stopPing: (() => void) | undefined;
  #lastId = 0;
  #ended: MicroturnError | undefined;

  private constructor(parts: SignalingParts) {
    this.#clock = parts.clock;
    this.#observer = parts.observer;
  }

  /** @throws {MicroturnError} `net/unreachable`, `net/timeout`, or the signal's reason */
  static async open(parts: SignalingParts): Promise<Signaling> {
    const signaling = new Signaling(parts);
    const timeout = new AbortController();
    const cancelTimeout = parts.clock.after(REQUEST_TIMEOUT_MS, () =>
      timeout.abort(new MicroturnError('net/timeout', `opening ${parts.url}`)),
    );
    try {
      signaling.#socket = await parts.openSocket(
        parts.url,
        {
          message: (text) => signaling.#receive(text),
          // What was too large once would be so again.
          closed: (error) => signaling.#end(error, error.code !== 'protocol/too-large'),
        },
        AbortSignal.any([parts.signal, timeout.signal]),
      );
    } finally {
      cancelTimeout();
    }
    signaling.#stopPing = parts.clock.every(PING_EVERY_MS, () => signaling.#ping());
    return signaling;
  }

  /** @throws {MicroturnError} what the edge answered, `net/timeout`, `protocol/too-large`, or why the socket ended */
  request(body: RequestBody): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#lastId;
    const text = JSON.stringify({ ...body, id });
    // The edge would close the socket, and with it the call.
    if (new TextEncoder().encode(text).length > limits.messageBytes) {
      return Promise.reject(new MicroturnError('protocol/too-large', body.type));
    }
    return new Promise((resolve, reject) => {
      const cancelTimeout = this.#clock.after(REQUEST_TIMEOUT_MS, () => {
        this.#pending.delete(id);
        reject(new MicroturnError('net/timeout', body.type));
      });
      this.#pending.set(id, { resolve, reject, cancelTimeout });
      this.#socket?.send(text);
    });
  }

  /** Whether the other side is still there, where the network may be another one: known in two seconds and not in 25. */
  probe(): void {
    const giveUp = this.#clock.after(PROBE_MS, () =>
      this.#end(new MicroturnError('net/timeout', 'after a change of network'), true),
    );
    this.request({ type: 'ping' }).then(giveUp, giveUp);
  }

  /** One way; dropped when the socket has ended. */
  notify(message: Notice): void {
    if (!this.#ended) this.#socket?.send(JSON.stringify(message));
  }

  /**
   * Closing twice is harmless; what is pending rejects with `reason`.
   * @param returning the edge is to keep the session
   */
  close(reason: MicroturnError, returning: boolean): void {
    if (this.#ended) return;
    this.#ended = reason;
    this.#stopPing?.();
    this.#socket?.close(returning);
    for (const pending of this.#pending.values()) {
      pending.cancelTimeout();
      pending.reject(reason);
    }
    this.#pending.clear();
  }

  #receive(text: string): void {
    if (this.#ended) return;
    let message: ServerMessage | undefined;
    try {
      message = parseServerMessage(decodeJson(text, limits.serverMessageChars));
    } catch (error) {
      this.#observer.problem(MicroturnError.from(error, 'protocol/malformed'));
      return;
    }
    if (!message) return;
    if (isSessionEvent(message)) this.#observer.event(message);
    else this.#control(message);
  }

  #control(message: ControlMessage): void {
    switch (message.type) {
      case 'reply': {
        const pending = this.#pending.get(message.id);
        if (!pending) return;
        this.#pending.delete(message.id);
        pending.cancelTimeout();
        if (message.error) pending.reject(MicroturnError.fromWire(message.error));
        else pending.resolve(message.result);
        return;
      }
      case 'track.added':
      case 'track.removed':
        this.#observer.track(message);
        return;
      case 'participant.joined':
      case 'participant.updated':
      case 'participant.left':
      case 'speakers.changed':
      case 'track.muted':
        this.#observer.roster(message);
        return;
      case 'media.stalled':
        this.#observer.stalled();
        return;
      case 'goodbye':
        this.#end(MicroturnError.fromWire(message.error), message.resumable);
        return;
      default:
        message satisfies never;
    }
  }

  /** Finds out that the other side is gone where the network does not say so. */
  #ping(): void {
    this.request({ type: 'ping' }).catch((error: unknown) => this.#end(MicroturnError.from(error, 'net/closed'), true));
  }

  #end(error: MicroturnError, resumable: boolean): void {
    if (this.#ended) return;
    this.close(error, true);
    this.#observer.closed(error, resumable);
  }
}
