import { monotonicClock } from '../clock.js';
import type { EdgeConfig } from '../config.js';
import { askHere } from '../llm/ask-model.js';
import { LanguageModels, type LanguageModelConfig } from '../llm/index.js';
import { silentLog } from '../telemetry/index.js';
import type { CheckResult } from './check-result.js';

/** A call offers tools, too, which some servers refuse. */
const TOOL = { name: 'clock', description: 'The time now.', parameters: { type: 'object', properties: {} } };
const NO_TOOLS_FIX =
  'set `llm.tools: false` (beside its `model`), which spares a refused request; or have it take them: vLLM with `--enable-auto-tool-choice --tool-call-parser NAME`, Ollama with a model that has “tools” on its page';

/**
 * Asks one language model of the configuration for one word: whether its address, key and name are right, and how soon it
 * begins. It costs a few tokens, so it is only done for a model that is named.
 * @throws {MicroturnError} `llm/*` with what is wrong, `edge/config` where its key is missing
 */
export async function checkLanguageModel(
  config: EdgeConfig,
  name: string,
  env: NodeJS.ProcessEnv,
): Promise<CheckResult> {
  const model = config.llm.models[name];
  if (!model) {
    const known = Object.keys(config.llm.models).join(', ');
    return {
      status: 'fail',
      detail: `there is no ${name} under llm.models`,
      fix: known === '' ? 'add it to the configuration file, see docs/background.md' : `it has: ${known}`,
    };
  }
  return (await askOneWord(name, model, env)).result;
}

/**
 * @param system in front of the question
 * @returns what came of it, and when the first token did: undefined where none came
 * @throws {MicroturnError} as above
 */
export async function askOneWord(
  name: string,
  model: LanguageModelConfig,
  env: NodeJS.ProcessEnv,
  system?: string,
): Promise<{ readonly result: CheckResult; readonly firstTokenMs: number | undefined }> {
  const clock = monotonicClock;
  const ask = askHere({ clock, after });
  const models = new LanguageModels({ configs: { [name]: model }, ask, clock, after, log: silentLog, env });
  const request = {
    purpose: 'doctor',
    system,
    messages: [{ role: 'user' as const, content: 'Answer with the single word: ready' }],
    tools: [TOOL],
    signal: new AbortController().signal,
  };
  let text = '';
  let called = false;
  for await (const part of models.stream(request)) {
    if (part.type === 'text') text += part.text;
    called ||= part.type === 'tool-call';
    if (part.type !== 'done') continue;
    const { tokensIn, tokensOut } = part.usage;
    const firstTokenMs = Math.round(part.firstTokenMs);
    const said = text.trim() === '' && called ? 'a call of a tool' : `“${text.trim().slice(0, 40)}”`;
    const detail = `${said} from ${model.model}, first token after ${firstTokenMs} ms, ${tokensIn} tokens in and ${tokensOut} out`;
    if (text.trim() === '' && !called) {
      return { result: { status: 'warn', detail: `it said nothing: ${detail}` }, firstTokenMs: undefined };
    }
    const refused = model.tools !== false && models.states[0]?.tools === false;
    if (!refused) return { result: { status: 'ok', detail }, firstTokenMs };
    const without = `${detail}; it takes no tools, so answers are asked for without`;
    return { result: { status: 'warn', detail: without, fix: NO_TOOLS_FIX }, firstTokenMs };
  }
  return { result: { status: 'fail', detail: 'it did not answer' }, firstTokenMs: undefined };
}

function after(ms: number, fn: () => void): () => void {
  const timer = setTimeout(fn, ms);
  return () => clearTimeout(timer);
}
