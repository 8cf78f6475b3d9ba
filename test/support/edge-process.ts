import { AccessToken, type VideoGrant } from 'livekit-server-sdk';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { root } from './root.js';

const MAIN = join(root, 'packages/edge/dist/main.js');
const START_MS = 30_000;
const STOP_MS = 10_000;
/** A command that ends by itself does so in seconds, or in as many as a busy machine needs for a call of its own. */
const COMMAND_MS = 120_000;

export interface EdgeProcessOptions {
  /** Flags of `microturn start`, beyond the loopback ports that are chosen here. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly nodeArgs?: readonly string[];
  /** Files and sockets that it may have open at once. */
  readonly openFiles?: number;
  /** Gives tokens at /dev/token; default true. */
  readonly dev?: boolean;
  /** Takes the place of one that was killed: its ports, and its key. */
  readonly after?: EdgeProcess;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

const running = new Set<Child>();
// A test runner that is stopped leaves no edge behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A real edge, in a process of its own, on loopback ports that the system chose. */
export class EdgeProcess implements AsyncDisposable {
  readonly key: string;
  readonly secret: string;
  readonly url: string;
  readonly mediaPort: number;
  readonly #run: Run;

  private constructor(run: Run, fields: { key: string; secret: string; url: string; mediaPort: number }) {
    this.#run = run;
    this.key = fields.key;
    this.secret = fields.secret;
    this.url = fields.url;
    this.mediaPort = fields.mediaPort;
  }

  /** @throws {Error} with what it printed, where it does not come up */
  static async start({
    args = [],
    env = {},
    nodeArgs = [],
    openFiles,
    dev = true,
    after,
  }: EdgeProcessOptions = {}): Promise<EdgeProcess> {
    const { key, secret } = after ?? {
      key: `test${randomBytes(4).toString('hex')}`,
      secret: randomBytes(32).toString('hex'),
    };
    const ports = after ? [new URL(after.url).port, String(after.mediaPort)] : ['0', '0'];
    const run = new Run(
      [
        ...[...nodeArgs, MAIN, 'start', '--port', ports[0]!, '--media-port', ports[1]!],
        ...(dev ? ['--dev'] : []),
        ...args,
      ],
      {
        // In the environment, since arguments can be seen by other users of the machine.
        MICROTURN_KEYS: `${key}:${secret}`,
        ...env,
      },
      openFiles,
    );
    // The log is for machines; what it prints is for people, and may be worded anew.
    const line = await run.untilLogged('the edge is up');
    const { url, mediaPort } = line as { url: string; mediaPort: number };
    return new EdgeProcess(run, { key, secret, url, mediaPort });
  }

  get pid(): number {
    return this.#run.child.pid!;
  }
  get webSocketUrl(): string {
    return `${this.url.replace(/^http/, 'ws')}/v1/connect`;
  }
  /** What it logged. */
  get stderr(): string {
    return this.#run.stderr;
  }
  get stdout(): string {
    return this.#run.stdout;
  }
  get alive(): boolean {
    return this.#run.child.exitCode === null && this.#run.child.signalCode === null;
  }

  /** A token for `room`, with the grants of an ordinary participant unless others are given. */
  token({
    room = 'test',
    identity = `caller-${randomBytes(4).toString('hex')}`,
    grant,
    ttlSeconds = 600,
  }: TokenOptions = {}): Promise<string> {
    const token = new AccessToken(this.key, this.secret, { identity, ttl: ttlSeconds });
    token.addGrant(grant ?? { roomJoin: true, room, canPublish: true, canSubscribe: true });
    return token.toJwt();
  }

  /** The metrics, by their names with labels. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
    );
  }

  /** As a crash or the kernel does it: without a word. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#run.child.kill('SIGKILL');
    await this.#run.exited;
  }

  /** Nobody reads what it prints any more, and its pipes fill up. */
  stopReading(): void {
    this.#run.pause();
  }

  /** Asks it to end, and resolves with its exit code. Stopping twice is harmless. */
  stop(): Promise<number | null> {
    return this.#run.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

export interface TokenOptions {
  readonly room?: string;
  readonly identity?: string;
  readonly grant?: VideoGrant;
  readonly ttlSeconds?: number;
}

export interface CommandResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `microturn …` to its end: for what refuses to start, or only prints. */
export async function microturn(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
  const run = new Run([MAIN, ...args], env);
  const timer = setTimeout(() => void run.stop(), COMMAND_MS);
  const exitCode = await run.exited;
  clearTimeout(timer);
  return { exitCode, stdout: run.stdout, stderr: run.stderr };
}

class Run {
  readonly child: Child;
  readonly exited: Promise<number | null>;
  stdout = '';
  stderr = '';
  #changed: (() => void) | undefined;

  constructor(args: readonly string[], env: NodeJS.ProcessEnv, openFiles?: number) {
    const command = [process.execPath, ...args];
    // The shell becomes the edge, so its process id is the edge's.
    if (openFiles !== undefined) command.unshift('/bin/sh', '-c', `ulimit -n ${openFiles} && exec "$@"`, 'sh');
    this.child = spawn(command[0]!, command.slice(1), {
      env: { ...cleanEnv(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this.child);
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => this.#note('stdout', text));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => this.#note('stderr', text));
    this.exited = new Promise((resolve) => {
      // `close` and not `exit`: by then everything it printed has been read.
      this.child.once('close', (code) => {
        running.delete(this.child);
        resolve(code);
        this.#changed?.();
      });
    });
  }

  /** The log line with this message. */
  async untilLogged(message: string): Promise<object> {
    const deadline = performance.now() + START_MS;
    for (;;) {
      const line = this.stderr.split('\n').find((text) => text.endsWith(`"msg":"${message}"}`));
      if (line !== undefined) return JSON.parse(line) as object;
      if (this.child.exitCode !== null || performance.now() > deadline) {
        await this.stop();
        throw new Error(`the edge did not come up (exit code ${this.child.exitCode})\n${this.stdout}\n${this.stderr}`);
      }
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
        setTimeout(resolve, 1_000);
      });
    }
  }

  async stop(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    const code = await this.exited;
    clearTimeout(timer);
    return code;
  }

  /** What it prints waits to be read, until it has ended. */
  pause(): void {
    const pipes = [this.child.stdout, this.child.stderr];
    for (const pipe of pipes) pipe.pause();
    this.child.once('exit', () => pipes.forEach((pipe) => pipe.resume()));
  }

  #note(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text;
    this.#changed?.();
  }
}

/** Without the configuration or the sessions of whoever runs the tests, but for the worker, which every edge needs. */
function cleanEnv(): NodeJS.ProcessEnv {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MICROTURN_')));
  return { ...env, MICROTURN_STORE: 'memory' };
}
