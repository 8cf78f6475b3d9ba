import { AccessToken } from 'livekit-server-sdk';
import { EventEmitter } from 'node:events';
import { expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { Connection, type ConnectionParts } from './connection.js';
import { Socket, World, keys, settled } from './testing/call-world.js';

/** A client that reads nothing any more once it was sent an event of this type. */
class SlowSocket extends EventEmitter {
  readonly OPEN = 1;
  readonly readyState = 1;
  bufferedAmount = 0;
  readonly terminate = vi.fn();
  readonly #until: string;
  constructor(until: string) {
    super();
    this.#until = until;
  }
  send(text: string): void {
    const { type } = JSON.parse(text) as { type: string };
    if (type === this.#until) this.bufferedAmount = 2 * 1024 * 1024;
  }
}

it.each(['floor.changed', 'response.started'])(
  'fault 21: who is cut off for not reading leaves nothing behind that the others wait for: at %s',
  async (type) => {
    const world = new World();
    const bob = new Socket();
    await world.join(bob, { identity: 'bob' });
    const [bobsRow] = world.leases;
    const socket = new SlowSocket(type);
    const metrics = { joins: { inc: vi.fn() }, messages: { inc: vi.fn() } };
    const parts = { ...world.parts, metrics, onClosed: vi.fn(), refusal: () => undefined };
    const connection = new Connection(socket as unknown as WebSocket, parts as unknown as ConnectionParts);
    const minted = new AccessToken('key', keys.key, { identity: 'ann' });
    minted.addGrant({ roomJoin: true, room: 'den' });
    const join = { type: 'join', id: 1, protocol: 1, token: await minted.toJwt() };
    socket.emit('message', Buffer.from(JSON.stringify(join)), false);
    await expect.poll(() => connection.endpoint).toBeDefined();

    world.leases.delete(bobsRow![0]);
    world.decide(0, { floor: 'yielded', say: 'hello' });
    await settled();
    expect(socket.terminate).toHaveBeenCalledOnce();
    expect(bob.events.map(({ type }) => type).filter((type) => type.startsWith('response.'))).toEqual([
      'response.started',
      'response.interrupted',
    ]);
    socket.emit('close', 1006);
  },
);
