import { describe, expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../config.js';
import { OpenAiServer, type OpenAiServerOptions } from '../testing/openai-server.js';
import { checkLanguageModel } from './check-language-model.js';

async function check(name: string, key = 'k', chat: OpenAiServerOptions['chat'] = [{ text: 'ready' }], more = {}) {
  const server = await OpenAiServer.start({ chat, apiKey: 'k' });
  onTestFinished(() => server.close());
  const model = { provider: 'openai-compatible', baseUrl: server.url, model: 'm-1', apiKeyEnv: 'KEY', ...more };
  return checkLanguageModel(parseConfig({ llm: { models: { mine: model } } }), name, { KEY: key });
}

describe('the check of a language model', () => {
  it('tells that it answers, and how soon', async () => {
    expect(await check('mine')).toMatchObject({
      status: 'ok',
      detail: expect.stringMatching(/“ready” from m-1.*\d+ ms/),
    });
  });
  it('offers a tool, as a call does, and tells what to do where the server takes none', async () => {
    const refusing: OpenAiServerOptions['chat'] = (body) =>
      body.tools
        ? { status: 400, message: '"auto" tool choice requires --enable-auto-tool-choice' }
        : { text: 'ready' };
    expect(await check('mine', 'k', refusing)).toMatchObject({
      status: 'warn',
      detail: expect.stringMatching(/“ready” from m-1.*takes no tools/),
      fix: expect.stringMatching(/`llm.tools: false`.*--enable-auto-tool-choice/),
    });
    expect(await check('mine', 'k', refusing, { tools: false })).toMatchObject({ status: 'ok' });
    const calling = [{ toolCalls: [{ name: 'clock', arguments: {} }] }];
    expect(await check('mine', 'k', calling)).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('a call of a tool from m-1'),
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
