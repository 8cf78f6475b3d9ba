import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { MicroturnError } from '@microturn/protocol';
import { createWorker, type types } from 'mediasoup';
import { monotonicClock } from '../clock.js';
import { routerCodecs } from './codecs.js';
import { RtcRoom } from './rtc-room.js';

export interface RtcServerOptions {
  readonly listenIp: string;
  /** UDP and TCP; 0 takes one that is free. */
  readonly port: number;
  readonly announcedAddress?: string | undefined;
  /** The worker process is gone, and every room with it. Not called by `close()`. */
  readonly onDied: (message: string) => void;
  /** The worker answers nothing, or does again. One that stays away is ended, and has died then. */
  readonly onStalled?: (stalled: boolean) => void;
}

/** How often the worker is asked for a sign of life, and for how long it may owe one. */
const ASK_MS = 500;
const STALLED_MS = 2000;
const KILL_MS = 10_000;

/** One mediasoup worker and its one port. Owns its rooms. */
export class RtcServer {
  readonly port: number;
  readonly #worker: types.Worker;
  readonly #webRtcServer: types.WebRtcServer;
  readonly #onStalled: (stalled: boolean) => void;
  readonly #watch: NodeJS.Timeout;
  /** When the question was asked that it has not answered yet. */
  #askedAtMs: number | undefined;
  #lookedAtMs = monotonicClock.now();
  #stalled = false;

  private constructor(
    worker: types.Worker,
    webRtcServer: types.WebRtcServer,
    port: number,
    { onDied, onStalled = () => undefined }: RtcServerOptions,
  ) {
    this.#worker = worker;
    this.#webRtcServer = webRtcServer;
    this.#onStalled = onStalled;
    this.port = port;
    this.#watch = setInterval(() => this.#look(), ASK_MS).unref();
    worker.on('died', (error) => {
      clearInterval(this.#watch);
      onDied(error.message);
    });
  }

  /**
   * Starts the worker (the binary is the one that mediasoup finds, or MEDIASOUP_WORKER_BIN) and opens the port.
   * @throws {MicroturnError} `edge/no-worker`, `edge/port-in-use`
   */
  static async create(options: RtcServerOptions): Promise<RtcServer> {
    const worker = await startWorker();
    try {
      // A port that is free now may be taken when it is opened: another is tried, where the choice is ours.
      for (let attempt = 1; ; attempt++) {
        const port = options.port || (await freePort(options.listenIp));
        try {
          const listenInfos = (['udp', 'tcp'] as const).map((protocol) => ({
            protocol,
            ip: options.listenIp,
            port,
            ...(options.announcedAddress ? { announcedAddress: options.announcedAddress } : {}),
          }));
          const webRtcServer = await worker.createWebRtcServer({ listenInfos });
          return new RtcServer(worker, webRtcServer, port, options);
        } catch (cause) {
          if (options.port !== 0 || attempt === 5) throw listenError(cause, options.listenIp, port);
        }
      }
    } catch (error) {
      worker.close();
      throw error;
    }
  }

  get closed(): boolean {
    return this.#worker.closed;
  }

  get pid(): number {
    return this.#worker.pid;
  }

  /** Peak resident memory of the worker process; undefined once it is gone. */
  async rssBytes(): Promise<number | undefined> {
    if (this.#worker.closed) return undefined;
    const usage = await this.#worker.getResourceUsage().catch(() => undefined);
    return usage ? usage.ru_maxrss * 1024 : undefined;
  }

  async createRoom(): Promise<RtcRoom> {
    if (this.closed) throw new MicroturnError('edge/worker-died');
    const router = await this.#worker.createRouter({ mediaCodecs: routerCodecs });
    try {
      return await RtcRoom.create(router, this.#webRtcServer);
    } catch (error) {
      router.close();
      throw MicroturnError.from(error, this.closed ? 'edge/worker-died' : 'edge/internal');
    }
  }

  /** A worker that is stopped, or hangs, closes no socket: nothing but its silence tells. */
  #look(): void {
    const nowMs = monotonicClock.now();
    const stoodStill = nowMs - this.#lookedAtMs > STALLED_MS;
    this.#lookedAtMs = nowMs;
    if (this.#worker.closed) return;
    if (this.#askedAtMs === undefined) {
      this.#askedAtMs = nowMs;
      this.#worker.getResourceUsage().then(
        () => this.#answered(),
        () => undefined,
      );
    } else if (stoodStill) {
      this.#askedAtMs = nowMs; // this process did, and perhaps the worker too
    } else if (nowMs - this.#askedAtMs > KILL_MS) {
      process.kill(this.#worker.pid, 'SIGKILL');
    } else if (nowMs - this.#askedAtMs > STALLED_MS && !this.#stalled) {
      this.#stalled = true;
      this.#onStalled(true);
    }
  }

  #answered(): void {
    this.#askedAtMs = undefined;
    if (!this.#stalled) return;
    this.#stalled = false;
    this.#onStalled(false);
  }

  /** Ends the worker, and waits until its process is gone. */
  async close(): Promise<void> {
    clearInterval(this.#watch);
    if (this.#worker.subprocessClosed) return;
    const gone = new Promise<void>((resolve) => this.#worker.once('subprocessclose', resolve));
    if (!this.#worker.closed) this.#worker.close();
    await gone;
  }
}

async function startWorker(): Promise<types.Worker> {
  try {
    return await createWorker({ logLevel: 'error' });
  } catch (cause) {
    throw new MicroturnError('edge/no-worker', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function listenError(cause: unknown, ip: string, port: number): MicroturnError {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/address already in use|EADDRINUSE/i.test(message)) {
    return new MicroturnError('edge/port-in-use', `${port} (UDP and TCP on ${ip})`, { cause });
  }
  return new MicroturnError('edge/config', `media cannot listen on ${ip} port ${port}: ${message}`, { cause });
}

/** A port that is free for UDP and TCP alike at this moment. */
async function freePort(ip: string): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, ip, () => resolve((server.address() as { port: number }).port));
  }).catch((cause: unknown) => Promise.reject(listenError(cause, ip, 0)));
  const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4');
  const free = await new Promise<boolean>((resolve) => {
    socket.once('error', () => resolve(false));
    socket.bind(port, ip, () => resolve(true));
  });
  await Promise.all([
    new Promise<void>((done) => server.close(() => done())),
    new Promise<void>((done) => (free ? socket.close(() => done()) : done())),
  ]);
  return free ? port : freePort(ip);
}
