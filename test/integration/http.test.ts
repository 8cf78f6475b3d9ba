import { limits } from '@microturn/protocol';
import { AccessToken, type VideoGrant } from 'livekit-server-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeProcess } from '../support/edge-process.js';
import { SocketClient } from '../support/socket-client.js';
import { TemporaryFolder } from '../support/temporary-folder.js';
import { mkdir, writeFile } from 'node:fs/promises';

interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string };
}

let edge: EdgeProcess;
beforeAll(async () => {
  edge = await EdgeProcess.start();
});
afterAll(() => edge?.stop());

const get = (path: string, init?: RequestInit) => fetch(`${edge.url}${path}`, init);

describe('the probes', () => {
  it('say that the edge lives, and that it takes callers', async () => {
    expect(await (await get('/healthz')).json()).toEqual({ status: 'ok' });
    expect(await (await get('/readyz')).json()).toEqual({ status: 'ready' });
    expect(await (await get('/version')).json()).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
    });
  });

  it('show metrics of sessions, of turns and of refusals', async () => {
    using client = await SocketClient.join(edge.webSocketUrl, await edge.token());
    await client.until('stats', (message) => message.type === 'stats');
    await expect(SocketClient.join(edge.webSocketUrl, 'no token')).rejects.toMatchObject({ code: 'auth/denied' });
    const metrics = await edge.metrics();
    expect(metrics.get('microturn_sessions')).toBe(1);
    expect(metrics.get('microturn_joins_total{outcome="ok"}')).toBe(1);
    expect(metrics.get('microturn_joins_total{outcome="auth/denied"}')).toBe(1);
    expect(metrics.get('microturn_turns_total')).toBeGreaterThanOrEqual(5);
    expect([...metrics.keys()]).toContain('microturn_step_seconds_bucket{le="0.2"}');
    for (const thread of ['media', 'engine']) {
      const heap = (of: string) => metrics.get(`microturn_thread_heap_bytes{thread="${thread}",of="${of}"}`) ?? 0;
      expect(heap('used')).toBeGreaterThan(2 ** 20);
      expect(heap('held')).toBeGreaterThanOrEqual(heap('used'));
    }
  });
});

describe('/dev/token', () => {
  const tokenFor = async (body: Record<string, string>) => {
    const response = await get('/dev/token', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const { participant_token: token, server_url: url } = (await response.json()) as Record<string, string>;
    expect(url).toBe(edge.url);
    return token!;
  };

  it('gives a token for the room and the name that are asked for', async () => {
    using client = await SocketClient.join(
      edge.webSocketUrl,
      await tokenFor({ room_name: 'kitchen', participant_name: 'ada' }),
    );
    expect(client.joined).toMatchObject({ room: 'kitchen', participants: [{ name: 'ada' }] });
  });

  it('takes two tabs of one name for two people, and who comes back for the same one', async () => {
    const ada = { room_name: 'hall', participant_name: 'ada' };
    using first = await SocketClient.join(edge.webSocketUrl, await tokenFor(ada));
    using second = await SocketClient.join(edge.webSocketUrl, await tokenFor(ada));
    expect(second.joined.participants.map(({ name }) => name)).toEqual(['ada', 'ada']);
    const { participant, sessionId, resumeToken } = first.joined;
    first.drop();
    using again = await SocketClient.open(edge.webSocketUrl);
    const back = await again.join(await tokenFor({ ...ada, participant_identity: participant }), {
      resumeToken,
      lastSeq: first.lastSeq,
    });
    expect(back).toMatchObject({ resumed: true, sessionId, participant });
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE'])('says how to ask to whoever comes with %s', async (method) => {
    const response = await get('/dev/token', { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    if (method === 'HEAD') return;
    const { error } = (await response.json()) as ErrorBody;
    expect(error.message).toMatch(/POST .*application\/json.*room_name.*participant_name/);
  });

  it('says what it expects to whoever sends something other than JSON', async () => {
    const response = await get('/dev/token', { method: 'POST', body: new URLSearchParams({ room_name: 'den' }) });
    const { error } = (await response.json()) as ErrorBody;
    expect(response.status).toBe(415);
    expect(error.message).toContain('expected JSON, with the header `content-type: application/json`');
    expect((await get('/dev/token', { method: 'POST' })).status).toBe(200);
  });

  it('is not there without --dev', async () => {
    await using production = await EdgeProcess.start({ dev: false });
    const response = await fetch(`${production.url}/dev/token`, { method: 'POST' });
    expect(response.status).toBe(404);
    using client = await SocketClient.join(production.webSocketUrl, await production.token());
    await client.request({ type: 'ping' });
  });
});

const adminToken = (grant: VideoGrant) => {
  const token = new AccessToken(edge.key, edge.secret, { ttl: 60 });
  token.addGrant(grant);
  return token.toJwt();
};
const post = (path: string, token: string | undefined, body: unknown) =>
  get(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

describe('POST /v1/sessions/:id/patch', () => {
  it('changes what the page shows, for whoever administers the room', async () => {
    using client = await SocketClient.join(edge.webSocketUrl, await edge.token({ room: 'kitchen' }));
    const path = `/v1/sessions/${client.joined.sessionId}/patch`;
    const good = await adminToken({ roomAdmin: true, room: 'kitchen' });
    const patch = [{ op: 'add', path: '/dishes', value: [1] }];
    expect((await post(path, good, { surfaceId: 'menu', patch })).status).toBe(204);
    const shown = await client.until('patch', (message) => message.type === 'ui.patch' && message);
    expect(shown).toMatchObject({ surfaceId: 'menu', patch });
    const cases: [status: number, code: string, token: string | undefined, body: unknown][] = [
      [401, 'auth/denied', undefined, { surfaceId: 'menu', patch }],
      [403, 'auth/forbidden', await edge.token({ room: 'kitchen' }), { surfaceId: 'menu', patch }],
      [400, 'protocol/malformed', good, { patch }],
      [400, 'protocol/malformed', good, { surfaceId: 5, patch }],
      [400, 'protocol/malformed', good, { surfaceId: 'menu', patch: [{ op: 'add', path: '/dishes' }] }],
      [409, 'ui/patch', good, { surfaceId: 'menu', patch: [{ op: 'remove', path: '/wine' }] }],
    ];
    for (const [status, code, token, body] of cases) {
      const response = await post(path, token, body);
      const { error } = (await response.json()) as ErrorBody;
      expect({ status: response.status, code: error.code }, JSON.stringify(body)).toEqual({ status, code });
    }
    expect(client.events.filter(({ type }) => type === 'ui.patch')).toHaveLength(1);
  });

  it('takes the largest patch that there may be, in any script and spelling', async () => {
    using client = await SocketClient.join(edge.webSocketUrl, await edge.token({ room: 'kitchen' }));
    const path = `/v1/sessions/${client.joined.sessionId}/patch`;
    const good = await adminToken({ roomAdmin: true, room: 'kitchen' });
    const half = { op: 'add', path: '', value: '海'.repeat(limits.surfaceChars - 64) };
    const largest = JSON.stringify({ surfaceId: 'sea', patch: [half, half] });
    expect((await post(path, good, largest)).status).toBe(204);
    expect((await post(path, good, largest.replaceAll('海', '\\u6d77'))).status).toBe(204);
  });
});

describe('POST /v1/sessions/:id/say', () => {
  const say = (id: string, token: string | undefined, body: unknown) => post(`/v1/sessions/${id}/say`, token, body);

  it('speaks through the agent for whoever administers the room', async () => {
    using client = await SocketClient.join(edge.webSocketUrl, await edge.token({ room: 'kitchen' }));
    const response = await say(client.joined.sessionId, await adminToken({ roomAdmin: true, room: 'kitchen' }), {
      text: 'Dinner is ready.',
    });
    expect(response.status).toBe(200);
    const { responseId } = (await response.json()) as { responseId: string };
    const started = await client.until('response', (message) => message.type === 'response.started' && message);
    expect(started).toMatchObject({ responseId, kind: 'proactive', audience: 'room' });
    const spoken = await client.until('text', (message) => message.type === 'response.text' && message);
    expect(spoken).toMatchObject({ responseId, text: 'Dinner is ready.' });
  });

  it('refuses everybody else, with a status and a code', async () => {
    using client = await SocketClient.join(edge.webSocketUrl, await edge.token({ room: 'kitchen' }));
    const { sessionId } = client.joined;
    const good = await adminToken({ roomAdmin: true, room: 'kitchen' });
    const cases: [status: number, code: string, token: string | undefined, body: unknown, id?: string][] = [
      [401, 'auth/denied', undefined, { text: 'hello' }],
      [401, 'auth/denied', 'no.token.this', { text: 'hello' }],
      [403, 'auth/forbidden', await edge.token({ room: 'kitchen' }), { text: 'hello' }],
      [403, 'auth/forbidden', await adminToken({ roomAdmin: true, room: 'cellar' }), { text: 'hello' }],
      [403, 'auth/forbidden', good, { text: 'hello' }, 'no-such-session'],
      [400, 'protocol/malformed', good, {}],
      [400, 'protocol/malformed', good, { text: '' }],
      [400, 'protocol/malformed', good, { text: 'a'.repeat(4_097) }],
      [400, 'protocol/malformed', good, { text: ['hello', 'you'] }],
      [400, 'protocol/malformed', good, '{"text":'],
      [413, 'protocol/too-large', good, { text: 'hello', pad: 'x'.repeat(70_000) }],
      // What a stranger sends is not looked at, however much it is.
      [401, 'auth/denied', undefined, { text: 'hello', pad: 'x'.repeat(70_000) }],
    ];
    for (const [status, code, token, body, id = sessionId] of cases) {
      const response = await say(id, token, body);
      const { error } = (await response.json()) as ErrorBody;
      expect({ status: response.status, code: error.code }, JSON.stringify(body).slice(0, 60)).toEqual({
        status,
        code,
      });
      expect(error.hint).not.toBe('');
    }
    expect(client.events.filter(({ type }) => type === 'response.started')).toEqual([]);
  });
});

describe('the pages that may connect', () => {
  it('are those on the list; programs have no origin and need none', async () => {
    await using strict = await EdgeProcess.start({
      args: ['--allowed-origins', 'https://app.example, https://other.example'],
    });
    const open = (origin?: string) =>
      SocketClient.open(strict.webSocketUrl, origin === undefined ? {} : { headers: { origin } });
    await expect(open('https://evil.example')).rejects.toThrow('403');
    await expect(open('null')).rejects.toThrow('403');
    for (const origin of ['https://app.example', 'https://other.example', undefined]) {
      using client = await open(origin);
      expect(client.closed).toBeUndefined();
    }
  });

  it('find nothing at other addresses', async () => {
    await expect(SocketClient.open(`${edge.webSocketUrl}/more`)).rejects.toThrow('404');
    expect((await get('/v1/connect')).status).toBe(404);
    expect((await get('/nothing')).status).toBe(404);
  });
});

describe('a folder that is served', () => {
  it('is shown, and nothing beside it', async () => {
    await using folder = await TemporaryFolder.create();
    await writeFile(folder.file('index.html'), '<h1>Hello</h1>');
    await writeFile(folder.file('.env'), 'KEY=secret');
    await mkdir(folder.file('.git'));
    await writeFile(folder.file('.git/config'), 'url = https://user:secret@host');
    await using shop = await EdgeProcess.start({ args: ['--demo', folder.path] });
    expect(await (await fetch(`${shop.url}/`)).text()).toContain('Hello');
    for (const path of ['/../package.json', '/..%2f..%2fetc/passwd', '/%2e%2e/%2e%2e/etc/passwd']) {
      expect((await fetch(`${shop.url}${path}`)).status, path).toBeGreaterThanOrEqual(400);
    }
    // What begins with a dot is there for tools, and holds keys more often than pages.
    for (const path of ['/.env', '/%2eenv', '/.git/config', '/./.env'])
      expect((await fetch(`${shop.url}${path}`)).status, path).toBe(404);
  });
});
