import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EdgeProcess } from '../support/edge-process.js';
import { SocketClient } from '../support/socket-client.js';
import { Witness } from '../support/witness.js';

// Linux tells a process how many files it may open.
describe.skipIf(process.platform !== 'linux')('fault 37, an edge that is out of file descriptors', () => {
  let edge: EdgeProcess;
  let witness: Witness;
  beforeAll(async () => {
    // Node opens some hundred modules at once when it starts.
    edge = await EdgeProcess.start({ openFiles: 320 });
    witness = await Witness.join(edge);
  });
  afterAll(async () => {
    await witness?.close();
    await edge?.stop();
  });

  it('refuses with a code who is too many, disturbs nobody, and lets others in when some have gone', async () => {
    const clients: SocketClient[] = [];
    const refused = await vi.waitFor(
      async () => {
        const client = await SocketClient.open(edge.webSocketUrl);
        clients.push(client);
        await new Promise((resolve) => setTimeout(resolve, 10));
        expect(client.goodbye).toBeDefined();
        return client.goodbye!.error;
      },
      { interval: 1 },
    );
    expect(clients.length).toBeGreaterThan(4);
    expect(refused).toMatchObject({ code: 'edge/full', retryable: true });
    expect(refused.message).toContain('open files');

    // However many come on top of them: nobody waits for ever, and the call that is on notices nothing.
    const flood = await Promise.allSettled(Array.from({ length: 300 }, () => SocketClient.open(edge.webSocketUrl)));
    for (const result of flood) if (result.status === 'fulfilled') clients.push(result.value);
    expect(edge.alive).toBe(true);
    witness.expectUndisturbed();

    for (const client of clients) client.close();
    await vi.waitFor(
      async () => {
        using client = await SocketClient.join(edge.webSocketUrl, await edge.token());
        await client.request({ type: 'ping' });
      },
      { interval: 200 },
    );
    await witness.expectToHear('There is room again.');
  });
});
