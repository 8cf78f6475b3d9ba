import { OpenAiServer } from '@microturn/edge/testing';
import { writeFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { microturn } from '../support/edge-process.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const KEY = 'SOME_PROVIDER_KEY';
// A doctor checks everything, with a call of its own; two do here.
vi.setConfig({ testTimeout: 180_000 });

// `npm test` provides the worker.
describe.skipIf(!process.env['MEDIASOUP_WORKER_BIN'])('`microturn doctor --provider NAME`', () => {
  // Both at once: most of what a doctor does is wait for a call of its own.
  it.concurrent.for<[does: string, key: string, expected: object]>([
    ['answers', 'the right one', { status: 'ok' }],
    ['refuses the key', 'another', { status: 'fail', detail: expect.stringContaining('key') }],
  ])('asks a provider for a word, which %s', async ([, key, expected], { expect, onTestFinished }) => {
    const server = await OpenAiServer.start({ chat: [{ text: 'Yes.' }], apiKey: 'the right one' });
    onTestFinished(() => server.close());
    await using folder = await TemporaryFolder.create();
    const model = { provider: 'openai-compatible', baseUrl: server.url, model: 'm', apiKeyEnv: KEY };
    await writeFile(folder.file('edge.yaml'), JSON.stringify({ llm: { models: { mine: model } } }));
    const { stdout } = await microturn(
      ['doctor', '--config', folder.file('edge.yaml'), '--provider', 'mine', '--json'],
      { [KEY]: key },
    );
    const results = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { check: string });
    expect(results.find(({ check }) => check === 'language model mine')).toMatchObject(expected);
    expect(server.problems).toEqual([]);
  });
});
