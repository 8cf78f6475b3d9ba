import { McpServer as McpFixture } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { silentLog } from '../telemetry/index.js';
import { McpServer } from './mcp.js';
import { ToolBox } from './toolbox.js';

const script = fileURLToPath(new URL('./fixtures/mcp-server.mjs', import.meta.url));
const never = () => () => undefined;

async function open() {
  const config = { command: process.execPath, args: [script], env: ['GREETING'], approval: true };
  const env = { PATH: process.env['PATH'], GREETING: 'Good morning', SECRET: 'x' };
  const server = await McpServer.open('house', config, { env, log: silentLog });
  onTestFinished(() => server.close());
  const box = new ToolBox(server.tools, never);
  const asked: string[] = [];
  const signal = new AbortController().signal;
  const context = { signal, sessionId: 's', participant: 'ann', taskId: 't', note: () => {}, patch: () => {} };
  const call = (name: string, args: object) =>
    box.call({ name, arguments: args }, context, async (tool) => {
      asked.push(tool);
      return false;
    });
  return { server, call, asked };
}

describe('an MCP server', () => {
  it('brings its tools under its name, and sees only the environment that it is given', async () => {
    const { server, call } = await open();
    expect(server.tools.map(({ name }) => name)).toEqual(['house_greet', 'house_forget', 'house_fail']);
    expect(await call('house_greet', { name: 'Ann' })).toBe('Hello, Ann. Good morning, no secret.');
    await expect(call('house_greet', {})).rejects.toMatchObject({ code: 'tool/failed' });
    await expect(call('house_fail', {})).rejects.toMatchObject({
      message: expect.stringContaining('the disk is full'),
    });
  });

  it('changes nothing without the user’s leave, unless it says that it only reads', async () => {
    const { call, asked } = await open();
    await expect(call('house_forget', {})).rejects.toMatchObject({ message: expect.stringContaining('did not allow') });
    expect(asked).toEqual(['house_forget']);
  });

  it('that does not start is named', async () => {
    const config = { command: '/nonexistent/server', args: [], env: [], approval: true };
    await expect(McpServer.open('gone', config, { env: {}, log: silentLog })).rejects.toMatchObject({
      code: 'edge/config',
      message: expect.stringContaining('background.mcp.gone'),
    });
  });
});

/** The protocol's own server, over HTTP without sessions, behind a key. */
async function listen() {
  const http = createServer(async (request, response) => {
    if (request.headers.authorization !== 'Bearer k') return response.writeHead(401).end();
    const fixture = new McpFixture({ name: 'fixture', version: '1.0.0' });
    const reply = (text: string) => ({ content: [{ type: 'text' as const, text }] });
    const reads = { readOnlyHint: true };
    fixture.registerTool('price', { inputSchema: { room: z.number() }, annotations: reads }, ({ room }) =>
      reply(`Room ${room} is 90.`),
    );
    fixture.registerTool('book', { description: 'books a room' }, () => reply('booked'));
    const transport = new StreamableHTTPServerTransport({});
    response.on('close', () => void transport.close());
    await fixture.connect(transport as Parameters<McpFixture['connect']>[0]);
    await transport.handleRequest(request, response);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const close = () => {
    http.close();
    http.closeAllConnections();
  };
  onTestFinished(close);
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`, close };
}

describe('an MCP server over HTTP', () => {
  const parts = { env: {}, log: silentLog };
  const context = {
    signal: new AbortController().signal,
    sessionId: 's',
    participant: 'ann',
    taskId: 't',
    note: () => {},
    patch: () => {},
  };

  it('brings its tools, which are called with the headers of the configuration', async () => {
    const { url, close } = await listen();
    const config = { url, headers: { authorization: 'Bearer k' }, approval: true };
    const server = await McpServer.open('hotel', config, parts);
    onTestFinished(() => server.close());
    expect(server.tools.map(({ name, approval }) => [name, approval])).toEqual([
      ['hotel_price', false],
      ['hotel_book', true],
    ]);
    const box = new ToolBox(server.tools, never);
    const call = (name: string, args: object) => box.call({ name, arguments: args }, context, async () => true);
    expect(await call('hotel_price', { room: 7 })).toBe('Room 7 is 90.');
    expect(await call('hotel_book', {})).toBe('booked');
    await expect(call('hotel_price', { room: 'seven' })).rejects.toMatchObject({ code: 'tool/failed' });
    close();
    await expect(call('hotel_price', { room: 7 })).rejects.toMatchObject({ code: 'tool/failed' });
  });

  it('that refuses its key is named', async () => {
    const { url } = await listen();
    await expect(McpServer.open('hotel', { url, headers: {}, approval: true }, parts)).rejects.toMatchObject({
      code: 'edge/config',
      message: expect.stringContaining('background.mcp.hotel'),
    });
  });
});
