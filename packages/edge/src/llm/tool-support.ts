import { MicroturnError } from '@microturn/protocol';
import type { Log } from '../telemetry/log.js';
import type { AskModel } from './ask-model.js';
import type { AttemptPart, ModelAsk } from './attempt.js';
import type { ModelSpec } from './model-spec.js';

/**
 * Whatever a server says of tools as it refuses a request: each has its own words, and llama.cpp takes it for a failure of
 * its own.
 */
const OF_TOOLS = /\bHTTP (400|404|405|422|500|501): .*tool/is;
/** Of one tool that does not please, or of one call, and not of tools. */
const OF_ONE_TOOL = /schema|tools?['"]?[.[]\d|tool_call_id|tool_calls/i;

/**
 * Whether a model takes tools. Some servers refuse each request that offers any, such as vLLM where it was started without a
 * parser for them, and Ollama with a model that was not trained for them: those are asked without.
 */
export class ToolSupport {
  readonly #spec: ModelSpec;
  readonly #log: Log;
  #state: 'unknown' | 'taken' | 'refused';

  constructor(spec: ModelSpec, log: Log) {
    this.#spec = spec;
    this.#log = log;
    this.#state = spec.config.tools === false ? 'refused' : 'unknown';
  }

  /** Whether it is offered tools from now on. */
  get offers(): boolean {
    return this.#state !== 'refused';
  }

  /**
   * Asks with the tools, and once more without where they are refused.
   * @param toolRules told after the system's words where tools are offered
   */
  async *ask(
    askModel: AskModel,
    question: ModelAsk,
    toolRules: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<AttemptPart, void, undefined> {
    const { system, tools = [], ...plain } = question;
    let refusal: MicroturnError | undefined;
    if (this.offers && tools.length > 0) {
      const told = [system, toolRules].filter((text) => text !== undefined && text !== '').join('\n\n');
      let begun = false;
      try {
        for await (const part of askModel(this.#spec, { ...plain, system: told || undefined, tools }, signal)) {
          begun = true;
          // What it says against tools after this is said of those of one request.
          if (this.#state === 'unknown') this.#state = 'taken';
          yield part;
        }
        return;
      } catch (error) {
        if (begun || !(error instanceof MicroturnError) || !OF_TOOLS.test(error.message)) throw error;
        refusal = error;
      }
    }
    for await (const part of askModel(this.#spec, { ...plain, system }, signal)) {
      // Not before: a request that fails without tools, too, was not refused for them.
      if (refusal) this.#note(refusal);
      refusal = undefined;
      yield part;
    }
  }

  #note({ message }: MicroturnError): void {
    if (this.#state === 'refused') return;
    const { name: model } = this.#spec;
    if (this.#state === 'taken' || OF_ONE_TOOL.test(message)) {
      this.#log.warn({ model }, 'a language model refused the tools of a request, and was asked without');
      return;
    }
    this.#state = 'refused';
    this.#log.warn(
      { model },
      'a language model takes no tools, and is asked without from now on: `llm.tools: false` (beside its `model`) says so from the start',
    );
  }
}
