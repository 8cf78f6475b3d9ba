import wrtc from '@roamhq/wrtc';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BINARY = '/usr/bin/janus';
const START_MS = 15_000;

/** Whether Debian's `janus` is on this machine. */
export const hasJanus = existsSync(BINARY);

/** Janus with its echo test and nothing else, on loopback, in a process of its own. */
export class Janus implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #url: string;

  private constructor(child: ChildProcess, folder: string, url: string) {
    this.#child = child;
    this.#folder = folder;
    this.#url = url;
  }

  static async start(): Promise<Janus> {
    const folder = await mkdtemp(join(tmpdir(), 'microturn-janus-'));
    const port = await freePort();
    const files = {
      'janus.jcfg': `
        general: { interface = "127.0.0.1", debug_level = 2 }
        nat: { ice_enforce_list = "127.0.0.1" }
        plugins: { disable = "${others('plugin')}" }
        transports: { disable = "${others('transport')}" }
        loggers: { disable = "libjanus_jsonlog.so" }
      `,
      'janus.transport.http.jcfg': `
        general: { json = "compact", base_path = "/janus", http = true, port = ${port}, ip = "127.0.0.1", https = false }
        admin: { admin_http = false, admin_https = false }
      `,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const child = spawn(BINARY, ['--configs-folder', folder, '--disable-colors'], { stdio: 'ignore' });
    const janus = new Janus(child, folder, `http://127.0.0.1:${port}/janus`);
    try {
      await janus.#untilUp();
    } catch (error) {
      await janus[Symbol.asyncDispose]();
      throw error;
    }
    return janus;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Calls the echo test; resolves with the track that comes back. */
  async echo(track: MediaStreamTrack): Promise<{ track: MediaStreamTrack; close(): void }> {
    const session = `${this.#url}/${await this.#create(this.#url, { janus: 'create' })}`;
    const handle = `${session}/${await this.#create(session, { janus: 'attach', plugin: 'janus.plugin.echotest' })}`;
    const peer = new wrtc.RTCPeerConnection();
    const returned = new Promise<MediaStreamTrack>((resolve) => {
      peer.ontrack = ({ track }: { track: MediaStreamTrack }) => resolve(track);
    });
    peer.addTrack(track);
    await peer.setLocalDescription(await peer.createOffer());
    while (peer.iceGatheringState !== 'complete') await new Promise((resolve) => setTimeout(resolve, 20));
    const { type, sdp } = peer.localDescription!;
    await this.#post(handle, { janus: 'message', body: { audio: true, video: false }, jsep: { type, sdp } });
    for (;;) {
      const event = (await (await fetch(`${session}?maxev=1`)).json()) as { jsep?: RTCSessionDescriptionInit };
      if (!event.jsep) continue;
      await peer.setRemoteDescription(event.jsep);
      return { track: await returned, close: () => peer.close() };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
      await exited;
      clearTimeout(timer);
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #untilUp(): Promise<void> {
    for (const deadline = performance.now() + START_MS; performance.now() < deadline;) {
      if (this.#child.exitCode !== null) throw new Error(`janus ended with exit code ${this.#child.exitCode}`);
      const info = await fetch(`${this.#url}/info`).catch(() => undefined);
      if (info?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`janus did not answer in ${START_MS} ms`);
  }

  async #create(url: string, message: object): Promise<number> {
    const { data } = (await this.#post(url, message)) as { data: { id: number } };
    return data.id;
  }

  async #post(url: string, message: object): Promise<unknown> {
    const body = JSON.stringify({ ...message, transaction: String(performance.now()) });
    const reply = (await (await fetch(url, { method: 'POST', body })).json()) as { error?: { reason: string } };
    if (reply.error) throw new Error(`janus: ${reply.error.reason}`);
    return reply;
  }
}

/** What Debian's package brings besides, some of which wants configuration or ports. */
function others(kind: 'plugin' | 'transport'): string {
  const names = {
    plugin: 'audiobridge duktape lua nosip recordplay sip streaming textroom videocall videoroom voicemail'.split(' '),
    transport: 'mqtt nanomsg pfunix rabbitmq websockets'.split(' '),
  }[kind];
  return names.map((name) => `libjanus_${name}.so`).join(',');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
