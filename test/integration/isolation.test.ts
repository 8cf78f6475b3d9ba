import { OpenAiServer, type ChatCompletionRequest } from '@microturn/edge/testing';
import { MicroturnError } from '@microturn/protocol';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { tinyGraph, tinyManifest } from '../../packages/edge/src/engine/fixtures/tiny-bundle.js';
import { EdgeProcess } from '../support/edge-process.js';
import { SocketClient } from '../support/socket-client.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const SESSIONS = 50;
const questionsOf = (session: number) => [`q${session}a`, `q${session}b`];
const askedIn = ({ messages }: ChatCompletionRequest) => /(?<=now asks: )\w+/.exec(JSON.stringify(messages.at(-1)))![0];

/**
 * A model that hears nothing in next to no time. With Nano, fifty rows take most of a core: on a machine that has other work
 * they are late, and an edge ends its newest calls then (fault 24), whose results nobody hears. Whose result is whose does
 * not depend on the model.
 */
async function writeLightBundle(folder: string): Promise<string> {
  const microTurnMs = 200;
  const files = { 'step.onnx': tinyGraph({ microTurnMs }) };
  await mkdir(folder);
  await writeFile(join(folder, 'bundle.json'), JSON.stringify(tinyManifest(files, { microTurnMs })));
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
  return folder;
}

/** An edge that is late lets nobody in for a while. */
async function joinWithPatience(edge: EdgeProcess, room: string): Promise<SocketClient> {
  for (let tries = 1; ; tries++) {
    try {
      return await SocketClient.join(edge.webSocketUrl, await edge.token({ room }));
    } catch (error) {
      if (tries === 60 || !(error instanceof MicroturnError) || !error.retryable) throw error;
      await sleep(2000);
    }
  }
}

// `npm test` provides the worker.
describe.skipIf(!process.env['MEDIASOUP_WORKER_BIN'])('fault 31: fifty sessions of one edge', () => {
  it('that ask at once, twice each, are told and hear of their own questions only', async () => {
    const server = await OpenAiServer.start({
      chat: (request, index) => {
        const question = askedIn(request);
        // At another pace each, so that their words come between each other's.
        return { text: `This is for ${question}, and for nobody else.`, tokensPerSecond: 3 + (index % 7) };
      },
    });
    onTestFinished(() => server.close());
    await using folder = await TemporaryFolder.create();
    const models = { scripted: { provider: 'openai-compatible', baseUrl: server.url, model: 'm' } };
    const engine = { bundle: await writeLightBundle(folder.file('bundle')), rows: SESSIONS, laneSize: 10 };
    await writeFile(folder.file('edge.yaml'), JSON.stringify({ llm: { models }, engine }));
    const edge = await EdgeProcess.start({ args: ['--config', folder.file('edge.yaml')] });
    onTestFinished(async () => void (await edge.stop()));

    const clients: SocketClient[] = [];
    for (let i = 0; i < SESSIONS; i++) clients.push(await joinWithPatience(edge, `room-${i}`));
    await Promise.all(
      clients.flatMap((client, i) => questionsOf(i).map((text) => client.request({ type: 'task.ask', text }))),
    );
    // One whose call was ended says why.
    const wovenOf = ({ events, goodbye }: SocketClient) =>
      goodbye?.error?.code ?? events.filter(({ type }) => type === 'task.woven').length;
    await vi.waitFor(() => expect(clients.map(wovenOf)).toEqual(clients.map(() => 2)), {
      timeout: 120_000,
      interval: 200,
    });
    for (const [i, client] of clients.entries()) {
      const relays = client.events.flatMap((event) =>
        event.type === 'response.started' && event.kind === 'relay' ? [event.responseId] : [],
      );
      const said = relays.map((id) =>
        client.events
          .flatMap((event) => (event.type === 'response.text' && event.responseId === id ? [event.text.trim()] : []))
          .join(' '),
      );
      // A task that takes long has that said, too.
      expect(said.filter((text) => /\bq\d/.test(text)).toSorted()).toEqual(
        questionsOf(i).map((question) => `This is for ${question}, and for nobody else.`),
      );
      // Nor is anything else of another's in all that it was sent.
      const named = JSON.stringify(client.messages).match(/\bq\d+[ab]\b/g);
      expect(new Set(named)).toEqual(new Set(questionsOf(i)));
    }

    // Where the machine keeps one from being answered in time it is asked again.
    expect(new Set(server.chats.map(({ body }) => askedIn(body)))).toEqual(
      new Set(clients.flatMap((_, i) => questionsOf(i))),
    );
    expect(server.problems).toEqual([]);
    for (const client of clients) client.close();
  }, 300_000);
});
