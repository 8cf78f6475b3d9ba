import { writeFile } from 'node:fs/promises';
import { OpenAiServer } from '@microturn/edge/testing';
import { AnthropicServer } from '../../packages/edge/src/llm/fixtures/anthropic-server.js';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { InteractionSession } from '../../packages/sdk-js/src/index.js';
import { EdgeProcess } from '../support/edge-process.js';
import { connectSdk } from '../support/sdk-session.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(100_000, 3)]);
const imageUrl = (bytes: Buffer) => ({
  type: 'image_url',
  image_url: { url: `data:image/png;base64,${bytes.toString('base64')}` },
});

// `npm test` provides the worker.
describe.skipIf(!process.env['MEDIASOUP_WORKER_BIN'])('a recipe, by the SDK and an edge of its own', () => {
  let session: InteractionSession | undefined;
  let edge: EdgeProcess | undefined;
  afterEach(async () => {
    await session?.close();
    await edge?.stop();
  });

  async function connectTo(llm: object, env: NodeJS.ProcessEnv = {}) {
    await using folder = await TemporaryFolder.create();
    await writeFile(folder.file('edge.json'), JSON.stringify({ recipes: { test: { llm } } }));
    edge = await EdgeProcess.start({ args: ['--config', folder.file('edge.json')], env });
    return (session = await connectSdk(edge, { recipe: 'test' }));
  }

  async function callWith(llm: object) {
    const server = await OpenAiServer.start({ chat: [{ text: 'I see.' }] });
    onTestFinished(() => server.close());
    const session = await connectTo({ baseUrl: server.url, model: 'm', ...llm });
    /** What the LLM was sent last, once it was asked so often. */
    const question = async (asked: number) => {
      await vi.waitFor(() => expect(server.chats).toHaveLength(asked));
      return server.chats.at(-1)!.body.messages.at(-1)!.content;
    };
    return { server, session, question };
  }

  it('sees what the page shows with what is asked, until it is taken away', async () => {
    const { server, session, question } = await callWith({ takes: ['image'] });
    await session.show([new Blob([png])], { name: 'screen' });
    session.send('what is this');
    expect(await question(1)).toEqual([{ type: 'text', text: 'what is this' }, imageUrl(png)]);
    const newer = Buffer.concat([png, Buffer.from('newer')]);
    await session.show([new Blob([newer])], { name: 'screen' });
    session.send('and now');
    expect(await question(2)).toEqual([{ type: 'text', text: expect.stringMatching(/and now$/) }, imageUrl(newer)]);
    await session.show([], { name: 'screen' });
    session.send('goodbye');
    expect(await question(3)).toMatch(/goodbye$/);
    await expect(session.show([new Blob(['<svg/>'])])).rejects.toMatchObject({ code: 'image/invalid' });
    expect(server.problems).toEqual([]);
  });

  it('is sent no picture that its LLM does not take, and told that there is one', async () => {
    const { server, session, question } = await callWith({});
    await session.show([new Blob([png])]);
    session.send('what is this');
    expect(await question(1)).toBe('what is this\n(They show pictures that you cannot see.)');
    expect(server.problems).toEqual([]);
  });

  it('of Anthropic’s is shown the same, and told of what was heard, as its own wire format has it', async () => {
    const answers = ['It is a red square.', 'As I said, red.'];
    const server = await AnthropicServer.start(answers.map((text) => ({ text: text.split(/(?= )/) })));
    onTestFinished(() => server.close());
    const llm = { provider: 'anthropic', baseUrl: server.url, model: 'claude', apiKeyEnv: 'KEY', takes: ['image'] };
    const session = await connectTo(llm, { KEY: 'secret' });
    const isSaid = (text: string | undefined) =>
      session.until(({ responses }) => responses.some((one) => one.text === text && one.status === 'completed'), {
        timeoutMs: 25_000,
      });
    await session.show([new Blob([png])], { name: 'screen' });
    session.send('What is this?');
    await isSaid(answers[0]);
    await session.show([], { name: 'screen' });
    session.send('What colour?');
    await isSaid(answers[1]);
    const text = (said: string) => ({ type: 'text', text: said });
    const picture = { type: 'base64', media_type: 'image/png', data: png.toString('base64') };
    expect(server.requests[0]).toMatchObject({ model: 'claude', system: [{ type: 'text' }] });
    expect(server.requests.map(({ messages }) => messages)).toEqual([
      [{ role: 'user', content: [text('What is this?'), { type: 'image', source: picture }] }],
      [
        { role: 'user', content: [text('What is this?')] },
        { role: 'assistant', content: [text(answers[0]!)] },
        { role: 'user', content: [text('What colour?')] },
      ],
    ]);
    expect(server.problems).toEqual([]);
  });

  it('shows nothing to a model that looks at nothing', async () => {
    edge = await EdgeProcess.start();
    session = await connectSdk(edge);
    await expect(session.show([new Blob([png])])).rejects.toMatchObject({ code: 'protocol/state' });
  });
});
