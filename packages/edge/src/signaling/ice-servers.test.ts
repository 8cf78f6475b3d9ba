import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { iceServersFor } from './ice-servers.js';

const turn = { urls: ['turn:turn.example:3478'], secret: 'north', ttlSeconds: 3600 };
const NOW_MS = 1_700_000_000_500;

/** `printf %s $username | openssl dgst -sha1 -hmac north -binary | base64`, as coturn's documentation has it. */
function expected(username: string): string {
  const digest = execFileSync('openssl', ['dgst', '-sha1', '-hmac', 'north', '-binary'], { input: username });
  return digest.toString('base64');
}

describe('the ICE servers of a caller', () => {
  it('have credentials that end, made from the secret as coturn makes them', () => {
    const [server] = iceServersFor([turn], 'kitchen/ann', NOW_MS);
    expect(server?.urls).toEqual(turn.urls);
    expect(server?.username).toMatch(/^1700003600:[\w-]{16}$/);
    expect(server?.credential).toBe(expected(server!.username!));
    expect(iceServersFor([turn], 'kitchen/ann', NOW_MS)).toEqual([server]);
    expect(JSON.stringify(server)).not.toMatch(/north|ann|kitchen/);
  });

  it('are of that caller alone, and of that hour', () => {
    const credentials = [
      ...iceServersFor([turn], 'kitchen/ann', NOW_MS),
      ...iceServersFor([turn], 'kitchen/bob', NOW_MS),
      ...iceServersFor([turn], 'kitchen/ann', NOW_MS + 1000),
      ...iceServersFor([{ ...turn, secret: 'south' }], 'kitchen/ann', NOW_MS),
    ].map(({ credential }) => credential);
    expect(new Set(credentials).size).toBe(4);
  });

  it('are as they are configured where there is no secret', () => {
    const stun = { urls: 'stun:stun.example', ttlSeconds: 3600 };
    const fixed = { urls: 'turns:turn.example', username: 'u', credential: 'c', ttlSeconds: 3600 };
    expect(iceServersFor([stun, fixed], 'ann', NOW_MS)).toEqual([
      { urls: 'stun:stun.example' },
      { urls: 'turns:turn.example', username: 'u', credential: 'c' },
    ]);
  });
});
