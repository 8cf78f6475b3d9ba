import { expect, it } from 'vitest';
import { EdgeProcess } from '../support/edge-process.js';
import { SocketClient } from '../support/socket-client.js';

const SOCKETS = 32;
const ROUNDS = 50;
/** A pipe takes some 200 KiB, with what each line costs it besides its 90 bytes. */
const LINES = SOCKETS * ROUNDS;

const statsOf = (client: SocketClient) => client.events.filter(({ type }) => type === 'stats');

// `npm test` provides the worker.
it.skipIf(!process.env['MEDIASOUP_WORKER_BIN'])(
  'fault 33: calls go on while nobody reads the log, and the edge ends in order',
  async () => {
    await using edge = await EdgeProcess.start({ args: ['--log-level', 'debug'] });
    using caller = await SocketClient.join(edge.webSocketUrl, await edge.token());
    edge.stopReading();
    const before = statsOf(caller).length;
    for (let round = 0; round < ROUNDS; round++) {
      // Each is refused, which a log of this level tells of.
      await Promise.all(
        Array.from({ length: SOCKETS }, async () => {
          const socket = await SocketClient.open(edge.webSocketUrl);
          socket.send({ type: 'join' });
          await socket.untilClosed();
        }),
      );
    }
    await expect.poll(() => statsOf(caller).length).toBeGreaterThan(before + 5);
    process.kill(edge.pid, 'SIGTERM');
    await expect.poll(() => edge.alive).toBe(false);
    expect(await edge.stop()).toBe(0);
    // What was written while nobody read is less than what was logged.
    expect(edge.stderr.split('a message was refused').length).toBeLessThan(LINES);
  },
);
