import {
  MicroturnError,
  PROTOCOL_VERSION,
  isSessionEvent,
  parseServerMessage,
  type JoinResult,
  type ServerMessage,
  type SessionEvent,
  type WireError,
} from '@microturn/protocol';
import { WebSocket, type ClientOptions } from 'ws';

const WAIT_MS = 10_000;

export interface Resume {
  readonly resumeToken: string;
  readonly lastSeq: number;
}

export interface SocketClosed {
  readonly code: number;
  readonly reason: string;
}

/** The wire protocol by hand, for what the SDK would never send. Whatever the edge sends is checked against the schema. */
export class SocketClient implements Disposable {
  readonly #socket: WebSocket;
  readonly #messages: ServerMessage[] = [];
  readonly #waiters = new Set<() => void>();
  #closed: SocketClosed | undefined;
  #id = 0;
  #lastMessageAtMs = performance.now();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      const message = parseServerMessage(JSON.parse(data.toString('utf8')));
      if (message) this.#messages.push(message);
      this.#lastMessageAtMs = performance.now();
      this.#wake();
    });
    socket.on('close', (code, reason) => {
      this.#closed = { code, reason: reason.toString('utf8') };
      this.#wake();
    });
    socket.on('error', () => undefined);
  }

  static open(url: string, options: ClientOptions = {}): Promise<SocketClient> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, options);
      const client = new SocketClient(socket);
      socket.once('open', () => resolve(client));
      socket.once('error', reject);
    });
  }

  /** Opens a socket and joins with `token`. */
  static async join(url: string, token: string): Promise<SocketClient & { readonly joined: JoinResult }> {
    const client = await SocketClient.open(url);
    const joined = await client.join(token);
    return Object.assign(client, { joined });
  }

  join(token: string, resume?: Resume): Promise<JoinResult> {
    return this.request({ type: 'join', protocol: PROTOCOL_VERSION, token, ...(resume && { resume }) });
  }

  get messages(): readonly ServerMessage[] {
    return this.#messages;
  }
  get events(): readonly SessionEvent[] {
    return this.#messages.filter(isSessionEvent);
  }
  get lastSeq(): number {
    return this.events.at(-1)?.seq ?? 0;
  }
  get goodbye(): (ServerMessage & { type: 'goodbye' }) | undefined {
    return this.#messages.find((message) => message.type === 'goodbye');
  }
  /** By `performance.now()`. */
  get lastMessageAtMs(): number {
    return this.#lastMessageAtMs;
  }
  get closed(): SocketClosed | undefined {
    return this.#closed;
  }
  /** For what no method here does. */
  get socket(): WebSocket {
    return this.#socket;
  }

  /** @throws {MicroturnError} what the edge answered */
  async request<T = unknown>(body: object): Promise<T> {
    const id = ++this.#id;
    this.send({ ...body, id });
    const { error, result } = await this.until(
      'reply',
      (message) => message.type === 'reply' && message.id === id && message,
    );
    if (error) throw MicroturnError.fromWire(error);
    return result as T;
  }

  send(message: object | string | Uint8Array): void {
    this.#socket.send(typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message));
  }

  /** The first thing that `find` finds in what has come and comes. */
  async until<T>(
    what: string,
    find: (message: ServerMessage) => T | false | undefined,
    timeoutMs = WAIT_MS,
  ): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    for (let seen = 0; ;) {
      while (seen < this.#messages.length) {
        const found = find(this.#messages[seen++]!);
        if (found) return found;
      }
      const leftMs = deadline - performance.now();
      if (this.#closed) throw new Error(`no ${what}: closed with ${this.#closed.code} ${this.#closed.reason}`);
      if (leftMs <= 0) throw new Error(`no ${what} in ${timeoutMs} ms`);
      await this.#changed(leftMs);
    }
  }

  /** The error of the farewell, and how the socket was closed. */
  async untilClosed(timeoutMs = WAIT_MS): Promise<SocketClosed & { readonly error: WireError | undefined }> {
    const deadline = performance.now() + timeoutMs;
    while (!this.#closed) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(`still open after ${timeoutMs} ms`);
      await this.#changed(leftMs);
    }
    return { ...this.#closed, error: this.goodbye?.error };
  }

  /** The client is done with its call, and says so. */
  leave(): void {
    this.send({ type: 'leave' });
  }

  /** As a network does it: without a word, so that its session waits for it. */
  drop(): void {
    this.#socket.terminate();
  }

  /** As a page does it that goes away: its session is over. */
  close(): void {
    this.#socket.close(1000);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #wake(): void {
    for (const wake of this.#waiters) wake();
  }

  #changed(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiters.add(done);
    });
  }
}
