import Fastify from 'fastify';
import { AgentDispatchClient } from 'livekit-server-sdk';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addDispatchService } from './dispatch-service.js';
import { Dispatches } from './dispatches.js';
import { KeyRing } from './key-ring.js';

const keys = { key: 'a secret that is thirty-two long!' };
const app = { current: Fastify() };
let dispatches: Dispatches;
let client: AgentDispatchClient;
let stranger: AgentDispatchClient;

beforeEach(async () => {
  dispatches = new Dispatches(['nano', 'ollama'], () => () => undefined);
  app.current = Fastify();
  addDispatchService(app.current, { keys: new KeyRing(keys), dispatches });
  await app.current.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(app.current.server.address() as AddressInfo).port}`;
  client = new AgentDispatchClient(url, 'key', keys.key);
  stranger = new AgentDispatchClient(url, 'key', 'another secret of thirty-two signs');
});
afterEach(() => app.current.close());

/** With LiveKit's own client, which parses what it gets by its own schemas. */
describe('the dispatch of agents', () => {
  it('sends an agent to a room: the latest counts, until it is taken back', async () => {
    const first = await client.createDispatch('den', 'ollama', { metadata: 'for Ann' });
    expect(first).toMatchObject({ agentName: 'ollama', room: 'den', metadata: 'for Ann' });
    expect(Number(first.state!.createdAt / 1_000_000n)).toBeCloseTo(Date.now(), -5);
    const second = await client.createDispatch('den', 'nano');
    await client.createDispatch('attic', 'ollama');
    expect((await client.listDispatch('den')).map(({ id }) => id)).toEqual([first.id, second.id]);
    expect((await client.getDispatch(first.id, 'den'))?.metadata).toBe('for Ann');
    expect(await client.getDispatch(first.id, 'attic')).toBeUndefined();
    expect(dispatches.agentFor('den')).toBe('nano');
    await client.deleteDispatch(second.id, 'den');
    expect(dispatches.agentFor('den')).toBe('ollama');
    await client.deleteDispatch(first.id, 'den');
    expect([dispatches.agentFor('den'), dispatches.agentFor('attic')]).toEqual([undefined, 'ollama']);
  });

  it('refuses an agent that there is none of, a dispatch that there is none of, and whoever may not', async () => {
    await expect(client.createDispatch('den', 'nobody')).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('nano, ollama') as string,
    });
    await expect(client.createDispatch('den', '')).rejects.toMatchObject({ status: 400 });
    const { id } = await client.createDispatch('den', 'nano');
    await expect(client.deleteDispatch(id, 'attic')).rejects.toMatchObject({ status: 404, code: 'not_found' });
    for (const call of [
      () => stranger.createDispatch('den', 'nano'),
      () => stranger.listDispatch('den'),
      () => stranger.deleteDispatch(id, 'den'),
    ]) {
      await expect(call()).rejects.toMatchObject({ status: 401 });
    }
    expect(await client.listDispatch('den')).toHaveLength(1);
  });

  it('keeps the latest of very many', () => {
    for (let i = 0; i < 4100; i++) dispatches.create({ room: `room-${i}`, agentName: 'nano', metadata: '' });
    expect([dispatches.agentFor('room-3'), dispatches.agentFor('room-4')]).toEqual([undefined, 'nano']);
  });
});
