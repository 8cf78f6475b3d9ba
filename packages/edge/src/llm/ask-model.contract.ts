import { describe, expect, it, onTestFinished } from 'vitest';
import { OpenAiServer, type OpenAiServerOptions } from '../testing/openai-server.js';
import type { AskModel } from './ask-model.js';
import type { AttemptPart, ModelAsk } from './attempt.js';
import type { ModelSpec } from './model-spec.js';

/** A thread may have to start first. */
const patient = { timeout: 30_000 };

/** A model that is reached at `baseUrl`. */
export function specOf(baseUrl: string, apiKey?: string): ModelSpec {
  return {
    name: 'a',
    config: {
      provider: 'openai-compatible',
      baseUrl,
      model: 'm-1',
      headers: {},
      takes: [],
      maxOutputTokens: 100,
      firstTokenMs: 20_000,
      idleMs: 20_000,
    },
    apiKey,
  };
}

export const question: ModelAsk = {
  messages: [{ role: 'user', content: 'hi' }],
  maxOutputTokens: 100,
  firstTokenMs: 20_000,
  idleMs: 20_000,
};

export async function modelServer(options: OpenAiServerOptions): Promise<OpenAiServer> {
  const server = await OpenAiServer.start(options);
  onTestFinished(() => server.close());
  return server;
}

export const textOf = (parts: readonly AttemptPart[]) =>
  parts.map((part) => (part.type === 'text' ? part.text : '')).join('');

/** All that comes, and what is thrown after it. */
export async function collect(answer: AsyncIterable<AttemptPart>): Promise<{ parts: AttemptPart[]; error?: unknown }> {
  const parts: AttemptPart[] = [];
  try {
    for await (const part of answer) parts.push(part);
    return { parts };
  } catch (error) {
    return { parts, error };
  }
}

/** What every way of asking a model keeps to, wherever it is asked. */
export function askModelContract(name: string, open: () => AskModel): void {
  describe(`${name} keeps the contract of asking a model`, () => {
    const signal = () => new AbortController().signal;
    const askOnce = async (options: OpenAiServerOptions, ask: Partial<ModelAsk> = {}) => {
      const server = await modelServer(options);
      const answer = open()(specOf(server.url, 'k'), { ...question, ...ask }, signal());
      return { server, ...(await collect(answer)) };
    };

    it('gives the text, when its first token came, and its usage at the end', async () => {
      const usage = { prompt_tokens: 12, completion_tokens: 3 };
      const { server, parts } = await askOnce(
        { chat: [{ text: 'all is well', usage }], apiKey: 'k' },
        { system: 'be kind' },
      );
      expect(textOf(parts)).toBe('all is well');
      expect(parts[0]).toMatchObject({ type: 'first-token' });
      expect(parts.at(-1)).toEqual({ type: 'end', reason: 'stop', usage: { tokensIn: 12, tokensOut: 3 } });
      expect(server.chats[0]!.body.messages).toEqual([
        { role: 'system', content: 'be kind' },
        { role: 'user', content: 'hi' },
      ]);
      expect(server.problems).toEqual([]);
    });

    it('gives calls of tools, and says what is wrong with one', async () => {
      const lookup = { name: 'lookup', description: 'looks', parameters: { type: 'object', properties: {} } };
      const toolCalls = [
        { id: 'c1', name: 'lookup', arguments: { q: 'x' } },
        { id: 'c2', name: 'forget', arguments: {} },
        { id: 'c3', name: 'lookup', arguments: '{"q":' },
      ];
      const { parts } = await askOnce({ chat: [{ text: 'let me see', toolCalls }] }, { tools: [lookup] });
      expect(parts.filter(({ type }) => type === 'tool-call')).toMatchObject([
        { callId: 'c1', name: 'lookup', arguments: { q: 'x' } },
        { callId: 'c2', problem: expect.stringContaining('forget') as string },
        { callId: 'c3', problem: expect.stringContaining('cannot be read') as string },
      ]);
      expect(parts.at(-1)).toMatchObject({ type: 'end', reason: 'tool-calls' });
    });

    it('leaves out thoughts that stand in the text', async () => {
      const text = ['<th', 'ink>\nhm', '</thi', 'nk>\n\nAll ', 'is well.'];
      const thought = await askOnce({ chat: [{ text }] });
      expect(textOf(thought.parts)).toBe('All is well.');
      expect(thought.parts[0]).toMatchObject({ type: 'first-token' });
      const unclosed = await askOnce({ chat: [{ text: ['<think>', 'and so on'], finishReason: 'length' }] });
      expect(unclosed.parts).toMatchObject([{ type: 'end', reason: 'length' }]);
      for (const plain of [['<b', '>Yes</b>'], ['<thi']]) {
        expect(textOf((await askOnce({ chat: [{ text: plain }] })).parts)).toBe(plain.join(''));
      }
    });

    it('throws what is wrong, coded, with how long to wait', async () => {
      const refused = await askOnce({ chat: [{ status: 429, retryAfter: 7 }] });
      expect(refused.error).toMatchObject({ code: 'llm/unavailable', retryAfterMs: 7000, retryable: true });
      const denied = await askOnce({ apiKey: 'another' });
      expect(denied.error).toMatchObject({ code: 'llm/denied', retryAfterMs: undefined });
    });

    it('gives what came before an answer broke off', async () => {
      const { parts, error } = await askOnce({ chat: [{ text: 'one two three', cutAfter: 2 }] });
      expect(textOf(parts)).toBe('one two');
      expect(error).toMatchObject({ code: expect.stringMatching(/^llm\/(malformed|unavailable)$/) as string });
    });

    it('gives up on a model that does not begin, and ends the request', async () => {
      const { server, error } = await askOnce({ chat: [{ delayMs: 60_000 }] }, { firstTokenMs: 500 });
      expect(error).toMatchObject({ code: 'llm/timeout' });
      await expect.poll(() => server.chats[0]?.outcome, patient).toBe('aborted');
    });

    it('ends the request where its signal gives it up, and where its reader leaves', async () => {
      const server = await modelServer({ chat: [{ text: 'one two three', stallAfter: 1 }] });
      const abort = new AbortController();
      const aborted = collect(open()(specOf(server.url), question, abort.signal));
      await expect.poll(() => server.chats[0]?.sent, patient).toBe(1);
      abort.abort(new Error('never mind'));
      expect((await aborted).error).toMatchObject({ message: 'never mind' });
      await expect.poll(() => server.chats[0]?.outcome, patient).toBe('aborted');

      for await (const part of open()(specOf(server.url), question, signal())) if (part.type === 'text') break;
      await expect.poll(() => server.chats[1]?.outcome, patient).toBe('aborted');
    });

    it('asks nothing where it was given up before', async () => {
      const server = await modelServer({});
      const { error } = await collect(open()(specOf(server.url), question, AbortSignal.abort(new Error('too late'))));
      expect(error).toMatchObject({ message: 'too late' });
      expect(server.chats).toEqual([]);
    });

    it('keeps answers that come at once apart', async () => {
      const server = await modelServer({
        chat: ({ messages }) => ({
          text: `it was ${JSON.stringify(messages.at(-1)).replaceAll(/\D/g, '')}`,
          tokensPerSecond: 100,
        }),
      });
      const ask = open();
      const texts = await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const messages = [{ role: 'user' as const, content: `what is ${i}` }];
          return textOf((await collect(ask(specOf(server.url), { ...question, messages }, signal()))).parts);
        }),
      );
      expect(texts).toEqual(Array.from({ length: 20 }, (_, i) => `it was ${i}`));
    });
  });
}
