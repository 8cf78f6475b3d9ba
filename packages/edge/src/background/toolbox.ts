import { Validator, type Schema } from '@cfworker/json-schema';
import { MicroturnError, limits } from '@microturn/protocol';
import type { ChatTool } from '../llm/index.js';

export interface ToolContext {
  /** The task is not wanted any more, or the tool took too long. */
  readonly signal: AbortSignal;
  readonly sessionId: string;
  readonly participant: string;
  readonly taskId: string;
  /** Tells the participant's page what is being done. */
  note(text: string): void;
  /**
   * Changes a surface, a JSON document that the participant's page shows, by operations of JSON Patch: add, replace, remove.
   * @throws {MicroturnError} `ui/patch` where they do not fit what is shown, `protocol/malformed`, `protocol/too-large`
   */
  patch(surfaceId: string, patch: unknown): void;
}

/** A function that a task may call. */
export interface Tool extends ChatTool {
  /** It changes something: the participant is asked each time, by voice and on the screen. */
  readonly approval?: boolean | undefined;
  /** 30 s where nothing is given. */
  readonly timeoutMs?: number | undefined;
  /** Whatever it returns is turned to JSON, and cut where it is too long. What it throws is told to the model. */
  run(args: never, context: ToolContext): unknown;
}

export interface ToolCall {
  readonly name: string;
  readonly arguments: unknown;
}

const TIMEOUT_MS = 30_000;
const ARGUMENT_CHARS = 16_384;
const PROBLEM_CHARS = 500;

/** The functions that one task may call, whoever brought them. The first of a name wins. */
export class ToolBox {
  readonly #tools = new Map<string, Tool>();
  readonly #after: (ms: number, fn: () => void) => () => void;

  constructor(tools: readonly Tool[], after: (ms: number, fn: () => void) => () => void) {
    this.#after = after;
    for (const tool of tools) if (!this.#tools.has(tool.name)) this.#tools.set(tool.name, tool);
  }

  get tools(): readonly ChatTool[] {
    return [...this.#tools.values()].map(({ name, description, parameters }) => ({ name, description, parameters }));
  }

  has(name: string): boolean {
    return this.#tools.has(name);
  }

  /**
   * Calls a tool with arguments that fit its schema.
   * @param approve asks the participant; only for a tool that changes something
   * @returns what it gave back, as text of a bounded length
   * @throws {MicroturnError} `tool/failed` with what the model should know of it; `session/aborted` with the task
   */
  async call(
    { name, arguments: args }: ToolCall,
    context: ToolContext,
    approve: (tool: string, args: unknown) => Promise<boolean>,
  ): Promise<string> {
    const tool = this.#tools.get(name);
    if (!tool) throw new MicroturnError('tool/failed', `there is no tool called ${name}`);
    const problem = argumentProblem(tool, args);
    if (problem) throw new MicroturnError('tool/failed', problem);
    if (tool.approval && !(await approve(name, args))) {
      throw new MicroturnError('tool/failed', 'the user did not allow it');
    }
    const output = await this.#run(tool, args, context);
    return toText(output);
  }

  async #run(tool: Tool, args: unknown, context: ToolContext): Promise<unknown> {
    const timeout = new AbortController();
    const { timeoutMs = TIMEOUT_MS } = tool;
    const cancel = this.#after(timeoutMs, () =>
      timeout.abort(new MicroturnError('tool/failed', `${tool.name} took longer than ${timeoutMs} ms`)),
    );
    const signal = AbortSignal.any([context.signal, timeout.signal]);
    try {
      return await unlessAborted(
        Promise.resolve().then(() => tool.run(args as never, { ...context, signal })),
        signal,
      );
    } catch (cause) {
      if (context.signal.aborted) throw new MicroturnError('session/aborted', undefined, { cause });
      if (cause instanceof MicroturnError) throw cause;
      const detail = cause instanceof Error ? cause.message : String(cause);
      throw new MicroturnError('tool/failed', `${tool.name}: ${detail.slice(0, PROBLEM_CHARS)}`, { cause });
    } finally {
      cancel();
    }
  }
}

function argumentProblem({ name, parameters }: Tool, args: unknown): string | undefined {
  if (typeof args !== 'object' || args === null || Array.isArray(args)) return `${name} takes an object`;
  if (JSON.stringify(args).length > ARGUMENT_CHARS) return `${name}: the arguments are too long`;
  // Interpreted, not compiled: a schema may come from a page.
  const { valid, errors } = new Validator(parameters as Schema, '2020-12', true).validate(args);
  if (valid) return undefined;
  const [first] = errors.slice(-1);
  return `${name}: ${(first?.error ?? 'the arguments do not fit').slice(0, PROBLEM_CHARS)}`;
}

function toText(output: unknown): string {
  const text = typeof output === 'string' ? output : (JSON.stringify(output) ?? 'done');
  const max = limits.toolOutputChars;
  return text.length <= max ? text : `${text.slice(0, max)}… (cut: ${max} of ${text.length} characters)`;
}

/** A tool that does not listen to its signal is left behind. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) {
      onAbort();
      promise.catch(() => undefined);
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
