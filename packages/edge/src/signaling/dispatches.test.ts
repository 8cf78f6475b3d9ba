import { beforeEach, describe, expect, it } from 'vitest';
import { Socket, World, nothing, settled } from './testing/call-world.js';

let world: World;
let socket: Socket;
beforeEach(() => {
  world = new World();
  socket = new Socket();
});

const dispatch = (agentName = 'nano') => world.dispatches.create({ room: 'den', agentName, metadata: '' });

describe('a dispatch', () => {
  it('is there for a page that is reloaded, and ends when its room has been empty for a while', async () => {
    dispatch();
    const first = await world.join(socket);
    await first.call.leave(socket, 'left');
    world.clock.advance(19_000);
    expect(world.dispatches.agentFor('den')).toBe('nano');
    const second = await world.join(socket);
    world.clock.advance(60_000);
    expect(world.dispatches.agentFor('den')).toBe('nano');
    await second.call.leave(socket, 'left');
    world.clock.advance(20_000);
    expect(world.dispatches.list('den')).toEqual([]);
    await settled();
    expect(world.held).toEqual(nothing);
  });

  it('is there for who comes after a first join that failed half way', async () => {
    dispatch();
    world.rows = 1;
    // Both rooms are open when the second finds that the first has taken the row.
    const [attic, den] = await Promise.allSettled([
      world.join(socket, { room: 'attic' }),
      world.join(new Socket(), { identity: 'bob' }),
    ]);
    expect([attic.status, den]).toMatchObject(['fulfilled', { reason: { code: 'edge/full' } }]);
    expect(world.requests.filter((method) => method.startsWith('room.'))).toEqual([
      'room.open',
      'room.open',
      'room.close',
    ]);
    expect(world.dispatches.agentFor('den')).toBe('nano');
  });

  it('that is made after its room has closed is for the next', async () => {
    dispatch();
    const { call } = await world.join(socket);
    await call.leave(socket, 'left');
    const next = dispatch('other');
    world.clock.advance(20_000);
    expect(world.dispatches.list('den')).toEqual([next]);
  });

  it('leaves no timer behind where the edge closes', async () => {
    dispatch();
    const { call } = await world.join(socket);
    await call.leave(socket, 'left');
    expect(world.clock.pending).toBe(1);
    world.dispatches.close();
    expect(world.clock.pending).toBe(0);
  });
});
