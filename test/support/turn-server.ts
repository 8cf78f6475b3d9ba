import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';

const ADDRESS = '127.0.0.1';
const START_MS = 10_000;

/** Whether coturn is on this machine: `apt-get install coturn`. */
export function hasTurnServer(): boolean {
  try {
    execFileSync('turnserver', ['--version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    // It says its version with an exit code of its own.
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

/** coturn on loopback, which relays to loopback: as no other one may. */
export class TurnServer implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;
  #log = '';

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
  }

  /** @param certificate files in PEM: the server is reached over TLS with them, and not by UDP */
  static async start(
    secret: string,
    certificate?: { readonly cert: string; readonly key: string },
  ): Promise<TurnServer> {
    const port = await freePort();
    const args = ['-n', '--listening-ip', ADDRESS, '--relay-ip', ADDRESS];
    if (certificate)
      args.push('--tls-listening-port', String(port), '--cert', certificate.cert, '--pkey', certificate.key);
    else args.push('--listening-port', String(port), '--no-tls');
    if (certificate) args.push('--listening-port', String(await freePort()), '--no-udp', '--no-tcp');
    args.push('--use-auth-secret', '--static-auth-secret', secret, '--realm', 'test', '--allow-loopback-peers');
    args.push('--no-dtls', '--no-cli', '--log-file', 'stdout', '--simple-log', '--pidfile', '/dev/null');
    const child = spawn('turnserver', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const server = new TurnServer(
      child,
      certificate ? `turns:${ADDRESS}:${port}` : `turn:${ADDRESS}:${port}?transport=udp`,
    );
    const deadline = performance.now() + START_MS;
    while (!/Total General servers/.test(server.#log)) {
      if (child.exitCode !== null || performance.now() > deadline) {
        await server[Symbol.asyncDispose]();
        throw new Error(`coturn did not come up\n${server.#log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return server;
  }

  /** What it logged. */
  get log(): string {
    return this.#log;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((closed) => this.#child.once('close', closed));
    this.#child.kill('SIGKILL');
    await gone;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, ADDRESS, listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
