import { lookup as dnsLookup } from 'node:dns';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';

const ANSWER_BYTES = 512 * 1024;
const REDIRECTS = 3;

/** Addresses that are not on the public internet (RFC 6890 and its updates). */
const privateAddresses = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  privateAddresses.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 96],
  ['64:ff9b::', 96],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  privateAddresses.addSubnet(network, prefix, 'ipv6');

/** Whether an IP address is one that only this machine or its network reaches. */
export function isPrivateAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return isPrivateAddress(mapped);
  const family = isIP(address);
  return family === 0 || privateAddresses.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

export interface PublicFetchOptions {
  /** Hosts that may be asked; `*.example.com` for those below one. */
  readonly allow: readonly string[];
  readonly signal: AbortSignal;
  /** Resolves a name; the system's where none is given. */
  readonly lookup?: typeof dnsLookup | undefined;
}

export interface PublicAnswer {
  readonly url: string;
  readonly type: string;
  readonly text: string;
}

/**
 * Reads a page of an allowed host by GET. Every hop of a redirect is held against the list, and the address against
 * those that are not public when the connection is made, so that no name can point inside.
 * @throws {Error} that says what is wrong
 */
export async function publicFetch(address: string, options: PublicFetchOptions): Promise<PublicAnswer> {
  let url = new URL(address);
  for (let hop = 0; hop <= REDIRECTS; hop++) {
    assertAllowed(url, options.allow);
    const response = await get(url, options);
    const { statusCode = 0, headers } = response;
    if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
      response.destroy();
      url = new URL(headers.location, url);
      continue;
    }
    if (statusCode !== 200) {
      response.destroy();
      throw new Error(`${url.host} answered ${statusCode}`);
    }
    return { url: url.href, type: headers['content-type'] ?? '', text: await readText(response) };
  }
  throw new Error('too many redirects');
}

export function assertAllowed(url: URL, allow: readonly string[]): void {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new Error(`${url.protocol} is not allowed`);
  if (url.username !== '' || url.password !== '') throw new Error('no credentials in an address');
  const host = url.hostname.toLowerCase();
  const allowed = allow.some((name) => (name.startsWith('*.') ? host.endsWith(name.slice(1)) : host === name));
  if (!allowed) throw new Error(`${host} is not on the list of allowed hosts`);
  const literal = host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(literal) !== 0 && isPrivateAddress(literal)) throw new Error(`${host} is a private address`);
}

function get(url: URL, { signal, lookup = dnsLookup }: PublicFetchOptions): Promise<IncomingMessage> {
  const publicLookup: LookupFunction = (hostname, lookupOptions, callback) => {
    lookup(hostname, { ...lookupOptions, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const found = addresses as { address: string; family: number }[];
      if (found.length === 0 || found.some((one) => isPrivateAddress(one.address))) {
        return callback(new Error(`${hostname} has a private address`), []);
      }
      return lookupOptions.all ? callback(null, found) : callback(null, found[0]!.address, found[0]!.family);
    });
  };
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    request(url, {
      signal,
      lookup: publicLookup,
      headers: {
        accept: 'text/html, text/plain, application/json',
        'accept-encoding': 'identity',
        'user-agent': 'microturn',
      },
    })
      .on('response', resolve)
      .on('error', reject)
      .end();
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, ANSWER_BYTES).toString('utf8');
}
