import { limits, type SessionEventOf } from '@microturn/protocol';
import type { SessionRequest } from '../connection/transport.js';

/** A function of this page that background tasks may call. */
export interface ClientTool<Arguments = Record<string, unknown>> {
  /** Letters, digits, `_` and `-`, at most 64. */
  readonly name: string;
  /** When to call it and what it does: read by the model. */
  readonly description: string;
  /** JSON Schema of the arguments, an object; the edge holds calls against it. No `pattern`, no `$ref`. */
  readonly parameters: { readonly type: 'object' } & Readonly<Record<string, unknown>>;
  /** It changes something: the user is asked first, by voice and on the screen. */
  readonly approval?: boolean;
  /** Whatever it resolves with goes to the model as JSON, at most 32 768 characters; what it throws is told to it. */
  execute(args: Arguments, context: { readonly signal: AbortSignal; readonly taskId: string }): unknown;
}

/** Around the output in its message. */
const ENVELOPE_BYTES = 512;

/** The page's functions, as the edge knows them. */
export class PageTools {
  readonly #tools = new Map<string, ClientTool>();
  readonly #running = new Map<string, AbortController>();
  readonly #send: (message: SessionRequest) => Promise<unknown>;
  readonly #onError: (error: unknown) => void;
  #announcing = false;

  /** @param send rejects where the session is not connected */
  constructor(send: (message: SessionRequest) => Promise<unknown>, onError: (error: unknown) => void) {
    this.#send = send;
    this.#onError = onError;
  }

  /**
   * Offers a function until the result is called; a later one of the same name takes its place.
   * @throws {TypeError} where the name is not one
   */
  register<Arguments>(tool: ClientTool<Arguments>): () => void {
    if (!/^[A-Za-z_][\w-]{0,63}$/.test(tool.name)) throw new TypeError(`not a name of a tool: ${tool.name}`);
    const registered = tool as unknown as ClientTool;
    this.#tools.set(tool.name, registered);
    this.#announceSoon();
    return () => {
      if (this.#tools.get(tool.name) !== registered) return;
      this.#tools.delete(tool.name);
      this.#announceSoon();
    };
  }

  /** The edge, or another one, has to be told. */
  connected(): void {
    if (this.#tools.size > 0) this.#announceSoon();
  }

  call({ callId, taskId, name, arguments: args }: SessionEventOf<'tool.call'>): void {
    const tool = this.#tools.get(name);
    const abort = new AbortController();
    this.#running.set(callId, abort);
    Promise.resolve()
      .then(() => {
        if (!tool) throw new Error(`there is no function ${name} in the page`);
        return tool.execute(args as Record<string, unknown>, { signal: abort.signal, taskId });
      })
      .then((output) => ({ output: sendable(output) }))
      .catch((error: unknown) => ({ error: (error instanceof Error ? error.message : String(error)).slice(0, 1024) }))
      .then((result) => (abort.signal.aborted ? undefined : this.#send({ type: 'tool.result', callId, ...result })))
      .catch(this.#onError)
      .finally(() => this.#running.delete(callId));
  }

  /** The edge has the result, or does not wait for it any more. */
  settled({ callId, error }: SessionEventOf<'tool.result'>): void {
    if (error !== undefined) this.#running.get(callId)?.abort();
  }

  /** The call is over. */
  release(): void {
    for (const abort of this.#running.values()) abort.abort();
  }

  /** Once for all that a page registers in one go. */
  #announceSoon(): void {
    if (this.#announcing) return;
    this.#announcing = true;
    queueMicrotask(() => {
      this.#announcing = false;
      const tools = [...this.#tools.values()].map(({ name, description, parameters, approval = false }) => ({
        name,
        description,
        parameters,
        approval,
      }));
      // Where it is not connected, it is told when it is.
      this.#send({ type: 'tools.register', tools }).catch(this.#onError);
    });
  }
}

/**
 * What a function gave back, as it is sent.
 * @throws {TypeError} where it is not JSON, @throws {RangeError} where it is too large: the edge closes the socket of who sends more
 */
function sendable(output: unknown): unknown {
  if (output === undefined) return 'done';
  const json = JSON.stringify(output);
  if (json === undefined) throw new TypeError('what the function gave back is not JSON');
  const bytes = new TextEncoder().encode(json).length;
  if (json.length > limits.toolOutputChars || bytes > limits.messageBytes - ENVELOPE_BYTES) {
    throw new RangeError(`what the function gave back is too large: at most ${limits.toolOutputChars} characters`);
  }
  return output;
}
