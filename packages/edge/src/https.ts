import { hostname } from 'node:os';
import { isIPv6 } from 'node:net';
import { isWildcard, outsideAddress, ownAddresses } from './addresses.js';
import type { EdgeConfig } from './config.js';
import { ownCertificate, readCertificate, type Certificate } from './signaling/certificate.js';

/** The labels of RFC 1123, which is all that a certificate may name. */
const HOST_NAME = /^(?!-)[a-z\d-]{1,63}(?<!-)(\.(?!-)[a-z\d-]{1,63}(?<!-))*$/i;

/**
 * What HTTPS is to be served with; undefined where it is off.
 * @throws {MicroturnError} `edge/config`
 */
export async function certificateFor(config: EdgeConfig): Promise<Certificate | undefined> {
  const { enabled, cert, key } = config.https;
  if (!enabled) return undefined;
  if (cert !== undefined && key !== undefined) return readCertificate(cert, key);
  return ownCertificate(config.stateFolder, await namesOf(config));
}

/** What this edge may be called in an address bar. */
async function namesOf({ host, media: { announcedAddress } }: EdgeConfig): Promise<string[]> {
  // IPv6 addresses of a machine change by the day, and nobody types them.
  const own = ownAddresses().filter((address) => !isIPv6(address));
  const machine = hostname().toLowerCase();
  const names = [host, 'localhost', '127.0.0.1', '::1', ...own, machine, `${machine}.local`];
  for (const name of [announcedAddress, await outsideAddress()]) if (name !== undefined) names.push(name);
  return [...new Set(names)].filter((name) => !isWildcard(name) && (name.includes(':') || HOST_NAME.test(name)));
}
