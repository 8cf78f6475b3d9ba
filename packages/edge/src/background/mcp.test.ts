import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
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
  const context = { signal, sessionId: 's', participant: 'ann', taskId: 't', note: () => {} };
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
