import { OpenAiServer } from '@microturn/edge/testing';
import { MicroturnError } from '@microturn/protocol';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { EdgeProcess } from '../support/edge-process.js';
import { SocketClient } from '../support/socket-client.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const SESSIONS = 50;
const questionsOf = (session: number) => [`q${session}a`, `q${session}b`];

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
      chat: ({ messages }, index) => {
        const [question] = /(?<=now asks: )\w+/.exec(JSON.stringify(messages.at(-1)))!;
        // At another pace each, so that their words come between each other's.
        return { text: `This is for ${question}, and for nobody else.`, tokensPerSecond: 3 + (index % 7) };
      },
    });
    onTestFinished(() => server.close());
    await using folder = await TemporaryFolder.create();
    const models = { scripted: { provider: 'openai-compatible', baseUrl: server.url, model: 'm' } };
    const engine = { rows: SESSIONS, laneSize: 10 };
    await writeFile(folder.file('edge.yaml'), JSON.stringify({ llm: { models }, engine }));
    const edge = await EdgeProcess.start({ args: ['--config', folder.file('edge.yaml')] });
    onTestFinished(async () => void (await edge.stop()));

    const clients: SocketClient[] = [];
    for (let i = 0; i < SESSIONS; i++) clients.push(await joinWithPatience(edge, `room-${i}`));
    await Promise.all(
      clients.flatMap((client, i) => questionsOf(i).map((text) => client.request({ type: 'task.ask', text }))),
    );
    const wovenOf = (client: SocketClient) => client.events.filter(({ type }) => type === 'task.woven').length;
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
      expect(said.toSorted()).toEqual(
        questionsOf(i).map((question) => `This is for ${question}, and for nobody else.`),
      );
      // Nor is anything else of another's in all that it was sent.
      const named = JSON.stringify(client.messages).match(/\bq\d+[ab]\b/g);
      expect(new Set(named)).toEqual(new Set(questionsOf(i)));
    }

    expect(server.chats).toHaveLength(2 * SESSIONS);
    expect(server.problems).toEqual([]);
    for (const client of clients) client.close();
  }, 300_000);
});
