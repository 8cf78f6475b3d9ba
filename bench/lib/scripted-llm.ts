import { HelperProcess } from './helper-process.js';
import type { ScriptedLlmReport, ScriptedLlmRequest } from './scripted-llm-messages.js';

/** A language model of the OpenAI wire format in a process of its own, so that what it takes of the cores can be told apart. */
export class ScriptedLlm implements AsyncDisposable {
  readonly url: string;
  readonly #process: HelperProcess<ScriptedLlmRequest, ScriptedLlmReport>;

  private constructor(process: HelperProcess<ScriptedLlmRequest, ScriptedLlmReport>, url: string) {
    this.#process = process;
    this.url = url;
  }

  static async start(): Promise<ScriptedLlm> {
    const helper = await HelperProcess.start<ScriptedLlmRequest, ScriptedLlmReport>(
      'scripted-llm-process.mjs',
      'the scripted language model',
    );
    const { url } = (await helper.ask({ do: 'report' }))!;
    return new ScriptedLlm(helper, url);
  }

  get pid(): number {
    return this.#process.pid;
  }

  async report(): Promise<ScriptedLlmReport> {
    return (await this.#process.ask({ do: 'report' }))!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.kill();
  }
}
