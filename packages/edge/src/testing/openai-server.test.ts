import { describe, expect, it, onTestFinished } from 'vitest';
import { OpenAiServer } from './openai-server.js';

const chat = { model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] };
const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } };

async function post(body: object): Promise<{ status: number; problems: string[] }> {
  const server = await OpenAiServer.start();
  onTestFinished(() => server.close());
  const { status } = await fetch(`${server.url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status, problems: server.problems };
}

describe('the strict server', () => {
  it('takes what is in order', async () => {
    expect(await post(chat)).toEqual({ status: 200, problems: [] });
    expect(await post({ ...chat, max_completion_tokens: 3 })).toEqual({ status: 200, problems: [] });
  });

  it.each<[string, object]>([
    ['an unknown field', { ...chat, max_token: 3 }],
    ['no stream', { ...chat, stream: false }],
    ['no messages', { ...chat, messages: [] }],
    ['an unknown role', { ...chat, messages: [{ role: 'agent', content: 'x' }] }],
    ['an empty assistant', { ...chat, messages: [{ role: 'assistant', content: '' }] }],
    ['a result of no call', { ...chat, messages: [{ role: 'tool', tool_call_id: 'c1', content: 'x' }] }],
    ['a call without its result', { ...chat, messages: [{ role: 'assistant', tool_calls: [call] }] }],
    [
      'a result that comes too late',
      {
        ...chat,
        messages: [
          { role: 'assistant', tool_calls: [call] },
          { role: 'user', content: 'x' },
          { role: 'tool', tool_call_id: 'c1', content: 'x' },
        ],
      },
    ],
    ['a tool whose name it would not take', { ...chat, tools: [{ type: 'function', function: { name: 'a b' } }] }],
  ])('refuses %s, and keeps why', async (_name, body) => {
    const { status, problems } = await post(body);
    expect(status).toBe(400);
    expect(problems).toHaveLength(1);
  });
});
