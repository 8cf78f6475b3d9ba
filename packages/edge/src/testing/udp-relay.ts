import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { monotonicClock } from '../clock.js';
import { ImpairedPath, type Impairments, type PathStats } from './impaired-path.js';

export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

export interface UdpRelayOptions {
  /** Where clients send to; port 0 takes one that is free. */
  readonly listen: SocketAddress;
  /** Where it goes on to. */
  readonly target: SocketAddress;
  /** Of what happens by chance; default 1. */
  readonly seed?: number;
}

/** Clients at once; packets of others are dropped. */
const MAX_CLIENTS = 64;

interface Client {
  readonly up: ImpairedPath;
  readonly down: ImpairedPath;
  /** Faces the target, which sees this socket's port as the client's: as behind a NAT. */
  socket: Socket;
}

/**
 * A UDP relay between clients and one server that does to packets what networks do, the same for the same seed. It
 * stands in for the server's address: an edge that announces the relay's is reached through it.
 */
export class UdpRelay implements AsyncDisposable {
  readonly #listener: Socket;
  readonly #target: SocketAddress;
  readonly #seed: number;
  readonly #clients = new Map<string, Client>();
  #up: Impairments = {};
  #down: Impairments = {};
  #closed: Promise<void> | undefined;

  private constructor(listener: Socket, { target, seed = 1 }: UdpRelayOptions) {
    this.#listener = listener;
    this.#target = target;
    this.#seed = seed;
    listener.on('message', (packet, from) => this.#clientFor(from)?.up.send(packet));
  }

  /** @throws {Error} as `bind` does, where the address is taken or not this machine's */
  static async open(options: UdpRelayOptions): Promise<UdpRelay> {
    const listener = await bind(options.listen);
    return new UdpRelay(listener, options);
  }

  /** Where it listens. */
  get address(): SocketAddress {
    const { address, port } = this.#listener.address();
    return { address, port };
  }

  /** Of all clients together. `up` is towards the target. */
  get stats(): { readonly up: PathStats; readonly down: PathStats } {
    const clients = [...this.#clients.values()];
    return { up: sum(clients.map(({ up }) => up.stats)), down: sum(clients.map(({ down }) => down.stats)) };
  }

  /** From now on, each way, for every client; the ways differ where both are given. */
  impair(up: Impairments, down: Impairments = up): void {
    this.#up = up;
    this.#down = down;
    for (const client of this.#clients.values()) {
      client.up.impair(up);
      client.down.impair(down);
    }
  }

  /** Every client comes from another port from now on, and nothing finds its way back to the old one. */
  async rebind(): Promise<void> {
    await Promise.all(
      [...this.#clients.values()].map(async (client) => {
        const old = client.socket;
        client.socket = this.#facing(client.down);
        await close(old);
      }),
    );
  }

  /** Nothing arrives any more. Closing twice is harmless. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const clients = [...this.#clients.values()];
    for (const { up, down } of clients) {
      up.close();
      down.close();
    }
    await Promise.all([close(this.#listener), ...clients.map(({ socket }) => close(socket))]);
  }

  #clientFor({ address, port }: SocketAddress): Client | undefined {
    const key = `${address} ${port}`;
    const known = this.#clients.get(key);
    if (known || this.#closed || this.#clients.size >= MAX_CLIENTS) return known;
    // Both ways of every client have chances of their own, in the order in which clients come.
    const seed = this.#seed + 2 * this.#clients.size;
    const up = this.#path(seed, this.#up, (packet) => {
      client.socket.send(packet, this.#target.port, this.#target.address);
    });
    const down = this.#path(seed + 1, this.#down, (packet) => this.#listener.send(packet, port, address));
    const client: Client = { up, down, socket: this.#facing(down) };
    this.#clients.set(key, client);
    return client;
  }

  #path(seed: number, impairments: Impairments, deliver: (packet: Uint8Array) => void): ImpairedPath {
    const path = new ImpairedPath({ clock: monotonicClock, after, seed, deliver });
    path.impair(impairments);
    return path;
  }

  #facing(down: ImpairedPath): Socket {
    const socket = createSocket(isIPv6(this.#target.address) ? 'udp6' : 'udp4');
    socket.on('message', (packet) => down.send(packet));
    // As a network has it: what cannot be sent is lost.
    socket.on('error', () => undefined);
    return socket;
  }
}

function after(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

function bind({ address, port }: SocketAddress): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    socket.once('error', reject);
    socket.bind(port, address, () => {
      socket.off('error', reject);
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

function close(socket: Socket): Promise<void> {
  return new Promise((closed) => {
    socket.close(() => closed());
  });
}

function sum(all: readonly PathStats[]): PathStats {
  const total = { taken: 0, delivered: 0, lost: 0, dropped: 0, reordered: 0, duplicated: 0, replayed: 0 };
  for (const stats of all) for (const key of Object.keys(total) as (keyof PathStats)[]) total[key] += stats[key];
  return total;
}
