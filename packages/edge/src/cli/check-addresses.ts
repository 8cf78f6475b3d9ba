import { isIP } from 'node:net';
import { lookup } from 'node:dns/promises';
import { isLoopback, isPrivate, isWildcard, outsideAddress, ownAddresses } from '../addresses.js';
import type { EdgeConfig } from '../config.js';
import type { CheckResult } from './check-result.js';

/** Whether what callers are told is an address at which they can find this machine. */
export async function checkAddresses({ host, dev, media }: EdgeConfig): Promise<CheckResult> {
  const { listenIp, announcedAddress } = media;
  const own = ownAddresses();
  if (isLoopback(host) && isLoopback(listenIp) && announcedAddress === undefined)
    return { status: 'ok', detail: 'this machine only; --host or --https lets others in' };
  if (isLoopback(listenIp) && announcedAddress === undefined) {
    return {
      status: 'fail',
      detail: `HTTP is open to others on ${host}, but media only to this machine`,
      fix: `set --media-ip to an address of this machine (${own.join(', ') || 'none found'})`,
    };
  }
  if (!isWildcard(listenIp) && !isLoopback(listenIp) && !own.includes(listenIp)) {
    return {
      status: 'fail',
      detail: `media is to listen on ${listenIp}, which this machine has not`,
      fix: `set --media-ip to 0.0.0.0 or one of ${own.join(', ') || 'none found'}`,
    };
  }
  const told = announcedAddress ?? (isWildcard(listenIp) ? await outsideAddress() : listenIp);
  if (told === undefined) {
    return {
      status: 'fail',
      detail: 'this machine is on no network, and callers cannot be told where media goes',
      fix: 'join a network, or set --announced-address',
    };
  }
  return (await problemOf(told)) ?? openness(dev && !isLoopback(host), told, own);
}

/** What is wrong with an address that is told to callers elsewhere. */
async function problemOf(told: string): Promise<CheckResult | undefined> {
  if (isWildcard(told) || isLoopback(told)) {
    return {
      status: 'fail',
      detail: `callers are told ${told}, which leads them to themselves`,
      fix: 'set --announced-address to what callers reach, or leave it out to have it found',
    };
  }
  if (isIP(told)) return undefined;
  const resolved = await lookup(told).catch(() => undefined);
  if (resolved) return undefined;
  return { status: 'fail', detail: `callers are told ${told}, and no such name is known`, fix: 'use an address' };
}

function openness(anybody: boolean, told: string, own: readonly string[]): CheckResult {
  if (anybody) {
    return {
      status: 'warn',
      detail: `callers are told ${told}; --dev gives a token to anybody who reaches this machine`,
      fix: 'use keys and a token endpoint of your own where the network is not yours',
    };
  }
  if (!isIP(told) || own.includes(told)) {
    const near = isIP(told) && isPrivate(told) ? ', which is reached from its own network only' : '';
    return { status: 'ok', detail: `callers are told ${told}${near}` };
  }
  if (isPrivate(told)) {
    return {
      status: 'warn',
      detail: `callers are told ${told}, a private address that this machine has not`,
      fix: `set --announced-address to what callers reach; this machine has ${own.join(', ') || 'none'}`,
    };
  }
  return {
    status: 'ok',
    detail: `callers are told ${told}, which is not this machine’s: its UDP and TCP media port must be forwarded here`,
  };
}
