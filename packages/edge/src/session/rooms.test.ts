import { describe, expect, it } from 'vitest';
import { RoomRegistry } from './rooms.js';
import type { SessionMedia } from './session-parts.js';

function fakeMedia() {
  const calls: string[] = [];
  let fail = false;
  const media = {
    request: async (method: string, params: { room: string }) => {
      calls.push(`${method} ${params.room}`);
      await Promise.resolve();
      if (fail) throw new Error('no');
      return { rtpCapabilities: {} };
    },
  } as unknown as SessionMedia;
  return { media, calls, setFail: (value: boolean) => (fail = value) };
}

describe('rooms', () => {
  it('open for the first and close behind the last', async () => {
    const { media, calls } = fakeMedia();
    const rooms = new RoomRegistry<string>(media);
    const [a, b] = await Promise.all([rooms.enter('den', 'ann'), rooms.enter('den', 'bob')]);
    expect(a.room).toBe(b.room);
    await a.leave();
    await a.leave();
    expect(calls).toEqual(['room.open den']);
    await b.leave();
    expect(calls).toEqual(['room.open den', 'room.close den']);
    expect(rooms.size).toBe(0);
  });

  it('one that is entered again while it closes opens after that', async () => {
    const { media, calls } = fakeMedia();
    const rooms = new RoomRegistry<string>(media);
    const first = await rooms.enter('den', 'ann');
    const leaving = first.leave();
    await rooms.enter('den', 'ann');
    await leaving;
    expect(calls).toEqual(['room.open den', 'room.close den', 'room.open den']);
  });

  it('one that could not be opened is tried again', async () => {
    const { media, setFail } = fakeMedia();
    const rooms = new RoomRegistry<string>(media);
    setFail(true);
    await expect(rooms.enter('den', 'ann')).rejects.toThrow('no');
    setFail(false);
    expect((await rooms.enter('den', 'ann')).room.id).toBe('den');
    expect(rooms.size).toBe(1);
  });

  it('one whose opening was not answered in time is closed, before it is opened again', async () => {
    const { media, calls, setFail } = fakeMedia();
    const rooms = new RoomRegistry<string>(media);
    setFail(true);
    const refused = await Promise.allSettled([rooms.enter('den', 'ann'), rooms.enter('den', 'bob')]);
    expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(calls).toEqual(['room.open den', 'room.close den']);
    setFail(false);
    await (await rooms.enter('den', 'ann')).leave();
    expect(calls.slice(2)).toEqual(['room.open den', 'room.close den']);
  });

  it('take no more than they may, and one who comes again takes the place of the one before', async () => {
    const { media } = fakeMedia();
    const rooms = new RoomRegistry<string>(media, { maxMembers: 2 });
    const ann = await rooms.enter('den', 'ann');
    ann.room.members.set('ann', 'the first ann');
    await rooms.enter('den', 'bob');
    await expect(rooms.enter('den', 'cyd')).rejects.toMatchObject({ code: 'room/full' });
    await rooms.enter('den', 'ann');
    await ann.leave();
    await expect(rooms.enter('den', 'cyd')).rejects.toMatchObject({ code: 'room/full' });
    expect((await rooms.enter('lounge', 'cyd')).room.id).toBe('lounge');
  });
});
