import { MicroturnError } from '@microturn/protocol';
import { createSocket } from 'node:dgram';
import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { createServer } from 'node:net';
import { inUrl, isWildcard } from '../addresses.js';
import type { EdgeConfig } from '../config.js';
import type { CheckResult } from './check-result.js';

const ANSWER_MS = 2000;
/** What an edge says at `/v1/recipes` is short. */
const ANSWER_CHARS = 65_536;

/** Whether HTTP and signaling can listen. An edge that runs already is no fault: most ask the doctor while it does. */
export async function checkHttpPort(config: EdgeConfig): Promise<CheckResult> {
  const { host, port } = config;
  return explained(config, async () => {
    await bindTcp(host, port, 'HTTP');
    return { status: 'ok', detail: `${host}:${port} is free` };
  });
}

/** The same of media, over UDP and TCP. */
export async function checkMediaPort(config: EdgeConfig): Promise<CheckResult> {
  const { listenIp, port } = config.media;
  return explained(config, async () => {
    await bindTcp(listenIp, port, 'media over TCP');
    await bindUdp(listenIp, port);
    return { status: 'ok', detail: `${listenIp}:${port} is free for UDP and TCP` };
  });
}

async function explained(config: EdgeConfig, check: () => Promise<CheckResult>): Promise<CheckResult> {
  try {
    return await check();
  } catch (cause) {
    const error = MicroturnError.from(cause, 'edge/internal');
    if (error.code !== 'edge/port-in-use') throw cause;
    const url = await edgeAt(config);
    if (url !== undefined) {
      return {
        status: 'warn',
        detail: `${error.message}; an edge seems to be running, at ${url}`,
        fix: 'nothing, where that is the one you mean; another needs ports of its own (--port, --media-port)',
      };
    }
    return {
      status: 'fail',
      detail: `${error.message} (${error.code})`,
      fix: `${error.hint}; where an edge of yours has it, give its flags here as well`,
    };
  }
}

/** The address of an edge that answers where this one would. */
async function edgeAt({ host, port }: EdgeConfig): Promise<string | undefined> {
  const name = isWildcard(host) ? 'localhost' : inUrl(host);
  for (const scheme of ['http', 'https'] as const) {
    const url = `${scheme}://${name}:${port}`;
    const text = await read(scheme, `${url}/v1/recipes`).catch(() => '');
    if (text.startsWith('{"recipes":[')) return url;
  }
  return undefined;
}

function read(scheme: 'http' | 'https', url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { agent: false } as const;
    // Its certificate may be one of its own: nothing but whether it answers is wanted of it.
    const request =
      scheme === 'http' ? getHttp(url, options) : getHttps(url, { ...options, rejectUnauthorized: false });
    const giveUp = setTimeout(() => request.destroy(new Error('no answer')), ANSWER_MS);
    request.once('error', reject).once('close', () => clearTimeout(giveUp));
    request.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
        if (text.length > ANSWER_CHARS) request.destroy(new Error('too long'));
      });
      response.once('error', reject).once('end', () => resolve(text));
    });
  });
}

function bindTcp(host: string, port: number, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE')
        reject(new MicroturnError('edge/port-in-use', `${what}, ${host}:${port}`, { cause }));
      else
        reject(
          new MicroturnError('edge/config', `${what}: cannot listen on ${host}:${port} (${cause.code})`, { cause }),
        );
    });
    server.listen(port, host, () => server.close(() => resolve()));
  });
}

function bindUdp(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', (cause) =>
      reject(new MicroturnError('edge/port-in-use', `media over UDP, ${host}:${port}`, { cause })),
    );
    socket.bind(port, host, () => socket.close(() => resolve()));
  });
}
