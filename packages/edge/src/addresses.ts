import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Reserved for documentation (RFC 5737, RFC 3849), so on no network: the way there is the way to everywhere. */
const ELSEWHERE = { udp4: '203.0.113.1', udp6: '2001:db8::1' } as const;
const DISCARD_PORT = 9;

/** Whether an address is this machine's own and reached by nobody else. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address === 'localhost';
}

/** Whether it stands for all addresses of this machine, so that callers cannot be told it. */
export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** Whether it is of a private network (RFC 1918, RFC 4193, link-local), which callers elsewhere do not reach. */
export function isPrivate(address: string): boolean {
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|f[cd]|fe[89ab])/i.test(address);
}

/** As it stands in a URL. */
export function inUrl(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}

/** What this machine is reached at by others; link-local addresses, which need a zone, are left out. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !/^fe[89ab]/i.test(address))
    .map(({ address }) => address);
}

/**
 * The address that a machine with several (containers, VPNs) is most likely reached at: that of the way out, else the
 * first it has. Undefined where it is on no network.
 */
export async function outsideAddress(): Promise<string | undefined> {
  const own = ownAddresses();
  const first = own.find((address) => !isIPv6(address)) ?? own[0];
  return (await addressOfRoute('udp4')) ?? (first && isIPv6(first) ? await addressOfRoute('udp6') : undefined) ?? first;
}

/** Connecting a UDP socket sends nothing: it only asks for the route. */
function addressOfRoute(type: keyof typeof ELSEWHERE): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(type);
    const done = (address: string | undefined) => {
      socket.close();
      resolve(address !== undefined && !isLoopback(address) ? address : undefined);
    };
    socket.once('error', () => done(undefined));
    socket.connect(DISCARD_PORT, ELSEWHERE[type], () => done(socket.address().address));
  });
}
