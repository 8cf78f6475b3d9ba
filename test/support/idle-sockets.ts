import { connect, type Socket } from 'node:net';

/** Handshakes under way at once: more than an edge takes in a moment, fewer than a backlog holds. */
const AT_ONCE = 128;

export interface IdleSocketsOptions {
  readonly url: string;
  readonly count: number;
  /** Of one address; the next of 127.0.0.0/8 has the others. */
  readonly perAddress: number;
}

/**
 * WebSockets that never say anything, in as few bytes as that takes: an upgrade, and what comes back is counted. From as
 * many source addresses as it takes, so that no limit of one address holds them up.
 */
export class IdleSockets implements Disposable {
  readonly #sockets = new Set<Socket>();
  /** Those that got the upgrade, those that the edge has closed, and those that were told `protocol/rate` by it. */
  upgraded = 0;
  closed = 0;
  refused = 0;
  /** Those that got no upgrade at all. */
  failed = 0;
  /** Most that were open at once. */
  most = 0;

  /** Resolves when each of them has its upgrade, or failed. */
  static async open({ url, count, perAddress }: IdleSocketsOptions): Promise<IdleSockets> {
    const { hostname, port, pathname } = new URL(url);
    const sockets = new IdleSockets();
    let next = 0;
    const opener = async () => {
      while (next < count) {
        const i = next++;
        const host = Math.floor(i / perAddress);
        const localAddress = `127.0.${1 + Math.floor(host / 200)}.${1 + (host % 200)}`;
        await sockets.#open({ host: hostname, port: Number(port), localAddress }, pathname);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, opener));
    return sockets;
  }

  get open(): number {
    return this.#sockets.size;
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #open(to: { host: string; port: number; localAddress: string }, path: string): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(to);
      let upgraded = false;
      socket.once('connect', () => {
        this.#sockets.add(socket);
        this.most = Math.max(this.most, this.#sockets.size);
        socket.write(
          `GET ${path} HTTP/1.1\r\nHost: ${to.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
            'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
        );
      });
      socket.on('data', (data) => {
        const text = data.toString('latin1');
        if (text.includes('"protocol/rate"')) this.refused++;
        if (upgraded || !text.startsWith('HTTP/1.1 101')) return;
        upgraded = true;
        this.upgraded++;
        resolve();
      });
      socket.on('error', () => undefined);
      socket.once('close', () => {
        if (upgraded) this.closed++;
        else this.failed++;
        this.#sockets.delete(socket);
        resolve();
      });
    });
  }
}
