import { MicroturnError } from '@microturn/protocol';
import { CallError } from './call-error.js';

/**
 * A token from an edge that gives them to whoever asks.
 * @throws {MicroturnError} `net/unreachable`
 * @throws {CallError} `call/no-token` where it gives none, `call/usage` where the address is none
 */
export async function fetchToken(url: string, room: string | undefined): Promise<string> {
  let address: URL;
  try {
    address = new URL('/dev/token', url);
  } catch (cause) {
    throw new CallError('call/usage', `--url: ${JSON.stringify(url)} is no address`, { cause });
  }
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(room === undefined ? {} : { room_name: room }),
  }).catch((cause: unknown) => {
    throw new MicroturnError('net/unreachable', url, { cause });
  });
  if (!response.ok) throw new CallError('call/no-token', `${url} answered ${response.status}`);
  const { participant_token: token } = (await response.json()) as { participant_token?: unknown };
  if (typeof token !== 'string') throw new CallError('call/no-token', `${url} answered without one`);
  return token;
}
