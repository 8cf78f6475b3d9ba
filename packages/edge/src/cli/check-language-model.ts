import { monotonicClock } from '../clock.js';
import type { EdgeConfig } from '../config.js';
import { askHere } from '../llm/ask-model.js';
import { LanguageModels, type LanguageModelConfig } from '../llm/index.js';
import { silentLog } from '../telemetry/index.js';
import type { CheckResult } from './check-result.js';

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
    signal: new AbortController().signal,
  };
  let text = '';
  for await (const part of models.stream(request)) {
    if (part.type === 'text') text += part.text;
    if (part.type !== 'done') continue;
    const { tokensIn, tokensOut } = part.usage;
    const firstTokenMs = Math.round(part.firstTokenMs);
    const detail = `“${text.trim().slice(0, 40)}” from ${model.model}, first token after ${firstTokenMs} ms, ${tokensIn} tokens in and ${tokensOut} out`;
    if (text.trim() !== '') return { result: { status: 'ok', detail }, firstTokenMs };
    return { result: { status: 'warn', detail: `it said nothing: ${detail}` }, firstTokenMs: undefined };
  }
  return { result: { status: 'fail', detail: 'it did not answer' }, firstTokenMs: undefined };
}

function after(ms: number, fn: () => void): () => void {
  const timer = setTimeout(fn, ms);
  return () => clearTimeout(timer);
}
