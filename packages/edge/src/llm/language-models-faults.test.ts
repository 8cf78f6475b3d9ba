import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import { askHere } from './ask-model.js';
import { ask, collect, config, models, passTime, server } from './fixtures/ask-models.js';

describe('language models', () => {
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
});
