import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { MicroturnError } from '@microturn/protocol';
import type { Log } from '../telemetry/log.js';
import { VERSION } from '../version.js';
import type { McpServerConfig } from './config.js';
import type { Tool, ToolContext } from './toolbox.js';

const START_MS = 10_000;
/** Tools that one server may bring. */
const MAX_TOOLS = 64;

export interface McpParts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

/** One MCP server, started or connected to with the edge, and its tools. */
export class McpServer {
  readonly tools: readonly Tool[];
  readonly #client: Client;

  private constructor(client: Client, tools: readonly Tool[]) {
    this.#client = client;
    this.tools = tools;
  }

  /** @throws {MicroturnError} `edge/config` where it does not start or answer */
  static async open(name: string, config: McpServerConfig, { env, log }: McpParts): Promise<McpServer> {
    const client = new Client({ name: 'microturn', version: VERSION });
    try {
      await client.connect(transportOf(config, env), { timeout: START_MS });
      const { tools } = await client.listTools({}, { timeout: START_MS });
      if (tools.length > MAX_TOOLS) log.warn({ server: name, tools: tools.length }, 'an MCP server has too many tools');
      client.onclose = () =>
        log.error({ server: name }, 'an MCP server is gone: its tools fail until the edge is started again');
      log.info({ server: name, tools: tools.length }, 'an MCP server is connected');
      return new McpServer(
        client,
        tools.slice(0, MAX_TOOLS).map(({ name: tool, description = tool, inputSchema, annotations }) => ({
          name: `${name}_${tool}`.replaceAll(/[^\w-]/g, '_').slice(0, 64),
          description,
          parameters: inputSchema,
          approval: config.approval && annotations?.readOnlyHint !== true,
          run: (args: Record<string, unknown>, { signal }: ToolContext) => call(client, tool, args, signal),
        })),
      );
    } catch (cause) {
      await client.close().catch(() => undefined);
      const detail = cause instanceof Error ? cause.message : String(cause);
      throw new MicroturnError('edge/config', `background.mcp.${name}: ${detail}`, { cause });
    }
  }

  async close(): Promise<void> {
    this.#client.onclose = () => undefined;
    await this.#client.close();
  }
}

function transportOf(config: McpServerConfig, env: McpParts['env']): Transport {
  if ('url' in config) {
    return new StreamableHTTPClientTransport(new URL(config.url), {
      requestInit: { headers: config.headers },
    }) as Transport;
  }
  const given = ['PATH', ...config.env].flatMap((name) =>
    env[name] === undefined ? [] : [[name, env[name]] as const],
  );
  return new StdioClientTransport({
    command: config.command,
    args: config.args,
    env: Object.fromEntries(given),
    stderr: 'ignore',
  });
}

async function call(
  client: Client,
  name: string,
  args: Record<string, unknown>,
  signal: AbortSignal,
): Promise<unknown> {
  const result = await client.callTool({ name, arguments: args }, undefined, { signal });
  const parts = (Array.isArray(result.content) ? result.content : []) as { type: string; text?: string }[];
  const text = parts.map((part) => (part.type === 'text' ? part.text : `(${part.type})`)).join('\n');
  if (result.isError) throw new Error(text === '' ? 'it failed' : text);
  return result.structuredContent ?? text;
}
