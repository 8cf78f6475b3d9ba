import { createSocket, type Socket } from 'node:dgram';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { UdpRelay } from './udp-relay.js';

const LOOPBACK = '127.0.0.1';
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server that sends everything back, and notes which ports it came from. */
async function echo(): Promise<{ port: number; ports: Set<number> }> {
  const socket = createSocket('udp4');
  const ports = new Set<number>();
  socket.on('message', (packet, { port }) => {
    ports.add(port);
    socket.send(packet, port, LOOPBACK);
  });
  await new Promise<void>((bound) => socket.bind(0, LOOPBACK, bound));
  closers.push(() => socket.close());
  return { port: socket.address().port, ports };
}

function client(to: number): { socket: Socket; received: string[]; send(text: string): void } {
  const socket = createSocket('udp4');
  const received: string[] = [];
  socket.on('message', (packet) => received.push(packet.toString()));
  closers.push(() => socket.close());
  return { socket, received, send: (text) => socket.send(text, to, LOOPBACK) };
}

async function relayTo(port: number): Promise<UdpRelay> {
  const relay = await UdpRelay.open({ listen: { address: LOOPBACK, port: 0 }, target: { address: LOOPBACK, port } });
  closers.push(() => relay.close());
  return relay;
}

describe('the UDP relay', () => {
  it('carries packets there and back, for each client over a port of its own', async () => {
    const server = await echo();
    const relay = await relayTo(server.port);
    const [ann, bob] = [client(relay.address.port), client(relay.address.port)];
    ann.send('from ann');
    bob.send('from bob');
    await vi.waitFor(() => expect([ann.received, bob.received]).toEqual([['from ann'], ['from bob']]));
    expect(server.ports.size).toBe(2);
    expect(relay.stats).toMatchObject({ up: { taken: 2, delivered: 2 }, down: { taken: 2, delivered: 2 } });
  });

  it('impairs each way by itself, from now on', async () => {
    const server = await echo();
    const relay = await relayTo(server.port);
    const ann = client(relay.address.port);
    relay.impair({}, { blocked: true });
    ann.send('unanswered');
    await vi.waitFor(() => expect(relay.stats).toMatchObject({ up: { delivered: 1 }, down: { lost: 1 } }));
    relay.impair({ duplicate: 1 }, {});
    ann.send('twice');
    await vi.waitFor(() => expect(ann.received).toEqual(['twice', 'twice']));
  });

  it('has its clients come from another port when it is told to, as a network does', async () => {
    const server = await echo();
    const relay = await relayTo(server.port);
    const ann = client(relay.address.port);
    ann.send('before');
    await vi.waitFor(() => expect(ann.received).toEqual(['before']));
    await relay.rebind();
    ann.send('after');
    await vi.waitFor(() => expect(ann.received).toEqual(['before', 'after']));
    expect(server.ports.size).toBe(2);
  });

  it('says where it cannot listen, and is closed once', async () => {
    const relay = await relayTo(9);
    const { port } = relay.address;
    const target = { address: LOOPBACK, port: 9 };
    await expect(UdpRelay.open({ listen: { address: LOOPBACK, port }, target })).rejects.toThrow('EADDRINUSE');
    await relay.close();
    await relay.close();
    const again = await UdpRelay.open({ listen: { address: LOOPBACK, port }, target });
    await again.close();
  });
});
