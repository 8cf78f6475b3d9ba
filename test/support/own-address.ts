import { networkInterfaces } from 'node:os';

/** The machine's address on a network, where it is on one: what another device would call it. */
export function ownAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
}
