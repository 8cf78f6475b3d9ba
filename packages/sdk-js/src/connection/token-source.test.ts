import { describe, expect, it, vi } from 'vitest';
import { TokenSource } from './token-source.js';

function endpoint(response: Response | Error) {
  const fetch = vi.fn<typeof globalThis.fetch>(() =>
    response instanceof Error ? Promise.reject(response) : Promise.resolve(response),
  );
  return { fetch, source: TokenSource.endpoint('https://app.example/token', { fetch, headers: { 'x-app': '1' } }) };
}

describe('TokenSource.endpoint', () => {
  it('speaks the JSON of LiveKit’s token endpoints', async () => {
    const { fetch, source } = endpoint(Response.json({ server_url: 'wss://edge', participant_token: 'jwt', other: 1 }));
    expect(await source.fetch({ roomName: 'lobby', participantName: 'Ada' })).toEqual({
      serverUrl: 'wss://edge',
      participantToken: 'jwt',
    });
    const [url, init] = fetch.mock.calls[0] ?? [];
    expect(url).toBe('https://app.example/token');
    expect(init).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json', 'x-app': '1' } });
    expect(JSON.parse(String(init?.body))).toEqual({ room_name: 'lobby', participant_name: 'Ada' });

    const again = endpoint(Response.json({ participant_token: 'jwt' }));
    await again.source.fetch({ roomName: 'lobby', participantIdentity: 'ada-7' });
    expect(JSON.parse(String(again.fetch.mock.calls[0]?.[1]?.body))).toEqual({
      room_name: 'lobby',
      participant_identity: 'ada-7',
    });
  });

  it('takes the spelling of the protobuf JSON too', async () => {
    const { source } = endpoint(Response.json({ serverUrl: 'wss://edge', participantToken: 'jwt' }));
    expect(await source.fetch({})).toEqual({ serverUrl: 'wss://edge', participantToken: 'jwt' });
  });

  it.each([
    [new Response('', { status: 401 }), 'auth/denied'],
    [new Response('', { status: 403 }), 'auth/denied'],
    [new Response('', { status: 404 }), 'auth/no-endpoint'],
    [new Response('', { status: 405 }), 'auth/no-endpoint'],
    [new Response('', { status: 500 }), 'net/unreachable'],
    [Response.json({}), 'auth/denied'],
    [new Response('<html>'), 'net/unreachable'],
    [new TypeError('Failed to fetch'), 'net/unreachable'],
  ])('rejects with a code (%#)', async (response, code) => {
    await expect(endpoint(response).source.fetch({})).rejects.toMatchObject({ name: 'MicroturnError', code });
  });

  it.each([
    [new Response('', { status: 404 }), 'there is no token endpoint: https://app.example/token answered 404'],
    [new Response('<html>'), 'https://app.example/token answered with no JSON'],
    [Response.json({ token: 'jwt' }), 'answered with JSON without a participant_token'],
    [new TypeError('Failed to fetch'), 'the token endpoint https://app.example/token'],
  ])('says which endpoint, and what is wrong with it (%#)', async (response, message) => {
    await expect(endpoint(response).source.fetch({})).rejects.toThrow(message);
  });
});

describe('TokenSource.endpoint outside of a page', () => {
  it('says that a relative address leads nowhere', async () => {
    await expect(TokenSource.endpoint('/dev/token').fetch({})).rejects.toMatchObject({
      code: 'net/unreachable',
      message: expect.stringContaining('/dev/token is relative, and there is no page') as unknown,
    });
    await expect(TokenSource.endpoint('http://127.0.0.1:1/token').fetch({})).rejects.toThrow(/1\/token$/);
  });
});

describe('TokenSource.literal and .custom', () => {
  it('give what they were given', async () => {
    expect(await TokenSource.literal({ participantToken: 'a' }).fetch({})).toEqual({ participantToken: 'a' });
    const custom = TokenSource.custom(({ roomName }) => Promise.resolve({ participantToken: `for ${roomName}` }));
    expect(await custom.fetch({ roomName: 'x' })).toEqual({ participantToken: 'for x' });
  });
});
