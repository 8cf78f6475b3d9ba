import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import { parseChatCompletion } from '../testing/openai-wire.js';
import { question, specOf } from './ask-model.contract.js';
import { askHere } from './ask-model.js';
import { toModelSpec } from './model-spec.js';

async function bodyOf(baseUrl: string, more: object = {}): Promise<Record<string, unknown>> {
  let body = '{}';
  const fetchAnswer: typeof fetch = async (_url, init) => {
    body = init!.body as string;
    return new Response(null, { status: 500 });
  };
  const clock = new ManualClock();
  const spec = specOf(baseUrl);
  const ask = askHere({ clock, after: clock.after, fetch: fetchAnswer });
  const config = { ...spec.config, ...more };
  await expect(async () => {
    for await (const _ of ask({ ...spec, config }, question, new AbortController().signal));
  }).rejects.toMatchObject({ code: 'llm/unavailable' });
  const parsed = JSON.parse(body) as Record<string, unknown>;
  expect(parseChatCompletion(parsed)).toEqual(parsed);
  return parsed;
}

describe('the bound of an answer', () => {
  it.each([
    ['https://api.openai.com/v1', {}, 'max_completion_tokens'],
    ['https://eu.api.openai.com/v1', {}, 'max_completion_tokens'],
    ['https://mine.openai.azure.com/openai/v1', {}, 'max_completion_tokens'],
    ['https://openai.azure.com.example/v1', {}, 'max_tokens'],
    ['https://my-api.openai.com.test/v1', {}, 'max_tokens'],
    ['http://127.0.0.1:8000/v1', {}, 'max_tokens'],
    ['http://127.0.0.1:4000/v1', { tokenLimit: 'max_completion_tokens' }, 'max_completion_tokens'],
    ['https://mine.openai.azure.com/openai/v1', { tokenLimit: 'max_tokens' }, 'max_tokens'],
  ])('at %s, with %j, is called %s', async (baseUrl, more, name) => {
    const { max_tokens, max_completion_tokens } = await bodyOf(baseUrl, more);
    expect({ max_tokens, max_completion_tokens }).toEqual({
      max_tokens: undefined,
      max_completion_tokens: undefined,
      [name]: 100,
    });
  });
});

describe('a key', () => {
  const config = { ...specOf('http://127.0.0.1:9/v1').config, apiKeyEnv: 'KEY' };

  it('is taken without what ends its line', () => {
    expect(toModelSpec('a', config, { KEY: 'k\r\n' })).toMatchObject({ apiKey: 'k' });
  });

  it('is none where there is nothing but that', () => {
    expect(() => toModelSpec('a', config, { KEY: '\n' })).toThrow('KEY is not set');
  });
});
