import { UdpRelay } from '@microturn/edge/testing';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { EdgeProcess, type EdgeProcessOptions } from './edge-process.js';

const EDGE = '127.0.0.1';
/** Linux gives the whole of 127.0.0.0/8 to loopback, so the edge's port is free here as well. */
const RELAY = '127.0.0.2';

/** Whether this machine has an address for the relay. */
export const hasRoughNetwork = process.platform === 'linux';

/**
 * An edge whose media is reached through a relay that does what networks do: callers are told the relay's address, for
 * UDP and TCP, on the port that the edge has.
 */
export class RoughNetwork implements AsyncDisposable {
  readonly edge: EdgeProcess;
  readonly udp: UdpRelay;
  readonly #tcp: TcpRelay;

  private constructor(edge: EdgeProcess, udp: UdpRelay, tcp: TcpRelay) {
    this.edge = edge;
    this.udp = udp;
    this.#tcp = tcp;
  }

  static async open({ args = [], ...options }: EdgeProcessOptions = {}): Promise<RoughNetwork> {
    const edge = await EdgeProcess.start({ ...options, args: ['--announced-address', RELAY, ...args] });
    try {
      const port = edge.mediaPort;
      const target = { address: EDGE, port };
      const udp = await UdpRelay.open({ listen: { address: RELAY, port }, target });
      return new RoughNetwork(edge, udp, await TcpRelay.open(port));
    } catch (error) {
      await edge.stop();
      throw error;
    }
  }

  /** Bytes that went through over TCP, both ways. */
  get tcpBytes(): number {
    return this.#tcp.bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.udp.close(), this.#tcp.close()]);
    await this.edge.stop();
  }
}

/** Passes everything on. */
class TcpRelay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  bytes = 0;

  private constructor(port: number) {
    this.#server = createServer((from) => {
      const to = connect(port, EDGE);
      for (const socket of [from, to]) {
        this.#sockets.add(socket);
        socket.on('data', (data) => (this.bytes += data.length));
        socket.on('error', () => undefined);
        socket.once('close', () => {
          this.#sockets.delete(socket);
          from.destroy();
          to.destroy();
        });
      }
      from.pipe(to).pipe(from);
    });
  }

  static async open(port: number): Promise<TcpRelay> {
    const relay = new TcpRelay(port);
    await new Promise<void>((listening, failed) => {
      relay.#server.once('error', failed).listen(port, RELAY, listening);
    });
    return relay;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}
