import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EdgeProcess } from '../support/edge-process.js';
import { MediaClient } from '../support/media-client.js';
import { SocketClient } from '../support/socket-client.js';
import { Witness } from '../support/witness.js';

let edge: EdgeProcess;
let witness: Witness;
beforeAll(async () => {
  edge = await EdgeProcess.start({ args: ['--rows', '4'] });
  witness = await Witness.join(edge);
});
afterEach(() => witness.expectUndisturbed());
afterAll(async () => {
  await witness?.close();
  await edge?.stop();
});

const sessions = async () => (await edge.metrics()).get('microturn_sessions');
const onlyTheWitness = () => expect.poll(sessions).toBe(1);

describe('the same identity in the same room', () => {
  it('is taken over by the newer connection, and the older is told so', async () => {
    const token = await edge.token({ identity: 'ada' });
    using older = await SocketClient.join(edge.webSocketUrl, token);
    using newer = await SocketClient.join(edge.webSocketUrl, token);
    const { code, error } = await older.untilClosed();
    expect(code).toBe(1008);
    expect(error).toMatchObject({
      code: 'session/replaced',
      retryable: false,
      hint: expect.stringContaining('identity of their own') as string,
    });
    await newer.request({ type: 'ping' });
    await newer.until('stats', (message) => message.type === 'stats');
    expect(await sessions()).toBe(2);
    newer.close();
    await onlyTheWitness();
  });

  it('is two participants in two rooms', async () => {
    using one = await SocketClient.join(edge.webSocketUrl, await edge.token({ identity: 'ada', room: 'one' }));
    using two = await SocketClient.join(edge.webSocketUrl, await edge.token({ identity: 'ada', room: 'two' }));
    await one.request({ type: 'ping' });
    await two.request({ type: 'ping' });
    one.close();
    two.close();
    await onlyTheWitness();
  });

  it('may come and go quickly', async () => {
    const token = await edge.token({ identity: 'ada' });
    for (let i = 0; i < 12; i++) {
      const client = await SocketClient.join(edge.webSocketUrl, token);
      if (i % 3 === 0) client.send({ type: 'leave' });
      else client.close();
    }
    using last = await SocketClient.join(edge.webSocketUrl, token);
    await last.until('stats', (message) => message.type === 'stats');
    last.close();
    await onlyTheWitness();
    expect((await edge.metrics()).get('microturn_rooms')).toBe(1);
  });
});

describe('a room', () => {
  it('one who leaves takes nobody along: those who stay hear the agent', async () => {
    await using stays = await MediaClient.open(edge.webSocketUrl, await edge.token({ room: 'shared' }));
    await using leaves = await MediaClient.open(edge.webSocketUrl, await edge.token({ room: 'shared' }));
    expect((await edge.metrics()).get('microturn_rooms')).toBe(2);
    await leaves.close();
    await expect.poll(sessions).toBe(2);
    expect((await edge.metrics()).get('microturn_rooms')).toBe(2);
    await stays.signaling.request({ type: 'say', text: 'I am still here.' });
    await expect.poll(() => stays.heardMs).toBeGreaterThan(300);
    await stays.close();
    await onlyTheWitness();
  });

  it('does not carry what is said in it to another', async () => {
    await using here = await MediaClient.open(edge.webSocketUrl, await edge.token({ room: 'here' }));
    await using there = await MediaClient.open(edge.webSocketUrl, await edge.token({ room: 'there' }));
    await here.signaling.request({ type: 'say', text: 'This is between us.' });
    await expect.poll(() => here.heardMs).toBeGreaterThan(500);
    await sleep(500);
    expect(there.heardMs).toBe(0);
    expect(there.signaling.events.filter(({ type }) => type.startsWith('response.'))).toEqual([]);
    await Promise.all([here.close(), there.close()]);
    await onlyTheWitness();
  });
});

it('one too many is refused with a code, and finds room when somebody has left', async () => {
  const clients = [];
  for (let i = 0; i < 3; i++) {
    clients.push(await SocketClient.join(edge.webSocketUrl, await edge.token({ identity: `guest-${i}` })));
  }
  const refused = SocketClient.join(edge.webSocketUrl, await edge.token());
  await expect(refused).rejects.toMatchObject({ code: 'edge/full', retryable: true });
  // Who is in already may come again: as somebody who was there, while others wait for the place.
  const others = Promise.allSettled(
    Array.from({ length: 8 }, async () => SocketClient.join(edge.webSocketUrl, await edge.token())),
  );
  using again = await SocketClient.join(edge.webSocketUrl, await edge.token({ identity: 'guest-2' }));
  await again.request({ type: 'ping' });
  expect((await others).filter(({ status }) => status === 'fulfilled')).toEqual([]);
  expect((await clients[2]!.untilClosed()).error).toMatchObject({ code: 'session/replaced' });
  clients[2] = again;
  clients[0]!.close();
  await expect.poll(sessions).toBe(3);
  using last = await SocketClient.join(edge.webSocketUrl, await edge.token());
  await last.request({ type: 'ping' });
  for (const client of [...clients, last]) client.close();
  await onlyTheWitness();
});

it('events are counted from 1 without a gap, and their clock goes on', async () => {
  using client = await SocketClient.join(edge.webSocketUrl, await edge.token());
  await client.request({ type: 'say', text: 'One. Two. Three. Four.' });
  await client.until(
    'end',
    (message) => message.type === 'response.completed' || message.type === 'response.interrupted',
    15_000,
  );
  const { events } = client;
  expect(events[0]).toMatchObject({ type: 'session.started', seq: 1, microTurnMs: 200 });
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  expect(events.map(({ at }) => at)).toEqual(events.map(({ at }) => at).sort((a, b) => a - b));
  for (const { at, turn } of events) expect(turn).toBe(Math.floor(at / 200));
});

it('the witness was not disturbed by any of it', () => witness.expectToHear('Everything is fine here.'));
