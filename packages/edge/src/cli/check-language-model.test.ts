import { describe, expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../config.js';
import { OpenAiServer } from '../testing/openai-server.js';
import { checkLanguageModel } from './check-language-model.js';

async function check(name: string, key = 'k') {
  const server = await OpenAiServer.start({ chat: [{ text: 'ready' }], apiKey: 'k' });
  onTestFinished(() => server.close());
  const model = { provider: 'openai-compatible', baseUrl: server.url, model: 'm-1', apiKeyEnv: 'KEY' };
  return checkLanguageModel(parseConfig({ llm: { models: { mine: model } } }), name, { KEY: key });
}

describe('the check of a language model', () => {
  it('tells that it answers, and how soon', async () => {
    expect(await check('mine')).toMatchObject({
      status: 'ok',
      detail: expect.stringMatching(/“ready” from m-1.*\d+ ms/),
    });
  });
  it('names the models that there are', async () => {
    expect(await check('other')).toMatchObject({ status: 'fail', fix: 'it has: mine' });
  });
  it('passes on what the provider says of the key', async () => {
    await expect(check('mine', 'wrong')).rejects.toMatchObject({ code: 'llm/denied' });
    await expect(check('mine', '')).rejects.toMatchObject({ code: 'edge/config' });
  });
});
