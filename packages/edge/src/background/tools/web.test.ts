import http, { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ToolContext } from '../toolbox.js';
import { fetchTool, searchTool } from './web.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function listen(answer: Answer): Promise<number> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

/** An internet in which every host is this server: the tool itself reaches no private address. */
async function internet(answer: Answer): Promise<void> {
  const port = await listen(answer);
  const { globalAgent } = http;
  http.globalAgent = Object.assign(new Agent(), { createConnection: () => connect(port, '127.0.0.1') });
  onTestFinished(() => {
    http.globalAgent.destroy();
    http.globalAgent = globalAgent;
  });
}

const context: ToolContext = {
  signal: new AbortController().signal,
  sessionId: 's',
  participant: 'ann',
  taskId: 't',
  note: () => undefined,
  patch: () => undefined,
};
const read = (url: string) =>
  fetchTool(['docs.example.com', '*.example.org']).run({ url } as never, context) as Promise<{
    url: string;
    text: string;
  }>;

describe('reading a page', () => {
  it('gives its text, and asks as one that keeps nothing', async () => {
    const asked: IncomingMessage[] = [];
    await internet((request, response) => {
      asked.push(request);
      response.setHeader('content-type', 'text/html; charset=utf-8').end('<body><h1>Tower</h1><p>330 m</p></body>');
    });
    expect(await read('http://docs.example.com/tower?a=1')).toEqual({
      url: 'http://docs.example.com/tower?a=1',
      text: 'Tower\n330 m',
    });
    expect(asked.map(({ method, url, headers }) => [method, url, headers.host, headers.cookie])).toEqual([
      ['GET', '/tower?a=1', 'docs.example.com', undefined],
    ]);
  });

  it('leaves other text as it is, and cuts what is long', async () => {
    await internet((_request, response) => {
      response.setHeader('content-type', 'text/plain').end('<b>'.repeat(500_000));
    });
    const { text } = await read('http://docs.example.com/');
    expect(text).toHaveLength(12_000);
    expect(text.startsWith('<b><b>')).toBe(true);
  });

  it('follows a redirect to another host of the list, and to no other', async () => {
    await internet(({ headers, url }, response) => {
      if (headers.host === 'a.example.org') response.setHeader('content-type', 'text/plain').end('here');
      else response.writeHead(302, { location: url === '/out' ? 'http://evil.net/' : 'http://a.example.org/x' }).end();
    });
    expect(await read('http://docs.example.com/')).toEqual({ url: 'http://a.example.org/x', text: 'here' });
    await expect(read('http://docs.example.com/out')).rejects.toThrow('evil.net is not on the list');
  });

  it.each<[string, Answer, string]>([
    ['is not there', (_, response) => response.writeHead(404).end('no'), 'docs.example.com answered 404'],
    ['goes round in circles', (_, response) => response.writeHead(302, { location: '/' }).end(), 'too many redirects'],
    ['hangs up', (request) => request.socket.destroy(), 'socket hang up'],
  ])('says so where it %s', async (_what, answer, problem) => {
    await internet(answer);
    await expect(read('http://docs.example.com/')).rejects.toThrow(problem);
  });
});

describe('searching the web', () => {
  const search = (port: number) =>
    searchTool(`http://127.0.0.1:${port}/`).run({ query: 'tower & height' } as never, context);

  it('gives the first results of SearXNG', async () => {
    const asked: (string | undefined)[] = [];
    const port = await listen(({ url }, response) => {
      asked.push(url);
      const results = Array.from({ length: 9 }, (_, i) => ({ title: `t${i}`, url: `http://h/${i}`, engine: 'x' }));
      response.end(JSON.stringify({ results }));
    });
    const found = (await search(port)) as object[];
    expect(found).toHaveLength(6);
    expect(found[0]).toEqual({ title: 't0', url: 'http://h/0', summary: '' });
    expect(asked).toEqual(['/search?q=tower+%26+height&format=json']);
  });

  it('says what is wrong with it', async () => {
    const refuses = await listen((_, response) => response.writeHead(403).end());
    await expect(search(refuses)).rejects.toThrow('SearXNG answered 403');
    const other = await listen((_, response) => response.end('{}'));
    await expect(search(other)).rejects.toThrow('is its JSON format enabled');
  });
});
