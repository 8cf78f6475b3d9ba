import { describe, expect, it, onTestFinished } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import { OpenAiServer, type OpenAiServerOptions } from '../testing/openai-server.js';
import { silentLog } from '../telemetry/index.js';
import { askHere } from './ask-model.js';
import { Budget } from './budget.js';
import { LanguageModels, type LanguageModelsParts } from './language-models.js';
import type { LanguageModelConfigs } from './model-config.js';
import type { ChatPart, ChatRequest } from './types.js';

async function server(options: OpenAiServerOptions = {}): Promise<OpenAiServer> {
  const started = await OpenAiServer.start(options);
  onTestFinished(() => started.close());
  return started;
}

const config = (baseUrl: string, more: object = {}): LanguageModelConfigs[string] => ({
  provider: 'openai-compatible',
  baseUrl,
  model: 'm-1',
  headers: {},
  takes: [],
  maxOutputTokens: 100,
  firstTokenMs: 20_000,
  idleMs: 20_000,
  ...more,
});

function models(configs: LanguageModelConfigs, more: Partial<LanguageModelsParts> = {}) {
  const clock = new ManualClock();
  const languageModels = new LanguageModels({
    configs,
    ask: askHere({ clock, after: clock.after }),
    clock,
    after: clock.after,
    log: silentLog,
    env: {},
    random: () => 0.5,
    ...more,
  });
  return { clock, languageModels };
}

const ask = (text = 'hi', more: Partial<ChatRequest> = {}): ChatRequest => ({
  purpose: 'task',
  messages: [{ role: 'user', content: text }],
  signal: new AbortController().signal,
  ...more,
});

async function collect(stream: AsyncIterable<ChatPart>): Promise<{ parts: ChatPart[]; text: string; error?: unknown }> {
  const parts: ChatPart[] = [];
  const text = () => parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
  try {
    for await (const part of stream) parts.push(part);
  } catch (error) {
    return { parts, text: text(), error };
  }
  return { parts, text: text() };
}

/** Moves the clock whenever somebody waits on it. */
async function passTime(clock: ManualClock, done: Promise<unknown>, stepMs = 1000): Promise<void> {
  const over = new AbortController();
  void done.finally(() => over.abort());
  while (!over.signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    clock.advance(stepMs);
  }
}

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

  it('fault 29: a provider that answers 429 is left alone for as long as it says, with jitter on top', async () => {
    const openai = await server({ chat: [{ status: 429, retryAfter: 7 }, { text: 'now' }] });
    const { clock, languageModels } = models({ a: config(openai.url) });
    const answer = collect(languageModels.stream(ask()));
    await passTime(clock, answer, 100);
    expect((await answer).text).toBe('now');
    expect(clock.now()).toBeGreaterThanOrEqual(7350);
    expect(clock.now()).toBeLessThan(9000);
  });

  it('fault 29: one that answers 503 is asked again after pauses that grow, and given up after four attempts', async () => {
    const openai = await server({ chat: [{ status: 503 }] });
    const { clock, languageModels } = models({ a: config(openai.url) });
    const answer = collect(languageModels.stream(ask()));
    await passTime(clock, answer, 50);
    expect((await answer).error).toMatchObject({ code: 'llm/unavailable', retryable: true });
    expect(openai.chats).toHaveLength(4);
    // Half of 500, 1000 and 2000 ms, by the random numbers of this test.
    expect(clock.now()).toBeGreaterThanOrEqual(1750);
  });

  it('fault 29: one that wants to be left alone for an hour is not waited for', async () => {
    const openai = await server({ chat: [{ status: 429, retryAfter: 3600 }] });
    const { languageModels } = models({ a: config(openai.url) });
    expect((await collect(languageModels.stream(ask()))).error).toMatchObject({ code: 'llm/unavailable' });
    expect(openai.chats).toHaveLength(1);
  });

  it('another model takes over at once where one fails, and the one that failed is left alone meanwhile', async () => {
    const broken = await server({ chat: [{ status: 500 }] });
    const denied = await server({ apiKey: 'other' });
    const sound = await server({ chat: [{ text: 'here' }] });
    const { clock, languageModels } = models({
      broken: config(broken.url),
      denied: config(denied.url),
      sound: config(sound.url),
    });
    for (const _ of [1, 2]) expect((await collect(languageModels.stream(ask()))).text).toBe('here');
    expect([broken.chats.length, sound.chats.length, clock.now()]).toEqual([1, 2, 0]);
    expect(languageModels.states[0]).toMatchObject({ failures: 1, coolingMs: 250 });
  });

  it('a wrong request is not sent twice to the same model', async () => {
    const openai = await server({ chat: [{ status: 400 }] });
    const { languageModels } = models({ a: config(openai.url) });
    expect((await collect(languageModels.stream(ask()))).error).toMatchObject({
      code: 'llm/refused',
      message: expect.stringContaining('scripted 400'),
    });
    expect(openai.chats).toHaveLength(1);
  });

  it.each<[string, string, string]>([
    ['a page', 'text/html; charset=utf-8', '<!doctype html>'],
    ['JSON', 'application/json', '{"object":"chat.completion","choices":[]}'],
    ['JSON that calls itself a stream', 'text/event-stream', ' \n{"error":"no"}'],
    ['some text', 'text/plain', 'date: today'],
  ])('an address that answers with %s is not asked again, and it is said what came', async (_what, type, body) => {
    let requests = 0;
    const fetchAnswer = async () => {
      requests++;
      return new Response(body, { status: 200, headers: { 'content-type': type } });
    };
    const clock = new ManualClock();
    const asks = askHere({ clock, after: clock.after, fetch: fetchAnswer });
    const { languageModels } = models({ a: config('http://a.test/v1') }, { ask: asks });
    const { error } = await collect(languageModels.stream(ask()));
    expect(error).toMatchObject({
      code: 'llm/refused',
      retryable: false,
      message: expect.stringContaining(`HTTP 200 with ${type}`) as string,
      hint: expect.stringContaining('baseUrl') as string,
    });
    expect(requests).toBe(1);
  });

  it.each([[': one moment\n\n'], ['\uFEFFevent: x\n'], ['\n', 'd', 'ata:', ' ']])(
    'a stream is one whatever it calls itself, however it begins, and wherever it is cut',
    async (...begin) => {
      const chunk = { choices: [{ index: 0, delta: { content: 'well' }, finish_reason: 'stop' }] };
      const pieces = [...begin, begin.length > 1 ? '' : 'data: ', JSON.stringify(chunk), '\n\ndata: [DONE]\n\n'];
      const fetchAnswer = async () => {
        const body = new ReadableStream({
          start: (controller) => {
            for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
            controller.close();
          },
        });
        return new Response(body, { headers: { 'content-type': 'text/plain' } });
      };
      const clock = new ManualClock();
      const asks = askHere({ clock, after: clock.after, fetch: fetchAnswer });
      const { languageModels } = models({ a: config('http://a.test/v1') }, { ask: asks });
      expect(await collect(languageModels.stream(ask()))).toMatchObject({ text: 'well' });
    },
  );

  it('a wrong request, or a wrong key, makes nobody wait who asks after it', async () => {
    const openai = await server({ chat: [{ status: 400 }, { text: 'well' }] });
    const denied = await server({ apiKey: 'other' });
    const { clock, languageModels } = models({ a: config(openai.url), b: config(denied.url) });
    await collect(languageModels.stream(ask('hi', { models: ['a'] })));
    expect((await collect(languageModels.stream(ask('hi', { models: ['a'] })))).text).toBe('well');
    for (const _ of [1, 2])
      expect(await collect(languageModels.stream(ask('hi', { models: ['b'] })))).toMatchObject({
        error: { code: 'llm/denied' },
      });
    expect(languageModels.states.map(({ failures }) => failures)).toEqual([0, 2]);
    expect(clock.now()).toBe(0);
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

  it('fault 28: a model that never begins, or stops in the middle, is given up in time, and its request ended', async () => {
    const openai = await server({ chat: [{ delayMs: 60_000 }, { text: 'half an answer', stallAfter: 2 }] });
    const { clock, languageModels } = models({ a: config(openai.url, { firstTokenMs: 3000, idleMs: 2000 }) });
    const answer = collect(languageModels.stream(ask()));
    await passTime(clock, answer, 200);
    const { text, error } = await answer;
    expect(text).toBe('half an');
    expect(error).toMatchObject({ code: 'llm/timeout' });
    await expect.poll(() => openai.chats.map(({ outcome }) => outcome)).toEqual(['aborted', 'aborted']);
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['a line that is no JSON', { text: 'one two', malformedAfter: 1 }],
    ['a stream that ends without an end', { text: 'one two', endAfter: 1 }],
    ['a connection that is cut', { text: 'one two', cutAfter: 1 }],
  ])('fault 30: %s fails the answer, and what was streamed is not streamed again', async (_name, reply) => {
    const openai = await server({ chat: [reply, { text: 'another' }] });
    const { languageModels } = models({ a: config(openai.url) });
    const { text, error } = await collect(languageModels.stream(ask()));
    expect(text).toBe('one');
    expect(error).toMatchObject({ code: expect.stringMatching(/^llm\/(malformed|unavailable)$/) });
    expect(openai.chats).toHaveLength(1);
  });

  it('fault 30: an answer without end is cut at its bound, and one huge line is refused', async () => {
    const endless = Array.from({ length: 5000 }, () => 'word ');
    const openai = await server({ chat: [{ text: endless }, { text: ['x'.repeat(6_000_000)] }] });
    const { clock, languageModels } = models({ a: config(openai.url, { maxOutputTokens: 100 }) });
    const { text, parts } = await collect(languageModels.stream(ask()));
    expect(text.length).toBeLessThan(2000);
    expect(parts.at(-1)).toMatchObject({ type: 'done', reason: 'length', usage: { estimated: true } });
    const huge = collect(languageModels.stream(ask()));
    await passTime(clock, huge);
    expect(await huge).toMatchObject({ text: '', error: { code: 'llm/malformed' } });
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
