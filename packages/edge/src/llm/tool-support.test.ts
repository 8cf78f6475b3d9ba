import { describe, expect, it } from 'vitest';
import { silentLog } from '../telemetry/index.js';
import type { ChatScript, ScriptedReply } from '../testing/openai-server.js';
import { ManualClock } from '../testing/manual-clock.js';
import { askHere } from './ask-model.js';
import { ask, collect, config, models, server } from './fixtures/ask-models.js';

const tools = [{ name: 'lookup', description: 'looks', parameters: { type: 'object', properties: {} } }];
const withTools = { tools, system: 'be brief', toolRules: 'call them' };
const VLLM = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set';

/** Refuses what offers tools. */
const refusing =
  (message: string, status = 400): ChatScript =>
  (body) =>
    body.tools ? { status, message } : { text: 'All is well.' };

/** What a model is asked by several requests with tools, and what is logged meanwhile. */
async function askTwice(chat: readonly ScriptedReply[] | ChatScript, more: object = {}) {
  const openai = await server({ chat });
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_fields: object, message: string) => void warnings.push(message) };
  const { languageModels } = models({ a: config(openai.url, more) }, { log });
  const answers = [];
  for (const text of ['one', 'two']) answers.push(await collect(languageModels.stream(ask(text, withTools))));
  expect(openai.problems).toEqual([]);
  return {
    texts: answers.map(({ text }) => text),
    errors: answers.map(({ error }) => error),
    offered: openai.chats.map(({ body }) => body.tools !== undefined),
    systems: openai.chats.map(({ body }) => body.messages[0]!.content),
    warnings,
    states: languageModels.states,
  };
}

describe('a language model that takes no tools', () => {
  it.each([
    ['vLLM', VLLM, 400],
    ['Ollama', 'registry.ollama.ai/library/gemma:latest does not support tools', 400],
    ['OpenRouter', 'No endpoints found that support tool use', 404],
    ['llama.cpp', 'tools param requires --jinja flag', 500],
  ])('as %s says it, answers without, and is asked so from then on', async (_server, message, status) => {
    const { texts, offered, systems, warnings, states } = await askTwice(refusing(message, status));
    expect(texts).toEqual(['All is well.', 'All is well.']);
    expect(offered).toEqual([true, false, false]);
    expect(systems).toEqual(['be brief\n\ncall them', 'be brief', 'be brief']);
    expect(warnings).toEqual([expect.stringContaining('llm.tools: false')]);
    expect(states).toMatchObject([{ tools: false, failures: 0 }]);
  });

  it('and says so without an `error` around it, as older vLLMs do, is understood', async () => {
    const clock = new ManualClock();
    const bodies: string[] = [];
    const fetchAnswer: typeof fetch = async (_url, init) => {
      bodies.push(init!.body as string);
      if (bodies.length > 1)
        return new Response('data: {"choices":[{"delta":{"content":"Yes."},"finish_reason":"stop"}]}\n\n');
      return Response.json({ object: 'error', message: VLLM, code: 400 }, { status: 400, statusText: 'Bad Request' });
    };
    const asks = askHere({ clock, after: clock.after, fetch: fetchAnswer });
    const { languageModels } = models({ a: config('http://a.test/v1') }, { ask: asks });
    expect(await collect(languageModels.stream(ask('hi', withTools)))).toMatchObject({ text: 'Yes.' });
    expect(bodies.map((body) => body.includes('"tools"'))).toEqual([true, false]);
  });

  it('by its configuration is offered none', async () => {
    const { texts, offered, systems, warnings } = await askTwice(refusing(VLLM), { tools: false });
    expect(texts).toEqual(['All is well.', 'All is well.']);
    expect(offered).toEqual([false, false]);
    expect(systems).toEqual(['be brief', 'be brief']);
    expect(warnings).toEqual([]);
  });
});

describe('a language model that takes tools', () => {
  it.each<[string, readonly ScriptedReply[]]>([
    ['that it took before', [{ text: 'Yes.' }, { status: 400, message: VLLM }, { text: 'No.' }]],
    [
      'of which one does not please',
      [{ status: 400, message: 'Invalid schema for tools[0]' }, { text: 'Yes.' }, { text: 'No.' }],
    ],
  ])('and refuses those of one request, %s, is offered others', async (_what, chat) => {
    const { texts, states, warnings } = await askTwice(chat);
    expect(texts).toEqual(['Yes.', 'No.']);
    expect(states).toMatchObject([{ tools: true }]);
    expect(warnings).toEqual([expect.stringContaining('of a request')]);
  });

  it('is asked once where something else is wrong, and offered them again where it was not the tools', async () => {
    const other = await askTwice([{ status: 400, message: 'no such model' }]);
    expect(other.offered).toEqual([true, true]);
    expect(other.errors).toMatchObject([{ code: 'llm/refused' }, { code: 'llm/refused' }]);
    const neither = await askTwice([{ status: 400, message: 'too many tokens in messages and tools' }]);
    expect(neither.offered).toEqual([true, false, true, false]);
    expect(neither.states).toMatchObject([{ tools: true }]);
  });
});
