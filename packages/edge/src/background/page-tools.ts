import { randomUUID } from 'node:crypto';
import { MicroturnError, limits, type PageTool, type SessionEventBody } from '@microturn/protocol';
import type { Tool, ToolContext } from './toolbox.js';

/** Calls that may wait for the page at once; policy: reject. */
const WAITING = 16;
const TIMEOUT_MS = 60_000;
/** Names that are taken, of which one that is refused is told. */
const NAMED = 12;
/** An expression of another's making can keep this thread busy for ever, and so can schemas that lead to themselves. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  'pattern',
  'patternProperties',
  '$ref',
  '$dynamicRef',
  '$recursiveRef',
]);
/** In their place stand schemas by name; the validator reads `dependencies` of older drafts as well. */
const MAPS: ReadonlySet<string> = new Set([
  'properties',
  '$defs',
  'definitions',
  'dependentSchemas',
  'dependentRequired',
  'dependencies',
]);
/** Of the validator's formats, the one whose expression takes time exponential in the length of what it refuses. */
const SLOW_FORMAT = 'url';

interface Waiting {
  resolve(output: unknown): void;
  reject(error: Error): void;
}

/** The functions of one participant's page, called over the session's socket. */
export class PageTools {
  readonly #emit: (event: SessionEventBody) => void;
  readonly #taken: ReadonlySet<string>;
  readonly #waiting = new Map<string, Waiting>();
  #tools: readonly Tool[] = [];

  /** @param taken names that tools of the edge have */
  constructor(emit: (event: SessionEventBody) => void, taken: readonly string[]) {
    this.#emit = emit;
    this.#taken = new Set(taken);
  }

  get tools(): readonly Tool[] {
    return this.#tools;
  }

  /**
   * What the page offers from now on.
   * @returns which of them it cannot offer, and why: their name is taken, or a schema has a pattern, a reference or `format: url`
   */
  register(tools: readonly PageTool[]): string[] {
    const offered = new Map<string, Tool>();
    const refused: string[] = [];
    for (const tool of tools) {
      const { name, parameters } = tool;
      const problem = this.#takenBy(name, offered) ?? forbiddenIn(parameters);
      if (problem !== undefined) refused.push(`${name}: ${problem}`);
      else {
        offered.set(name, {
          ...tool,
          timeoutMs: TIMEOUT_MS,
          run: (args: unknown, context: ToolContext) => this.#call(name, args, context),
        });
      }
    }
    this.#tools = [...offered.values()];
    return refused;
  }

  /** What is wrong with a name: a model that is offered two tools of one name calls either, or is refused. */
  #takenBy(name: string, offered: ReadonlyMap<string, Tool>): string | undefined {
    if (this.#taken.has(name)) return `the name is taken, as are ${listed(this.#taken)}`;
    return offered.has(name) ? 'two tools of the page have that name' : undefined;
  }

  /** @throws {MicroturnError} `task/unknown` where nobody waits for it, `protocol/too-large` */
  result({ callId, output, error }: { callId: string; output?: unknown; error?: string | undefined }): void {
    const waiting = this.#waiting.get(callId);
    if (!waiting) throw new MicroturnError('task/unknown', 'nobody waits for this result');
    const chars = JSON.stringify(output)?.length ?? 0;
    if (chars > limits.toolOutputChars) {
      throw new MicroturnError('protocol/too-large', `at most ${limits.toolOutputChars} characters of output`);
    }
    this.#emit({
      type: 'tool.result',
      callId,
      ...(output !== undefined && { output }),
      ...(error !== undefined && { error }),
    });
    if (error !== undefined) waiting.reject(new MicroturnError('tool/failed', error));
    else waiting.resolve(output);
  }

  close(): void {
    for (const { reject } of [...this.#waiting.values()]) reject(new MicroturnError('session/closed'));
    this.#tools = [];
  }

  async #call(name: string, args: unknown, { signal, taskId }: ToolContext): Promise<unknown> {
    if (this.#waiting.size >= WAITING) throw new MicroturnError('tool/failed', 'the page is busy with other calls');
    const callId = randomUUID();
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(callId, { resolve, reject });
        onAbort = () => {
          this.#emit({ type: 'tool.result', callId, error: 'it is not wanted any more' });
          reject(signal.reason as Error);
        };
        signal.addEventListener('abort', onAbort, { once: true });
        this.#emit({ type: 'tool.call', callId, taskId, name, arguments: args });
      });
    } finally {
      this.#waiting.delete(callId);
      if (onAbort) signal.removeEventListener('abort', onAbort);
    }
  }
}

function listed(names: ReadonlySet<string>): string {
  const most = [...names].slice(0, NAMED);
  return `${most.join(', ')}${names.size > NAMED ? ' and others' : ''}`;
}

/** What may not be in a schema. What is no keyword is looked through as if it were one: it may be one to the validator. */
function forbiddenIn(schema: unknown): string | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined;
  for (const [key, inner] of Object.entries(schema)) {
    if (FORBIDDEN.has(key)) return `${key} is not used in schemas here`;
    if (key === 'format' && inner === SLOW_FORMAT) return `format: ${SLOW_FORMAT} is not used in schemas here`;
    const found = MAPS.has(key) ? forbiddenBelow(inner) : forbiddenIn(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The same of schemas by name, as of arguments: names may be any. */
function forbiddenBelow(schemas: unknown): string | undefined {
  if (typeof schemas !== 'object' || schemas === null) return undefined;
  for (const schema of Object.values(schemas)) {
    const found = forbiddenIn(schema);
    if (found !== undefined) return found;
  }
  return undefined;
}
