import { build } from 'esbuild';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import { root } from '../support/root.js';
import { CallError } from './call-error.js';
import { HEADER_BYTES, RECORDED, type PageMessage } from './page/page-messages.js';

const HTML =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>Caller</title><button>Unlock</button><script src="/caller-page.js"></script></html>';

export interface PageServerParts {
  onMessage(message: PageMessage): void;
  /** Interleaved: sent, received. */
  onRecorded(pcm: Int16Array): void;
  /** One packet of the agent's, decoded, with its RTP time and its arrival on the recording's clock. */
  onPacket(rtpTimestamp: number, receivedMs: number, pcm: Int16Array): void;
}

/** Serves the caller's page from memory, on loopback, and takes what the page records. */
export class PageServer {
  readonly url: string;
  readonly #http: Server;
  readonly #sockets: WebSocketServer;

  private constructor(http: Server, sockets: WebSocketServer) {
    this.#http = http;
    this.#sockets = sockets;
    this.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`;
  }

  static async open({ onMessage, onRecorded, onPacket }: PageServerParts): Promise<PageServer> {
    const scripts = await bundles();
    const http = createServer((request, response) => {
      const script = scripts.get(request.url ?? '');
      if (script !== undefined) response.setHeader('content-type', 'text/javascript').end(script);
      else if (request.url === '/') response.setHeader('content-type', 'text/html').end(HTML);
      else response.writeHead(404).end();
    });
    const sockets = new WebSocketServer({ server: http });
    sockets.on('connection', (socket: WebSocket) => {
      socket.on('message', (data: Buffer, isBinary) => {
        if (!isBinary) {
          onMessage(JSON.parse(data.toString('utf8')) as PageMessage);
          return;
        }
        // A copy, since a message need not begin where 16 bit samples may.
        const bytes = new Uint8Array(data).buffer;
        const [kind, rtpTimestamp] = new Uint32Array(bytes, 0, 2) as unknown as [number, number];
        const pcm = new Int16Array(bytes, HEADER_BYTES);
        if (kind === RECORDED) onRecorded(pcm);
        else onPacket(rtpTimestamp, new Float64Array(bytes, 8, 1)[0]!, pcm);
      });
    });
    await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
    return new PageServer(http, sockets);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    this.#http.closeAllConnections();
    await new Promise((closed) => this.#http.close(closed));
  }
}

let built: Promise<ReadonlyMap<string, string>> | undefined;

/** Once per process. */
function bundles(): Promise<ReadonlyMap<string, string>> {
  built ??= bundlePage();
  return built;
}

async function bundlePage(): Promise<ReadonlyMap<string, string>> {
  try {
    const { outputFiles } = await build({
      entryPoints: ['caller-page', 'recorder-worklet', 'content-worker'].map((name) =>
        join(root, 'test/call/page', `${name}.ts`),
      ),
      outdir: '/',
      bundle: true,
      write: false,
      format: 'iife',
      platform: 'browser',
      target: 'es2022',
      legalComments: 'none',
      logLevel: 'silent',
    });
    return new Map(outputFiles.map(({ path, text }) => [`/${path.split(/[\\/]/).at(-1)}`, text]));
  } catch (cause) {
    throw new CallError(
      'call/browser',
      `its page cannot be built: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}
