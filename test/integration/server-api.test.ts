import {
  AccessToken,
  AgentDispatchClient,
  RoomAgentDispatch,
  RoomConfiguration,
  WebhookReceiver,
} from 'livekit-server-sdk';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EdgeProcess } from '../support/edge-process.js';
import { SocketClient } from '../support/socket-client.js';

// What an app's server does with livekit-server-sdk, against a real edge behind a proxy of this machine.

/** Sockets of one address that may wait to join. */
const WAITING = 256;

const bodies: { body: string; authorization: string }[] = [];
const appServer = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => (body += text));
  request.on('end', () => {
    bodies.push({ body, authorization: request.headers.authorization ?? '' });
    response.end();
  });
});
let edge: EdgeProcess;
beforeAll(async () => {
  await new Promise<void>((resolve) => appServer.listen(0, '127.0.0.1', resolve));
  const { port } = appServer.address() as AddressInfo;
  edge = await EdgeProcess.start({
    args: ['--webhook-urls', `http://127.0.0.1:${port}/hooks`, '--trusted-proxies', '127.0.0.1'],
  });
});
afterAll(async () => {
  await edge?.stop();
  appServer.closeAllConnections();
  appServer.close();
});

describe('an app’s server', () => {
  it('is told of a room by webhooks that LiveKit’s receiver verifies', async () => {
    const client = await SocketClient.join(edge.webSocketUrl, await edge.token({ room: 'den', identity: 'ann' }));
    client.leave();
    await vi.waitFor(() => expect(bodies.length).toBeGreaterThanOrEqual(4));
    const receiver = new WebhookReceiver(edge.key, edge.secret);
    const events = await Promise.all(bodies.map(({ body, authorization }) => receiver.receive(body, authorization)));
    expect(events.map(({ event, room, participant }) => [event, room?.name, participant?.identity])).toEqual([
      ['room_started', 'den', undefined],
      ['participant_joined', 'den', 'ann'],
      ['participant_left', 'den', 'ann'],
      ['room_finished', 'den', undefined],
    ]);
    const [{ body, authorization }] = bodies as [(typeof bodies)[0]];
    await expect(new WebhookReceiver(edge.key, 'x'.repeat(64)).receive(body, authorization)).rejects.toThrow();
  });

  it('says who talks in a room, by a dispatch or by the token', async () => {
    const dispatches = new AgentDispatchClient(edge.url, edge.key, edge.secret);
    const { id } = await dispatches.createDispatch('hall', 'nano');
    expect(await dispatches.listDispatch('hall')).toMatchObject([{ id, agentName: 'nano' }]);
    await expect(dispatches.createDispatch('hall', 'nobody')).rejects.toMatchObject({ status: 400 });
    const token = async (agentName: string) => {
      const made = new AccessToken(edge.key, edge.secret, { identity: 'ann' });
      made.addGrant({ roomJoin: true, room: 'hall' });
      made.roomConfig = new RoomConfiguration({ agents: [new RoomAgentDispatch({ agentName })] });
      return made.toJwt();
    };
    await expect(SocketClient.join(edge.webSocketUrl, await token('nobody'))).rejects.toThrow('nobody');
    const client = await SocketClient.join(edge.webSocketUrl, await token('nano'));
    expect(client.joined.model).toMatch(/^nano/i);
    client.leave();
    // Who reloads the page leaves the room empty for a moment, and keeps the agent.
    const again = await SocketClient.join(edge.webSocketUrl, await token('nano'));
    expect(again.joined.model).toMatch(/^nano/i);
    expect(await dispatches.listDispatch('hall')).toHaveLength(1);
    again.close();
  });
});

describe('callers behind a proxy', () => {
  const from = (forwarded: string, localAddress?: string) =>
    SocketClient.open(edge.webSocketUrl, {
      headers: { 'x-forwarded-for': forwarded },
      ...(localAddress && { localAddress }),
    });

  it('are told apart by what it says of them, and by nothing that they say themselves', async () => {
    const crowd = await Promise.all(Array.from({ length: WAITING }, () => from('203.0.113.1')));
    const alike = await from('192.0.2.66, 203.0.113.1');
    expect((await alike.untilClosed()).error?.code).toBe('protocol/rate');
    for (const other of [await from('203.0.113.2'), await from('203.0.113.1', '127.0.0.9')]) {
      await other.join(await edge.token());
      other.leave();
    }
    for (const client of crowd) client.close();
  });
});
