import { describe, expect, it } from 'vitest';
import { Budget } from './budget.js';
import { ask, collect, config, models, server } from './fixtures/ask-models.js';
import type { ChatPart, ChatRequest } from './types.js';

describe('language models', () => {
  it('may have the provider search the web, where request and configuration both say so', async () => {
    const openai = await server({ chat: [{ text: 'found' }] });
    const { languageModels } = models({
      'my.searcher-1': config(openai.url, { webSearch: true }),
      plain: config(openai.url),
    });
    for (const name of ['my.searcher-1', 'plain']) {
      for (const webSearch of [true, undefined]) {
        await collect(languageModels.stream(ask('hi', { models: [name], webSearch })));
      }
    }
    expect(openai.chats.map(({ body }) => body.web_search_options)).toEqual([{}, undefined, undefined, undefined]);
    expect(openai.problems).toEqual([]);
  });

  it('stream text, and say which model, how many tokens and what they cost', async () => {
    const openai = await server({
      chat: [{ text: 'all is well', usage: { prompt_tokens: 1000, completion_tokens: 500 } }],
      apiKey: 'k',
    });
    const price = { input: 2, output: 4 };
    const { languageModels } = models(
      { a: config(openai.url, { apiKeyEnv: 'KEY', price, headers: { 'x-app': 'demo' } }) },
      { env: { KEY: 'k' } },
    );
    const { parts, text } = await collect(languageModels.stream(ask('hi', { system: 'be brief' })));
    expect(text).toBe('all is well');
    expect(parts.at(-1)).toMatchObject({
      type: 'done',
      reason: 'stop',
      model: 'a',
      usage: { tokensIn: 1000, tokensOut: 500, cost: 0.004, estimated: false },
    });
    expect(openai.chats[0]).toMatchObject({
      body: {
        model: 'm-1',
        max_tokens: 100,
        messages: [
          { role: 'system', content: 'be brief' },
          { role: 'user', content: 'hi' },
        ],
      },
      headers: { 'x-app': 'demo' },
    });
    expect(openai.problems).toEqual([]);
    expect(languageModels.states).toMatchObject([{ name: 'a', failures: 0, firstTokenMs: 0 }]);
    expect(languageModels.firstTokenMs).toBe(0);
  });

  it('refuse at the start where a key is not there', () => {
    expect(() => models({ a: config('http://127.0.0.1:9/v1', { apiKeyEnv: 'MISSING' }) })).toThrow(
      expect.objectContaining({ code: 'edge/config' }),
    );
  });

  it('stream calls of tools, and take the results back in the same form', async () => {
    const openai = await server({
      chat: [
        { text: 'let me see', toolCalls: [{ id: 'c1', name: 'lookup', arguments: { q: 'x' } }] },
        { text: 'found' },
      ],
    });
    const { languageModels } = models({ a: config(openai.url) });
    const tools = [{ name: 'lookup', description: 'looks', parameters: { type: 'object', properties: {} } }];
    const first = await collect(languageModels.stream(ask('hi', { tools })));
    expect(first.parts.slice(-2)).toMatchObject([
      { type: 'tool-call', callId: 'c1', name: 'lookup', arguments: { q: 'x' } },
      { type: 'done', reason: 'tool-calls' },
    ]);
    const messages: ChatRequest['messages'] = [
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: first.text },
          { type: 'tool-call', toolCallId: 'c1', toolName: 'lookup', input: { q: 'x' } },
        ],
      },
      {
        role: 'tool',
        content: [
          { type: 'tool-result', toolCallId: 'c1', toolName: 'lookup', output: { type: 'text', value: 'x is 4' } },
        ],
      },
    ];
    expect((await collect(languageModels.stream(ask('hi', { tools, messages })))).text).toBe('found');
    expect(openai.problems).toEqual([]);
  });

  it('say where a model called a tool that there is not, or with arguments that are no JSON, or no object', async () => {
    const openai = await server({
      chat: [
        {
          toolCalls: [
            { name: 'nowhere', arguments: {} },
            { name: 'lookup', arguments: '{"q":' },
            { name: 'lookup', arguments: '["q"]' },
          ],
        },
      ],
    });
    const { languageModels } = models({ a: config(openai.url) });
    const tools = [{ name: 'lookup', description: 'looks', parameters: { type: 'object', properties: {} } }];
    const { parts, error } = await collect(languageModels.stream(ask('hi', { tools })));
    expect(error).toBeUndefined();
    const calls = parts.filter((part) => part.type === 'tool-call');
    expect(calls.map(({ name, problem }) => [name, problem !== undefined])).toEqual([
      ['nowhere', true],
      ['lookup', true],
      ['lookup', true],
    ]);
  });

  it('the rules of the app choose, and see how each model fares', async () => {
    const fast = await server({ chat: [{ text: 'fast' }] });
    const wise = await server({ chat: [{ text: 'wise' }] });
    const { languageModels } = models(
      { fast: config(fast.url), wise: config(wise.url) },
      {
        route: ({ purpose }, candidates) => (purpose === 'draft' ? ['fast'] : candidates.map((m) => m.name).reverse()),
      },
    );
    expect((await collect(languageModels.stream(ask('hi', { purpose: 'draft' })))).text).toBe('fast');
    expect((await collect(languageModels.stream(ask()))).text).toBe('wise');
    expect((await collect(languageModels.stream(ask('hi', { models: ['fast'] })))).text).toBe('fast');
  });

  it('only a model that takes sound is asked with sound', async () => {
    const openai = await server({ chat: [{ text: 'heard' }] });
    const audio = { type: 'file' as const, data: new Uint8Array([82, 73, 70, 70]), mediaType: 'audio/wav' };
    const request = ask('', { messages: [{ role: 'user', content: [audio] }], needs: ['audio'] });
    const deaf = models({ a: config(openai.url) }).languageModels;
    expect((await collect(deaf.stream(request))).error).toMatchObject({ code: 'llm/none' });
    const { languageModels } = models({ a: config(openai.url), b: config(openai.url, { takes: ['audio'] }) });
    expect((await collect(languageModels.stream(request))).parts.at(-1)).toMatchObject({ model: 'b' });
    expect(openai.problems).toEqual([]);
  });

  it('a request that its caller gives up ends at the server too', async () => {
    const openai = await server({ chat: [{ text: 'a b c d e f g h', tokensPerSecond: 20 }] });
    const { clock, languageModels } = models({ a: config(openai.url) });
    const abort = new AbortController();
    const parts: ChatPart[] = [];
    const reading = (async () => {
      for await (const part of languageModels.stream(ask('hi', { signal: abort.signal }))) {
        parts.push(part);
        if (parts.length === 2) abort.abort();
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'session/aborted' });
    await expect.poll(() => openai.chats[0]?.outcome).toBe('aborted');
    expect(clock.pending).toBe(0);
    // And one whose reader just leaves.
    for await (const _ of languageModels.stream(ask())) break;
    await expect.poll(() => openai.chats[1]?.outcome).toBe('aborted');
    expect(clock.pending).toBe(0);
  });

  it('an answer that was given up before its first word has cost its prompt', async () => {
    const openai = await server({ chat: [{ text: 'late', delayMs: 60_000 }] });
    const { languageModels } = models({ a: config(openai.url, { price: { input: 1_000_000, output: 0 } }) });
    const abort = new AbortController();
    const budget = new Budget();
    const reading = collect(languageModels.stream(ask('hi there', { signal: abort.signal, budget })));
    await expect.poll(() => openai.chats).toHaveLength(1);
    abort.abort();
    expect((await reading).error).toMatchObject({ code: 'session/aborted' });
    expect(budget.spent).toEqual({ tokensIn: 2, tokensOut: 0, cost: 2 });
  });

  it('and its pictures, by an estimate', async () => {
    const openai = await server({ chat: [{ text: 'late', delayMs: 60_000 }] });
    const { languageModels } = models({ a: config(openai.url, { takes: ['image'] }) });
    const abort = new AbortController();
    const budget = new Budget();
    const picture = { type: 'file' as const, data: Uint8Array.of(1, 2, 3), mediaType: 'image/png' };
    const content = [{ type: 'text' as const, text: 'hi there' }, picture, picture];
    const request = { ...ask('', { signal: abort.signal, budget }), messages: [{ role: 'user' as const, content }] };
    const reading = collect(languageModels.stream(request));
    await expect.poll(() => openai.chats).toHaveLength(1);
    abort.abort();
    await reading;
    expect(budget.spent).toEqual({ tokensIn: 3002, tokensOut: 0, cost: 0 });
  });

  it('a spent budget ends the asking, also where the money is gone before the tokens', async () => {
    const openai = await server({ chat: [{ text: 'ok', usage: { prompt_tokens: 60, completion_tokens: 20 } }] });
    const { languageModels } = models({ a: config(openai.url, { price: { input: 0, output: 1_000_000 } }) });
    const tokens = new Budget({ tokens: 100 });
    await collect(languageModels.stream(ask('hi', { budget: tokens })));
    expect(tokens.spent).toEqual({ tokensIn: 60, tokensOut: 20, cost: 20 });
    await collect(languageModels.stream(ask('hi', { budget: tokens })));
    expect(openai.chats[1]!.body.max_tokens).toBe(20);
    expect((await collect(languageModels.stream(ask('hi', { budget: tokens })))).error).toMatchObject({
      code: 'llm/budget',
    });
    const money = new Budget({ cost: 20 });
    await collect(languageModels.stream(ask('hi', { budget: money })));
    expect((await collect(languageModels.stream(ask('hi', { budget: money })))).error).toMatchObject({
      code: 'llm/budget',
    });
    expect(openai.chats).toHaveLength(3);
  });
});
