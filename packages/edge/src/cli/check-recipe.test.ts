import { describe, expect, it, onTestFinished } from 'vitest';
import { parseConfig, type EdgeConfig } from '../config.js';
import { engineHosts } from '../engine/fixtures/engine-hosts.js';
import { tinyGraph, tinyManifest, writeBundle } from '../engine/fixtures/tiny-bundle.js';
import type { Environment } from '../recipes/index.js';
import { OpenAiServer, type OpenAiServerOptions } from '../testing/openai-server.js';
import { SpeechServer, type SpeechServerOptions } from '../testing/speech-server.js';
import { checkRecipe } from './check-recipe.js';
import type { CheckResult } from './check-result.js';

const { start: startEngine, folders } = engineHosts();

interface World {
  readonly bundle?: string;
  readonly openAi?: OpenAiServerOptions;
  readonly speech?: SpeechServerOptions;
  readonly recipe?: object;
  readonly realtime?: boolean;
  readonly env?: Record<string, string>;
}

/** A recipe whose every stage is a strict server of this machine, and what the doctor says of it. */
async function check({ bundle, openAi, speech, recipe, realtime, env = { KEY: 'k' } }: World = {}) {
  const http = await OpenAiServer.start({
    apiKey: 'k',
    chat: [{ text: 'ready', delayMs: 120 }],
    transcribe: () => 'what time is the next train to London',
    ...openAi,
  });
  onTestFinished(() => http.close());
  const sound = await SpeechServer.start({ apiKey: 'k', speak: [{ delayMs: 80 }], ...speech });
  onTestFinished(() => sound.close());
  const service = { baseUrl: http.url, apiKeyEnv: 'KEY' };
  const spoken = { baseUrl: sound.url, apiKeyEnv: 'KEY' };
  const transcriber = realtime
    ? { provider: 'realtime', ...spoken, model: 'stt' }
    : { provider: 'openai-compatible', ...service, model: 'stt' };
  const mine = {
    llm: { ...service, model: 'llm' },
    transcriber,
    voice: { provider: 'openai-compatible', ...spoken, model: 'tts', voice: 'alloy' },
    ...recipe,
  };
  const config = parseConfig({ recipes: { mine }, ...(bundle !== undefined && { engine: { bundle } }) });
  const results = await collect(config, 'mine', env);
  expect([...http.problems, ...sound.problems]).toEqual([]);
  return results;
}

async function collect(config: EdgeConfig, name: string, env: Environment): Promise<Record<string, CheckResult>> {
  const results: Record<string, CheckResult> = {};
  for await (const [check, result] of checkRecipe(config, name, env, startEngine)) results[check] = result;
  return results;
}

const budgetOf = (results: Record<string, CheckResult>) =>
  /floor (\d+) \+ words (\d+) \+ LLM (\d+) \+ voice (\d+) = (\d+) ms/
    .exec(results['mine, latency budget']!.detail)!
    .slice(1)
    .map(Number);

describe('the check of a recipe', () => {
  it('asks every stage, and adds up how long the user waits', async () => {
    const results = await check();
    expect(results['mine, words']).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('“what time is the next train to London” from stt'),
    });
    expect(results['mine, LLM']).toMatchObject({ status: 'ok', detail: expect.stringContaining('“ready” from llm') });
    expect(results['mine, voice']).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('first sound after'),
    });
    const [floor, words, llm, voice, sum] = budgetOf(results);
    expect(results['mine, floor']!.detail).toMatch(
      new RegExp(`^nano \\S+ yielded ${floor} ms after the end of the sound`),
    );
    expect(llm).toBeGreaterThanOrEqual(115);
    expect(voice).toBeGreaterThanOrEqual(75);
    expect(sum).toBe(floor! + words! + llm! + voice!);
  });

  it('speaks to a Realtime transcriber as a call would, and waits for a patient floor to yield twice', async () => {
    const hear = { words: (heardMs: number) => (heardMs > 1000 ? 'what time is it' : ''), delayMs: 60 };
    const results = await check({ realtime: true, speech: { hear }, recipe: { eagerness: 'patient' } });
    expect(results['mine, words']).toMatchObject({ status: 'ok', detail: expect.stringContaining('what time is it') });
    const [floor, words] = budgetOf(results);
    expect(results['mine, floor']!.detail).toContain('yielded twice in a row');
    expect(floor).toBeGreaterThan(200);
    expect(words).toBeGreaterThanOrEqual(55);
  });

  it('needs no service for the words and the voice of the bundle', async () => {
    const results = await check({ recipe: { transcriber: { provider: 'bundle' }, voice: { provider: 'flite' } } });
    expect(results['mine, words']).toMatchObject({ status: 'ok', detail: expect.stringContaining('the bundle’s own') });
    expect(results['mine, latency budget']).toMatchObject({ status: 'ok' });
  });

  it('adds nothing up where the bundle never yields', async () => {
    const files = { 'step.onnx': tinyGraph() };
    const bundle = await writeBundle(tinyManifest(files), files);
    folders.push(bundle);
    const results = await check({ bundle });
    expect(results['mine, floor']).toMatchObject({ status: 'warn', detail: expect.stringContaining('did not yield') });
    expect(results['mine, LLM']).toMatchObject({ status: 'ok' });
    expect(results).not.toHaveProperty('mine, latency budget');
  });

  it('names the code and a way out of each stage that fails, measures the others, and adds nothing up', async () => {
    const results = await check({
      openAi: { chat: [{ status: 400 }], transcribe: () => ({ status: 500 }) },
      speech: { speak: [{ status: 500 }] },
    });
    for (const [stage, code] of [
      ['words', 'transcriber/failed'],
      ['LLM', 'llm/'],
      ['voice', 'voice/failed'],
    ]) {
      const result = results[`mine, ${stage}`]!;
      expect(result).toMatchObject({ status: 'fail', detail: expect.stringContaining(`(${code}`) });
      expect(result.fix).not.toBe('');
    }
    expect(results['mine, floor']).toMatchObject({ status: 'ok' });
    expect(results).not.toHaveProperty('mine, latency budget');
  });

  it('says which stages have no key, and that silence is no transcript', async () => {
    const keyless = await check({ env: {} });
    for (const stage of ['words', 'LLM', 'voice']) {
      expect(keyless[`mine, ${stage}`]).toMatchObject({
        status: 'fail',
        detail: expect.stringMatching(/KEY is not set.*edge\/config/),
      });
    }
    const deaf = await check({ openAi: { chat: [{ text: 'ready' }], transcribe: () => '' } });
    expect(deaf['mine, words']).toMatchObject({ status: 'warn' });
    expect(deaf).not.toHaveProperty('mine, latency budget');
  });

  it('knows no recipe that there is not, and asks nothing of the bundle alone', async () => {
    await expect(collect(parseConfig({}), 'nowhere', {})).rejects.toMatchObject({ code: 'edge/config' });
    expect(await collect(parseConfig({}), 'nano', {})).toMatchObject({ 'recipe nano': { status: 'ok' } });
  });
});
