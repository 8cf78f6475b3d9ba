import type { JoinResult, SessionEvent, WireError } from '@microturn/protocol';
import { once } from 'node:events';
import { WebSocket } from 'ws';

const TIMEOUT_MS = 10_000;

export interface Goodbye {
  readonly error: WireError;
  readonly resumable: boolean;
}

interface Reply {
  readonly result?: unknown;
  readonly error?: WireError;
}
type Incoming = Reply & { readonly type: string; readonly id: number; readonly seq?: number };

/** A client that is a socket and nothing more: no media, and no ways of its own. */
export class SocketClient {
  readonly events: SessionEvent[] = [];
  goodbye: Goodbye | undefined;
  readonly #socket: WebSocket;
  readonly #replies = new Map<number, (reply: Reply) => void>();
  #id = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as Incoming;
      if (message.type === 'reply') this.#replies.get(message.id)?.(message);
      else if (message.type === 'goodbye') this.goodbye = message as unknown as Goodbye;
      else if (message.seq !== undefined) this.events.push(message as unknown as SessionEvent);
    });
  }

  static async open(url: string): Promise<SocketClient> {
    const client = new SocketClient(new WebSocket(url));
    await once(client.#socket, 'open');
    return client;
  }

  get closed(): boolean {
    return this.#socket.readyState === WebSocket.CLOSED;
  }
  get lastSeq(): number {
    return this.events.at(-1)?.seq ?? 0;
  }

  join(token: string, resume?: { resumeToken: string; lastSeq: number }): Promise<JoinResult> {
    return this.request({ type: 'join', protocol: 1, token, ...(resume && { resume }) });
  }

  /** @throws {Error} whose message begins with the code of the edge's answer */
  request<T>(message: { readonly type: string; readonly [field: string]: unknown }): Promise<T> {
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${message.type} was not answered`)), TIMEOUT_MS);
      const onClose = () => reject(new Error(`${this.goodbye?.error.code ?? 'net/closed'}: the socket closed`));
      this.#socket.once('close', onClose);
      this.#replies.set(id, ({ result, error }) => {
        clearTimeout(timer);
        this.#socket.off('close', onClose);
        if (error) reject(new Error(`${error.code}: ${error.message}`));
        else resolve(result as T);
      });
      this.#socket.send(JSON.stringify({ ...message, id }));
    });
  }

  leave(): void {
    this.#socket.send(JSON.stringify({ type: 'leave' }));
  }

  /** As a network does it: without a word. */
  drop(): void {
    this.#socket.terminate();
  }
}
