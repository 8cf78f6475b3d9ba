import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../telemetry/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import { askHere } from './ask-model.js';
import { AnthropicServer, type AnthropicReply } from './fixtures/anthropic-server.js';
import { LanguageModels } from './language-models.js';
import { answerCall, toCallsMessage } from './tool-calls.js';
import type { ChatPart, ChatRequest, ModelMessage } from './types.js';

const lookup = {
  name: 'lookup',
  description: 'Looks up.',
  parameters: { type: 'object', properties: { q: { type: 'string' } }, required: ['q'] },
};
const question: ModelMessage = { role: 'user', content: 'how high is it' };

async function setUp(replies: readonly AnthropicReply[], { key = 'secret', webSearch = false } = {}) {
  const server = await AnthropicServer.start(replies);
  onTestFinished(() => server.close());
  const clock = new ManualClock();
  const models = new LanguageModels({
    configs: {
      claude: {
        provider: 'anthropic',
        baseUrl: server.url,
        model: 'm-1',
        apiKeyEnv: 'KEY',
        headers: {},
        takes: [],
        webSearch,
        price: { input: 1, output: 1 },
        maxOutputTokens: 100,
        firstTokenMs: 60_000,
        idleMs: 60_000,
      },
    },
    ask: askHere({ clock, after: clock.after }),
    clock,
    after: clock.after,
    log: silentLog,
    env: { KEY: key },
    random: () => 0,
  });
  const ask = async (more: Partial<ChatRequest> = {}) => {
    const parts: ChatPart[] = [];
    const request = { purpose: 'task', system: 'Be kind.', messages: [question], ...more };
    const stream = models.stream({ signal: new AbortController().signal, ...request });
    for await (const part of stream) parts.push(part);
    const text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
    return { parts, text };
  };
  return { server, clock, models, ask };
}

describe('a model of Anthropic’s, by a strict server of its wire format', () => {
  it('streams text, and counts its tokens', async () => {
    const { server, ask } = await setUp([{ text: ['It is ', 'high.'] }]);
    const { parts, text } = await ask();
    expect(text).toBe('It is high.');
    expect(parts.at(-1)).toMatchObject({
      type: 'done',
      reason: 'stop',
      model: 'claude',
      usage: { tokensIn: 12, tokensOut: 7, estimated: false },
    });
    expect(server.requests).toMatchObject([
      { model: 'm-1', max_tokens: 100, system: [{ text: 'Be kind.' }], messages: [{ role: 'user' }] },
    ]);
    expect(server.problems).toEqual([]);
  });

  it('calls a tool in the middle, and takes its result', async () => {
    const call = { id: 'toolu_1', name: 'lookup', input: { q: 'tower' } };
    const { server, ask } = await setUp([{ text: ['Let me see.'], toolUse: call }, { text: ['330 metres.'] }]);
    const first = await ask({ tools: [lookup] });
    expect(first.parts).toContainEqual({
      type: 'tool-call',
      callId: 'toolu_1',
      name: 'lookup',
      arguments: { q: 'tower' },
    });
    expect(first.parts.at(-1)).toMatchObject({ type: 'done', reason: 'tool-calls' });
    const about = { toolCallId: 'toolu_1', toolName: 'lookup' };
    const { text } = await ask({
      tools: [lookup],
      messages: [
        question,
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'Let me see.' },
            { type: 'tool-call', ...about, input: call.input },
          ],
        },
        { role: 'tool', content: [{ type: 'tool-result', ...about, output: { type: 'text', value: '330 m' } }] },
      ],
    });
    expect(text).toBe('330 metres.');
    expect(server.requests[1]!.messages.at(-1)!.content).toEqual([
      { type: 'tool_result', tool_use_id: 'toolu_1', content: '330 m' },
    ]);
    expect(server.problems).toEqual([]);
  });

  it('is told what is wrong with arguments that cannot be read, and goes on', async () => {
    const { server, ask } = await setUp([{ text: ['Then no.'] }]);
    const call = { type: 'tool-call', callId: 't', name: 'lookup', arguments: '{"q":', problem: 'no JSON' } as const;
    const result = await answerCall(call, () => Promise.reject(new Error('never called')));
    const messages: ModelMessage[] = [question, toCallsMessage('\n', [call]), { role: 'tool', content: [result] }];
    expect((await ask({ tools: [lookup], messages })).text).toBe('Then no.');
    expect(server.problems).toEqual([]);
    expect(server.requests[0]!.messages.slice(1)).toMatchObject([
      { content: [{ type: 'tool_use', input: {} }] },
      { content: [{ type: 'tool_result', is_error: true, content: expect.stringContaining('no JSON') as unknown }] },
    ]);
  });

  it('searches the web by itself, where it may, and only then', async () => {
    const search = { query: 'tower', title: 'The tower', url: 'https://tower.example.com/' };
    const { server, ask } = await setUp([{ text: ['Let me look. ', 'It is high.'], search }], { webSearch: true });
    const { parts, text } = await ask({ tools: [lookup], webSearch: true });
    expect(text).toBe('Let me look. It is high.');
    // What the provider has done is nobody's to do again.
    expect(parts.filter(({ type }) => type === 'tool-call')).toEqual([]);
    expect(parts.at(-1)).toMatchObject({ type: 'done', reason: 'stop' });
    await ask();
    expect(server.requests.map(({ tools }) => tools)).toMatchObject([
      [{ name: 'lookup' }, { type: 'web_search_20250305', name: 'web_search', max_uses: 3 }],
      undefined as never,
    ]);
    expect(server.problems).toEqual([]);
    const without = await setUp([{ text: ['No.'] }]);
    await without.ask({ webSearch: true });
    expect(without.server.requests[0]).not.toHaveProperty('tools');
  });

  it('is asked again when it says so, where it is overloaded', async () => {
    const { server, clock, models, ask } = await setUp([{ status: 529, retryAfter: 7 }, { text: ['Now.'] }]);
    const asked = ask();
    await expect.poll(() => server.requests.length).toBe(1);
    await expect.poll(() => models.states[0]!.coolingMs).toBe(7_000);
    clock.advance(6_900);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.requests).toHaveLength(1);
    clock.advance(200);
    expect((await asked).text).toBe('Now.');
  });

  it('an error in the middle of a stream fails the answer, and nothing is streamed twice', async () => {
    const error = { type: 'overloaded_error', message: 'Overloaded' };
    const { server, ask } = await setUp([{ text: ['It is'], error }]);
    await expect(ask()).rejects.toMatchObject({ code: expect.stringMatching(/^llm\//) as unknown });
    expect(server.requests).toHaveLength(1);
  });

  it('a key that is refused is not tried again', async () => {
    const { server, ask } = await setUp([{ text: ['x'] }], { key: 'wrong' });
    await expect(ask()).rejects.toMatchObject({ code: 'llm/denied' });
    expect(server.requests).toEqual([]);
  });
});
