import { createSocket } from 'node:dgram';
import { connect as connectTcp, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { lookup } from 'node:dns/promises';
import { parseIceUrl, type IceUrl } from '../signaling/ice-servers.js';
import {
  ALLOCATE,
  BINDING,
  REFRESH,
  decodeResponse,
  encodeRequest,
  type Login,
  type StunRequest,
  type StunResponse,
} from './stun-message.js';

const ANSWER_MS = 1500;
const TRIES = 2;
const UNAUTHORIZED = 401;
/** The nonce has grown old. */
const STALE = 438;

/**
 * Asks a STUN server for an answer, or a TURN server for a relayed address, which is given back at once.
 * @returns what was found, for people
 * @throws {Error} what went wrong, for people
 */
export async function probeIceServer(
  url: string,
  credentials?: { username: string; credential: string },
): Promise<string> {
  const parsed = parseIceUrl(url);
  const line = await openLine(parsed);
  try {
    if (parsed.scheme.startsWith('stun')) {
      await line.ask(encodeRequest(BINDING));
      return 'answers';
    }
    if (!credentials) throw new Error('has no credentials: set username and credential, or secret');
    const challenge = await line.ask(encodeRequest(ALLOCATE));
    let login = loginFor(challenge, credentials);
    if (!login) throw new Error(`refused (${challenge.errorCode} ${challenge.reason})`);
    let answer = await line.ask(encodeRequest(ALLOCATE, { login }));
    if (answer.errorCode === STALE) {
      login = loginFor(answer, credentials) ?? login;
      answer = await line.ask(encodeRequest(ALLOCATE, { login }));
    }
    if (answer.errorCode === UNAUTHORIZED)
      throw new Error('does not take the credentials: is it the same secret, and are the clocks right?');
    if (!answer.success) throw new Error(`refused (${answer.errorCode} ${answer.reason})`);
    await line.ask(encodeRequest(REFRESH, { login, lifetime: 0 })).catch(() => undefined);
    const { relayed } = answer;
    return `relays${relayed ? `, from ${relayed.address}` : ''}`;
  } finally {
    line.close();
  }
}

function loginFor(
  { realm, nonce }: StunResponse,
  credentials: { username: string; credential: string },
): Login | undefined {
  return realm && nonce && { ...credentials, realm, nonce };
}

interface Line {
  ask(request: StunRequest): Promise<StunResponse>;
  close(): void;
}

async function openLine({ host, port, transport }: IceUrl): Promise<Line> {
  const { address } = await lookup(host).catch(() => {
    throw new Error(`no address is known for ${host}`);
  });
  return transport === 'udp'
    ? udpLine(address, port)
    : streamLine(address, port, transport === 'tls' ? host : undefined);
}

function udpLine(address: string, port: number): Line {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  // What cannot be sent is not answered.
  socket.on('error', () => undefined);
  return lineOver(
    (bytes) => socket.send(bytes, port, address),
    (onBytes) => socket.on('message', onBytes),
    () => socket.close(),
  );
}

async function streamLine(address: string, port: number, servername: string | undefined): Promise<Line> {
  const socket: Socket =
    servername === undefined ? connectTcp(port, address) : connectTls({ host: address, port, servername });
  await new Promise<void>((connected, failed) => {
    socket.once(servername === undefined ? 'connect' : 'secureConnect', connected);
    socket.once('error', failed);
    socket.setTimeout(ANSWER_MS * TRIES, () => failed(new Error('does not let anybody connect')));
  }).catch((cause: unknown) => {
    socket.destroy();
    throw cause;
  });
  socket.setTimeout(0).on('error', () => undefined);
  let received = Buffer.alloc(0);
  return lineOver(
    (bytes) => socket.write(bytes),
    (onBytes) =>
      socket.on('data', (data) => {
        received = Buffer.concat([received, data]);
        // An answer is in one piece or waits for its end; there is one at a time.
        if (decodeResponse(received)) {
          onBytes(received);
          received = Buffer.alloc(0);
        }
      }),
    () => socket.destroy(),
  );
}

function lineOver(
  send: (bytes: Buffer) => void,
  listen: (onBytes: (bytes: Buffer) => void) => void,
  close: () => void,
): Line {
  const waiting = new Set<(response: StunResponse) => void>();
  listen((bytes) => {
    const response = decodeResponse(bytes);
    if (response) for (const take of waiting) take(response);
  });
  return {
    async ask({ transaction, bytes }) {
      for (let left = TRIES; left > 0; left--) {
        const response = await new Promise<StunResponse | undefined>((resolve) => {
          const done = (response?: StunResponse) => {
            clearTimeout(timer);
            waiting.delete(take);
            resolve(response);
          };
          const take = (response: StunResponse) => response.transaction.equals(transaction) && done(response);
          const timer = setTimeout(done, ANSWER_MS);
          waiting.add(take);
          send(bytes);
        });
        if (response) return response;
      }
      throw new Error('does not answer');
    },
    close,
  };
}
