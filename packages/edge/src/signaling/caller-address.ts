import proxyAddr from '@fastify/proxy-addr';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Whether an address is that of a proxy whose word is taken. */
export type TrustedProxies = (address: string, hop: number) => boolean;

/**
 * @param proxies addresses, networks such as 10.0.0.0/8, or `loopback`, `linklocal`, `uniquelocal`
 * @throws {TypeError} where it is none of these
 */
export function trustedProxies(proxies: readonly string[]): TrustedProxies {
  return proxies.length === 0 ? () => false : proxyAddr.compile([...proxies]);
}

/**
 * The address of whoever called. That of the socket, unless it is a trusted proxy's: then the last one in `X-Forwarded-For`
 * that is not a trusted proxy's itself. What a caller writes there themselves stands before it, and is not believed.
 */
export function callerAddress(request: IncomingMessage, trusted: TrustedProxies): string {
  const said = withoutPort(proxyAddr(request, trusted) ?? '');
  return isIP(said) ? said : (request.socket.remoteAddress ?? '');
}

/** Some proxies add it, which would make an address of every connection. */
function withoutPort(address: string): string {
  return /^\[([\da-f:.]+)\](?::\d+)?$/i.exec(address)?.[1] ?? /^(\d+(?:\.\d+){3}):\d+$/.exec(address)?.[1] ?? address;
}
