import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the strict servers of this folder have in common: a free port of this machine, a key, and a list of what was not in order. */
export abstract class StrictServer {
  /** What was wrong with requests that were refused: empty at the end of a good test. */
  readonly problems: string[] = [];
  protected readonly http: Server;
  readonly #apiKey: string | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();

  /** @param apiKey demanded as a bearer token, where given */
  constructor(apiKey: string | undefined) {
    this.#apiKey = apiKey;
    this.http = createServer((request, response) => {
      this.handle(request, response).catch((error: unknown) => {
        this.problems.push(String(error));
        response.destroy();
      });
    });
  }

  /** The base URL to configure, e.g. `http://127.0.0.1:40123/v1`. */
  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}/v1`;
  }

  close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    const closed = new Promise<void>((resolve) => this.http.close(() => resolve()));
    this.http.closeAllConnections();
    return closed;
  }

  protected abstract handle(request: IncomingMessage, response: ServerResponse): Promise<void>;

  protected listen(): Promise<void> {
    return new Promise((resolve) => this.http.listen(0, '127.0.0.1', resolve));
  }
  protected isAllowed({ headers }: IncomingMessage): boolean {
    return this.#apiKey === undefined || headers.authorization === `Bearer ${this.#apiKey}`;
  }
  protected refuse(response: ServerResponse, status: number, problem: string): void {
    this.problems.push(problem);
    fail(response, status, problem);
  }
  /** Ends with the server. */
  protected sleep(ms: number): Promise<void> {
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, ms);
      this.#timers.add(timer);
    });
  }
}

/** An error as OpenAI words it. */
export function fail(
  response: ServerResponse,
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const type = status === 429 ? 'rate_limit_error' : status >= 500 ? 'server_error' : 'invalid_request_error';
  response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify({ error: { message, type, param: null, code: null } }));
}

/** @throws {RangeError} beyond `maxBytes` */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new RangeError(`a body of more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @returns undefined where it is none */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
