import { decodeJson, limits, MicroturnError, type PageTool, type SessionEventOf } from '@microturn/protocol';
import type { SessionRequest, TransportLink } from '../connection/transport.js';

/** A function of this page that background tasks may call. */
export interface ClientTool<Arguments = Record<string, unknown>> {
  /** A letter or `_`, then letters, digits, `_` and `-`; at most 64. */
  readonly name: string;
  /** When to call it and what it does, in at most 1024 characters: read by the model. */
  readonly description: string;
  /** JSON Schema of the arguments, an object; the edge holds calls against it. No `pattern`, no `$ref`. */
  readonly parameters: { readonly type: 'object' } & Readonly<Record<string, unknown>>;
  /** It changes something: the user is asked first, by voice and on the screen. */
  readonly approval?: boolean;
  /**
   * Whatever it resolves with goes to the model as JSON: at most 32 768 characters, and 15 levels of objects and arrays, else the call has
   * failed. What it throws is told to the model.
   */
  execute(args: Arguments, context: { readonly signal: AbortSignal; readonly taskId: string }): unknown;
}

type Link = Pick<TransportLink, 'request'>;

interface Offer {
  readonly tool: ClientTool;
  /** What the edge is told of it. */
  readonly told: PageTool;
}

/** That are kept behind the newest: who never withdraws one, and offers it again and again, is not to fill the memory. */
const MOST_OF_ONE_NAME = 8;
/** Around the output, or the tools, in their message. */
const ENVELOPE_BYTES = 512;

/** The page's functions, as the edge knows them. */
export class PageTools {
  /** Of those of one name the last counts, until it is withdrawn. */
  readonly #offers: Offer[] = [];
  readonly #running = new Map<string, AbortController>();
  readonly #link: () => Link | undefined;
  readonly #onError: (error: unknown) => void;
  /** What the functions gave back while there was no link; of this call alone. */
  #results = new Map<string, SessionRequest>();
  #announcing = false;
  /** The edge was told of functions in this call, and may believe that they are there. */
  #offered = false;

  /** @param link the one that is up, where one is */
  constructor(link: () => Link | undefined, onError: (error: unknown) => void) {
    this.#link = link;
    this.#onError = onError;
  }

  /**
   * Offers a function until the result is called; a later one of the same name takes its place for as long as it is there.
   * @throws {TypeError} where it cannot be offered
   */
  register<Arguments>(tool: ClientTool<Arguments>): () => void {
    const offer = { tool: tool as unknown as ClientTool, told: toldOf(tool) };
    this.#offers.push(offer);
    const [oldest, ...others] = this.#offers.filter((one) => one.tool.name === tool.name);
    if (oldest && others.length >= MOST_OF_ONE_NAME) this.#withdraw(oldest);
    this.#announceSoon();
    return () => this.#withdraw(offer);
  }

  #withdraw(offer: Offer): void {
    const index = this.#offers.indexOf(offer);
    if (index < 0) return;
    this.#offers.splice(index, 1);
    this.#announceSoon();
  }

  /** A link is up, to this edge or another one, which has to be told. */
  connected(): void {
    if (this.#offers.length > 0 || this.#offered) this.#announceSoon();
    const results = [...this.#results];
    this.#results.clear();
    for (const [callId, result] of results) this.#answer(callId, result).catch(this.#onError);
  }

  call({ callId, taskId, name, arguments: args }: SessionEventOf<'tool.call'>): void {
    const tool = this.#offers.findLast((one) => one.tool.name === name)?.tool;
    const abort = new AbortController();
    this.#running.set(callId, abort);
    Promise.resolve()
      .then(() => {
        if (!tool) throw new Error(`there is no function ${name} in the page`);
        return tool.execute(args as Record<string, unknown>, { signal: abort.signal, taskId });
      })
      .then((output) => ({ output: sendable(output) }))
      .catch((error: unknown) => ({ error: (error instanceof Error ? error.message : String(error)).slice(0, 1024) }))
      .then((result) =>
        abort.signal.aborted ? undefined : this.#answer(callId, { type: 'tool.result', callId, ...result }),
      )
      .catch(this.#onError)
      .finally(() => this.#running.delete(callId));
  }

  /** The edge has the result, or does not wait for it any more. */
  settled({ callId, error }: SessionEventOf<'tool.result'>): void {
    this.#results.delete(callId);
    if (error !== undefined) this.#running.get(callId)?.abort();
  }

  /** The call is over. */
  release(): void {
    for (const abort of this.#running.values()) abort.abort();
    this.#results = new Map();
    this.#offered = false;
  }

  /** Tells what a function gave back; where the link is lost before the edge has it, over the next one. */
  async #answer(callId: string, result: SessionRequest): Promise<void> {
    const results = this.#results;
    const link = this.#link();
    try {
      if (link) await link.request(result);
      else results.set(callId, result);
    } catch (error) {
      if (this.#link() === link) throw error;
      results.set(callId, result);
    }
  }

  /** Once for all that a page registers in one go. */
  #announceSoon(): void {
    if (this.#announcing) return;
    this.#announcing = true;
    queueMicrotask(() => {
      this.#announcing = false;
      // Where none is up, or this one is lost, the next one is told.
      const link = this.#link();
      if (!link) return;
      this.#offered = true;
      const tools = this.#fitting();
      link.request({ type: 'tools.register', tools }).catch((error: unknown) => {
        if (this.#link() === link) this.#onError(error);
      });
    });
  }

  /** Those that go into one message: the others, each of which is an error, would take all of them with it. */
  #fitting(): PageTool[] {
    let left = limits.messageBytes - ENVELOPE_BYTES;
    return [...new Map(this.#offers.map(({ told }) => [told.name, told])).values()].filter((told) => {
      const bytes = bytesOf(JSON.stringify(told)) + 1;
      const fits = bytes <= left;
      if (fits) left -= bytes;
      else this.#onError(new MicroturnError('protocol/too-large', `the tool ${told.name}, ${bytes} bytes`));
      return fits;
    });
  }
}

/** As it is sent. */
function bytesOf(json: string): number {
  return new TextEncoder().encode(json).length;
}

/**
 * What the edge is told of a function: a copy, so that what is sent later is what was looked at now.
 * @throws {TypeError} where the edge would not take it: with it, it would refuse all that the page offers
 */
function toldOf<Arguments>(tool: ClientTool<Arguments>): PageTool {
  const { name, description, parameters, approval, execute } = tool;
  const expected =
    (!(typeof name === 'string' && /^[A-Za-z_][\w-]{0,63}$/.test(name)) &&
      'a name: a letter or _, then letters, digits, _ and -, at most 64') ||
    (!(typeof description === 'string' && /^.{1,1024}$/s.test(description)) &&
      'a description of 1 to 1024 characters') ||
    (parameters?.type !== 'object' && "parameters of type 'object'") ||
    (typeof execute !== 'function' && 'a function to execute');
  if (expected) throw new TypeError(`the tool ${name}: expected ${expected}`);
  try {
    // As deep as it is in its message.
    const [[told]] = decodeJson(JSON.stringify([[{ name, description, parameters, approval: !!approval }]])) as [
      [PageTool],
    ];
    return told;
  } catch (cause) {
    throw new TypeError(`the tool ${name}: its parameters cannot be sent: ${(cause as Error).message}`, { cause });
  }
}

/**
 * What a function gave back, as it is sent.
 * @throws {TypeError} where it is not JSON, @throws {RangeError} where it is too large, which the edge would end the call for, or too deep,
 *   which it would not read
 */
function sendable(output: unknown): unknown {
  if (output === undefined) return 'done';
  const json = JSON.stringify(output);
  if (json === undefined) throw new TypeError('what the function gave back is not JSON');
  if (json.length > limits.toolOutputChars || bytesOf(json) > limits.messageBytes - ENVELOPE_BYTES) {
    throw new RangeError(`what the function gave back is too large: at most ${limits.toolOutputChars} characters`);
  }
  try {
    // As deep as it is in its message.
    decodeJson(`[${json}]`);
  } catch (cause) {
    const levels = limits.messageDepth - 1;
    throw new RangeError(`what the function gave back is nested too deep: at most ${levels} levels`, { cause });
  }
  return output;
}
