import Fastify from 'fastify';
import { MicroturnError, type Participant } from '@microturn/protocol';
import { RoomServiceClient } from 'livekit-server-sdk';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeyRing } from './key-ring.js';
import { addRoomService, type AdministeredRoom } from './room-service.js';

const keys = { key: 'a secret that is thirty-two long!' };
const microphone = { id: 'm1', source: 'microphone', kind: 'audio', muted: false } as const;
const ann: Participant = {
  identity: 'ann',
  name: 'Ann',
  attributes: { seat: 'A' },
  away: false,
  speaking: false,
  tracks: [microphone],
};
const bob: Participant = { identity: 'bob', attributes: {}, away: true, speaking: false, tracks: [] };

const app = { current: Fastify() };
const mute = vi.fn<(trackId: string) => Promise<void>>();
const remove = vi.fn<(tokensGoodFrom?: number) => Promise<void>>();
let url: string;
let client: RoomServiceClient;

beforeEach(async () => {
  mute.mockReset().mockImplementation((trackId) => {
    if (trackId !== 'm1') return Promise.reject(new MicroturnError('room/unknown', 'no such track'));
    return Promise.resolve();
  });
  remove.mockReset().mockResolvedValue();
  const den: AdministeredRoom = {
    id: 'den',
    participants: [ann, bob],
    find: (identity) => (identity === 'ann' ? { mute, remove } : undefined),
  };
  app.current = Fastify();
  addRoomService(app.current, {
    keys: new KeyRing(keys),
    rooms: () => [den, { id: 'attic', participants: [], find: () => undefined }],
  });
  await app.current.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(app.current.server.address() as AddressInfo).port}`;
  client = new RoomServiceClient(url, 'key', keys.key);
});
afterEach(() => app.current.close());

/** With LiveKit's own client, which parses what it gets by its own schemas. */
describe('the room service', () => {
  it('lists the rooms, or those of some names', async () => {
    expect(await client.listRooms()).toMatchObject([
      { name: 'den', numParticipants: 2, numPublishers: 1 },
      { name: 'attic', numParticipants: 0 },
    ]);
    expect((await client.listRooms(['attic', 'cellar'])).map(({ name }) => name)).toEqual(['attic']);
  });

  it('lists the participants of a room, and tells of one', async () => {
    const [first, second] = await client.listParticipants('den');
    expect(first).toMatchObject({
      identity: 'ann',
      name: 'Ann',
      attributes: { seat: 'A' },
      isPublisher: true,
      state: 2,
    });
    expect(first?.tracks).toMatchObject([{ sid: 'm1', type: 0, source: 2, muted: false }]);
    expect(second).toMatchObject({ identity: 'bob', state: 3, tracks: [] });
    expect(await client.getParticipant('den', 'bob')).toMatchObject({ identity: 'bob' });
  });

  it('mutes a track, and removes a participant', async () => {
    expect(await client.mutePublishedTrack('den', 'ann', 'm1', true)).toMatchObject({ sid: 'm1' });
    expect(mute).toHaveBeenCalledExactlyOnceWith('m1');
    await client.removeParticipant('den', 'ann');
    expect(remove).toHaveBeenLastCalledWith(undefined);
    await client.removeParticipant('den', 'ann', { revokeTokenTs: 1_700_000_000n });
    expect(remove).toHaveBeenLastCalledWith(1_700_000_000);
  });

  it.each<[what: string, call: () => Promise<unknown>, error: object]>([
    ['a room that is not open', () => client.listParticipants('cellar'), { status: 404, code: 'not_found' }],
    ['somebody who is not there', () => client.getParticipant('den', 'cyd'), { status: 404, code: 'not_found' }],
    ['a removal of nobody', () => client.removeParticipant('den', 'cyd'), { status: 404, code: 'not_found' }],
    ['a track that is not there', () => client.mutePublishedTrack('den', 'ann', 'm2', true), { code: 'not_found' }],
    [
      'an unmute, which is its owner’s',
      () => client.mutePublishedTrack('den', 'ann', 'm1', false),
      { status: 412, code: 'failed_precondition' },
    ],
    ['what is not offered', () => client.createRoom({ name: 'new' }), { status: 501, code: 'unimplemented' }],
    ['an empty name', () => client.getParticipant('den', ''), { status: 400, code: 'invalid_argument' }],
  ])('refuses %s as Twirp does', async (_, call, error) => {
    await expect(call()).rejects.toMatchObject(error);
  });

  it('is for whoever has a token with the grant', async () => {
    const forged = new RoomServiceClient(url, 'key', 'another secret of thirty-two chars');
    await expect(forged.listRooms()).rejects.toMatchObject({ status: 401, code: 'unauthenticated' });
    const post = (method: string, headers: Record<string, string>) =>
      fetch(`${url}/twirp/livekit.RoomService/${method}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ room: 'den', identity: 'ann' }),
      });
    expect((await post('ListRooms', {})).status).toBe(401);
    const authorization = (await (client as unknown as { authHeader(grant: object): Promise<object> }).authHeader({
      roomAdmin: true,
      room: 'attic',
    })) as Record<string, string>;
    for (const method of ['ListRooms', 'ListParticipants', 'GetParticipant', 'RemoveParticipant']) {
      expect((await post(method, authorization)).status).toBe(403);
    }
    expect((await post('constructor', authorization)).status).toBe(501);
    expect(remove).not.toHaveBeenCalled();
  });
});
