import { MicroturnError, type SessionEvent } from '@microturn/protocol';
import { TrackSource } from 'livekit-server-sdk';
import { beforeEach, describe, expect, it } from 'vitest';
import { CompositeEngine } from '../composite/index.js';
import { ScriptedChat, partsOf } from '../composite/fixtures/row-talk.js';
import type { SessionEngine } from '../session/index.js';
import { Socket, World, settled } from './testing/call-world.js';

let world: World;
let socket: Socket;
beforeEach(() => {
  world = new World();
  socket = new Socket();
});

it('a room stays open until the last of its callers has left', async () => {
  const ann = await world.join(socket);
  await world.join(new Socket(), { identity: 'bob' });
  await ann.call.leave(socket, 'left');
  expect(world.held).toMatchObject({ rows: 1, rooms: 1 });
  expect(world.requests).not.toContain('room.close');
});

describe('who is in a room', () => {
  const produce = { type: 'produce' as const, id: 2, transportId: 't', rtpParameters: { codecs: [{}] } };
  const identities = (list: readonly { identity: string }[]) => list.map(({ identity }) => identity);

  it('is told to the newcomer and, as it changes, to the others', async () => {
    const ann = await world.join(socket);
    const bob = await world.join(new Socket(), { identity: 'bob' });
    expect(identities(ann.participants)).toEqual(['ann']);
    expect(identities(bob.participants)).toEqual(['ann', 'bob']);
    const { producerId } = await bob.call.produce({ ...produce, source: 'microphone' });
    await bob.call.mute(producerId, true);
    await bob.call.unpublish(producerId);
    await bob.call.close('left');
    const tracks = socket.rosterMessages.map((message) => 'participant' in message && message.participant.tracks);
    expect(socket.rosterMessages.map(({ type }) => type)).toEqual([
      'participant.joined',
      'participant.updated',
      'participant.updated',
      'participant.updated',
      'participant.left',
    ]);
    expect(tracks).toMatchObject([[], [{ id: producerId, muted: false }], [{ muted: true }], [], false]);
  });

  it('fault 46, is told of a track that the media thread has closed, and its participant why', async () => {
    await world.join(socket);
    const sender = new Socket();
    const bob = await world.join(sender, { identity: 'bob' });
    const { producerId } = await bob.call.produce({ ...produce, source: 'microphone' });
    bob.call.loseTrack(producerId, new MicroturnError('protocol/rate', 'it flooded'));
    expect(socket.rosterMessages.at(-1)).toMatchObject({ type: 'participant.updated', participant: { tracks: [] } });
    expect(sender.events.at(-1)).toMatchObject({ type: 'error', code: 'protocol/rate', retryable: true });
    const { length } = sender.events;
    await bob.call.close('left');
    bob.call.loseTrack(producerId, new MicroturnError('protocol/rate', 'it flooded'));
    expect(sender.events.slice(length).map(({ type }) => type)).not.toContain('error');
  });

  it('fault 46, sees one go who floods three times within a minute, for good', async () => {
    await world.join(socket);
    const sender = new Socket();
    const { call, joined } = await world.join(sender, { identity: 'bob' });
    const flood = async () => {
      const { producerId } = await call.produce({ ...produce, source: 'microphone' });
      call.loseTrack(producerId, new MicroturnError('protocol/rate', 'it flooded'));
    };
    for (const afterMs of [0, 40_000, 20_000]) {
      world.clock.advance(afterMs);
      await flood();
      expect(call.closed).toBe(false);
    }
    world.clock.advance(39_000);
    await flood();
    expect(sender.ends).toEqual([{ code: 'protocol/rate', resumable: false }]);
    await settled();
    expect(socket.rosterMessages.at(-1)).toEqual({ type: 'participant.left', identity: 'bob' });
    const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
    await expect(world.join(new Socket(), { identity: 'bob', resume })).rejects.toMatchObject({
      code: 'session/expired',
    });
  });

  it('fault 48, is told of what one changes about their tracks as often as a hand could do it, and no more', async () => {
    await world.join(socket);
    const bob = await world.join(new Socket(), { identity: 'bob' });
    const { producerId } = await bob.call.produce({ ...produce, source: 'microphone' });
    const tried = async (count: number, act: (i: number) => Promise<unknown>) => {
      const results = await Promise.allSettled(Array.from({ length: count }, (_, i) => act(i)));
      const refused = results.filter((result) => result.status === 'rejected');
      for (const { reason } of refused) expect(reason).toMatchObject({ code: 'protocol/rate', retryable: true });
      return count - refused.length;
    };
    const mute = (i: number) => bob.call.mute(producerId, i % 2 === 0);
    expect(await tried(1000, mute)).toBe(40);
    world.clock.advance(1000);
    expect(await tried(1000, mute)).toBe(10);
    expect(socket.rosterMessages.filter(({ type }) => type === 'participant.updated')).toHaveLength(51);

    const turn = async () => bob.call.unpublish((await bob.call.produce({ ...produce, source: 'camera' })).producerId);
    world.clock.advance(10_000);
    expect(await tried(500, turn)).toBe(20);
    world.clock.advance(1000);
    expect(await tried(500, turn)).toBe(5);
    // Somebody who administers the room mutes them all the same.
    await bob.call.mute(producerId, false);
    await tried(100, mute);
    await bob.call.muteFromOutside(producerId);
    expect(bob.call.closed).toBe(false);
  });

  it('is told what their token lets them send, and refused the rest', async () => {
    const all = await world.join(socket);
    const { call, joined } = await world.join(new Socket(), {
      identity: 'bob',
      canPublishSources: [TrackSource.MICROPHONE, TrackSource.SCREEN_SHARE],
    });
    expect(all.joined.canPublish).toEqual(['microphone', 'camera', 'screen']);
    expect(joined.canPublish).toEqual(['microphone', 'screen']);
    await expect(call.produce({ ...produce, source: 'camera' })).rejects.toMatchObject({ code: 'auth/forbidden' });
    await expect(call.produce({ ...produce, source: 'screen' })).resolves.toBeTruthy();
  });

  it('shows one whose socket dropped as away, until they are back or their time is up', async () => {
    const { call, joined } = await world.join(socket);
    await call.produce({ ...produce, source: 'microphone' });
    const witness = new Socket();
    await world.join(witness, { identity: 'bob' });
    const last = () => witness.rosterMessages.at(-1);
    call.detach(socket);
    expect(last()).toMatchObject({ participant: { identity: 'ann', away: true, tracks: [] } });
    const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
    const back = await world.join(socket, { resume });
    expect(identities(back.participants)).toEqual(['ann', 'bob']);
    expect(last()).toMatchObject({ participant: { identity: 'ann', away: false } });
    call.detach(socket);
    world.clock.advance(180_000);
    expect(last()).toEqual({ type: 'participant.left', identity: 'ann' });
  });

  it('is muted and removed by whoever has the grant, and by nobody else', async () => {
    const { call: ann } = await world.join(socket);
    const { call: bob } = await world.join(new Socket(), { identity: 'bob' });
    const { call: chair } = await world.join(new Socket(), { identity: 'chair', roomAdmin: true });
    const { producerId } = await ann.produce({ ...produce, source: 'microphone' });
    expect(() => bob.administer('ann')).toThrow(expect.objectContaining({ code: 'auth/forbidden' }));
    expect(() => chair.administer('cyd')).toThrow(expect.objectContaining({ code: 'room/unknown' }));
    await expect(chair.administer('ann').muteFromOutside('p99')).rejects.toMatchObject({ code: 'room/unknown' });
    await chair.administer('ann').muteFromOutside(producerId);
    expect(socket.rosterMessages.slice(-2)).toMatchObject([
      { type: 'participant.updated', participant: { tracks: [{ muted: true }] } },
      { type: 'track.muted', producerId, source: 'microphone' },
    ]);
    await chair.administer('ann').end(new MicroturnError('session/removed'));
    expect(socket.ends).toEqual([{ code: 'session/removed', resumable: false }]);
    expect(ann.closed).toBe(true);
    expect(world.held).toMatchObject({ rows: 2, calls: 2 });
  });
});

describe('what the agent says in a room', () => {
  const texts = () => world.spoken.map(({ text }) => text);
  const endMaking = async () => {
    for (const made of world.made.values()) made();
    await settled();
  };
  const typesAt = ({ events }: Socket) => events.map(({ type }) => type).filter((type) => type.startsWith('response.'));

  let bobs: Socket;
  beforeEach(async () => {
    await world.join(socket);
    bobs = new Socket();
    await world.join(bobs, { identity: 'bob' });
  });

  it('is one response at a time: of two rows that speak in one micro-turn the earlier wins, and the other waits', async () => {
    world.decide(0, { floor: 'yielded', say: 'hello' });
    expect(texts()).toEqual(['hello']);
    await endMaking();
    world.clock.advance(200);
    world.decide(1);
    await settled();
    expect(texts()).toEqual(['hello', 'hello']);
    expect(world.spoken[0]!.responseId).not.toBe(world.spoken[1]!.responseId);
    expect(world.spoken.map(({ voiceKey }) => voiceKey)).toEqual(['room:den', 'room:den']);
  });

  it('is not said after its moment, however long another speaks', async () => {
    const [anns] = world.calls.values();
    world.decide(0, { floor: 'yielded', say: 'hello' });
    anns!.session.speechMoved('speech-started', world.spoken[0]!.responseId, world.clock.now());
    world.clock.advance(4200);
    world.decide(21);
    await endMaking();
    expect(texts()).toEqual(['hello']);
    expect(bobs.events.filter(({ type }) => type === 'response.interrupted')).toMatchObject([
      { by: 'agent', heardMs: 0 },
    ]);
  });

  it('is said after it, all the same, where an LLM answers', async () => {
    const llm = new ScriptedChat();
    const agents = {
      assertKnown: () => undefined,
      forCall: (_: unknown, { floor }: { floor: SessionEngine }) => ({
        engine: new CompositeEngine(floor, partsOf({ llm })),
        speaker: undefined,
        keepClip: false,
      }),
    };
    Object.assign(world.parts, { agents });
    const cyds = new Socket();
    const { call: cyd } = await world.join(cyds, { identity: 'cyd' });
    const [anns] = world.calls.values();
    const { responseId } = anns!.session.say('a long story');
    anns!.session.speechMoved('speech-started', responseId, world.clock.now());
    cyd.session.typed({ field: 'note', text: 'what time is it', sent: true });
    llm.writes('It is noon.', '');
    await settled();
    expect(typesAt(cyds)).toEqual(['response.started', 'response.started']);
    for (let index = 0; index < 40; index++) {
      world.clock.advance(200);
      world.decide(index);
    }
    await endMaking();
    expect(texts()).toEqual(['a long story', 'It is noon.']);
    expect(typesAt(cyds)).not.toContain('response.interrupted');
  });

  it('is told to everybody there, once, as their own session counts', async () => {
    const [annsCall] = world.calls.values();
    const { responseId } = annsCall!.session.say('good morning');
    world.spoken[0]!.onClause({ text: 'good morning', words: [], lengthMs: 500, offsetMs: 0 });
    await annsCall!.close('left');
    expect(typesAt(bobs)).toEqual(['response.started', 'response.text', 'response.interrupted']);
    expect(bobs.events.find(({ type }) => type === 'response.started')).toMatchObject({ responseId, audience: 'room' });
    expect(bobs.seqs).toEqual(bobs.seqs.map((_, i) => i + 1));
  });

  it('is stopped by anybody there, by voice or by their client', async () => {
    const [anns, bobsCall] = world.calls.values();
    for (const stop of [() => world.decide(1, { acts: ['stop'] }), () => bobsCall!.session.interrupt(undefined)]) {
      const { responseId } = anns!.session.say('a long story');
      anns!.session.speechMoved('speech-started', responseId, world.clock.now());
      world.leases.delete(1);
      await stop();
      expect(socket.events.at(-1)).toMatchObject({ type: 'response.cut', responseId });
      expect(bobs.events.findLast(({ type }) => type === 'response.cut')).toMatchObject({ responseId });
    }
    expect(bobs.events.filter(({ type }) => type === 'interruption')).toMatchObject([
      { kind: 'barge-in', participant: 'bob', taken: true },
    ]);
    expect(world.requests.filter((method) => method === 'speech.cut')).toHaveLength(2);
  });

  it('is told to them as it began and as it ended, also where its participant is lost as they are told', async () => {
    const [anns] = world.calls.values();
    anns!.detach(socket);
    anns!.attach(socket);
    anns!.session.resume(1, ({ type }: SessionEvent) => {
      if (type === 'response.started') anns!.detach(socket);
    });
    anns!.session.say('good morning');
    expect(typesAt(bobs)).toEqual(['response.started', 'response.interrupted']);
  });

  describe('while somebody comes', () => {
    const come = async () => {
      const cyds = new Socket();
      const { call } = await world.join(cyds, { identity: 'cyd' });
      return { cyds, session: call.session };
    };

    it('is told to them, right after the beginning of their session, and is theirs to stop', async () => {
      const [anns] = world.calls.values();
      const { responseId } = anns!.session.say('a long story');
      anns!.session.speechMoved('speech-started', responseId, world.clock.now());
      for (const text of ['a long', 'story'])
        world.spoken[0]!.onClause({
          text,
          words: text.split(' ').map((word) => ({ text: word, startMs: 0, endMs: 250 })),
          lengthMs: 500,
          offsetMs: 0,
        });
      const { cyds, session } = await come();
      const words = ['a', 'long', 'story'].map((text) => ({ text }));
      expect(cyds.events.slice(0, 3)).toMatchObject([
        { type: 'session.started', seq: 1 },
        { type: 'response.started', responseId, audience: 'room', seq: 2 },
        { type: 'response.text', responseId, text: 'a long story', words, seq: 3 },
      ]);
      await session.interrupt(undefined);
      expect(socket.events.at(-1)).toMatchObject({ type: 'response.cut', responseId });
      expect(typesAt(cyds)).toEqual(['response.started', 'response.text', 'response.cut']);
      // It is silent: nobody is told of it who did not hear it.
      const later = await come();
      expect(typesAt(later.cyds)).toEqual([]);
    });

    it('is told to them, too, where they come back to another process', async () => {
      const cyds = new Socket();
      const { joined } = await world.join(cyds, { identity: 'cyd' });
      await world.recorder.flush();
      const next = new World(world.store, 3000);
      const { call: dan } = await next.join(new Socket(), { identity: 'dan' });
      const { responseId } = dan.session.say('a long story');
      const resume = { resumeToken: joined.resumeToken, lastSeq: cyds.seqs.at(-1)! };
      const again = new Socket();
      await next.join(again, { identity: 'cyd', resume });
      expect(again.events.filter(({ type }) => type === 'response.started')).toMatchObject([{ responseId }]);
      // For its page, what was being said before it is back is over.
      const types = again.events.map(({ type }) => type);
      expect(types.indexOf('response.started')).toBe(types.indexOf('session.resumed') + 1);
    });

    it('is told to them again, with its words, where they come back to the same process', async () => {
      const [anns] = world.calls.values();
      const { cyds, session } = await come();
      const { responseId } = anns!.session.say('a long story');
      world.spoken[0]!.onClause({ text: 'a long', words: [], lengthMs: 500, offsetMs: 0 });
      session.suspend();
      world.spoken[0]!.onClause({ text: 'story', words: [], lengthMs: 500, offsetMs: 500 });
      const again = new Socket();
      session.resume(cyds.seqs.at(-1)!, again.listener);
      const types = again.events.map(({ type }) => type);
      expect(again.events.slice(types.indexOf('session.resumed') + 1)).toMatchObject([
        { type: 'response.started', responseId },
        { type: 'response.text', responseId, text: 'a long story' },
      ]);
    });

    it('is stopped by their voice, and not once its participant has gone', async () => {
      const [anns] = world.calls.values();
      const { responseId } = anns!.session.say('a long story');
      anns!.session.speechMoved('speech-started', responseId, world.clock.now());
      const { cyds } = await come();
      for (const lease of [1, 2]) world.leases.delete(lease);
      world.decide(0, { acts: ['stop'] });
      expect(cyds.events.find(({ type }) => type === 'interruption')).toMatchObject({
        participant: 'cyd',
        taken: true,
      });
      expect(typesAt(cyds)).toEqual(['response.started', 'response.cut']);
      await anns!.close('left');
      expect(typesAt(cyds).at(-1)).toBe('response.interrupted');
      const later = await come();
      expect(typesAt(later.cyds)).toEqual([]);
    });
  });

  it('to one participant goes to their own voice at once, and nobody else is told', async () => {
    const [anns, bobsCall] = world.calls.values();
    anns!.session.say('to everybody');
    const { responseId } = bobsCall!.session.say('in your ear', 'self');
    await settled();
    expect(world.requests).toContain('voice.open');
    expect(world.spoken.at(-1)).toMatchObject({ responseId, voiceKey: `endpoint:${bobsCall!.session.endpoint}` });
    expect(bobs.events).toContainEqual(
      expect.objectContaining({ type: 'response.started', responseId, audience: { participant: 'bob' } }),
    );
    expect(socket.events.filter((event) => 'responseId' in event && event.responseId === responseId)).toEqual([]);
  });

  it('is to one participant alone where their token says so, whatever their client says', async () => {
    const cyds = new Socket();
    const { call } = await world.join(cyds, {
      identity: 'cyd',
      attributes: { 'mt.audience': 'self' },
      audience: 'room',
    });
    expect(world.requests.filter((method) => method === 'voice.open')).toHaveLength(1);
    world.leases.delete(1);
    world.leases.delete(2);
    world.decide(0, { floor: 'yielded', say: 'well done' });
    await settled();
    expect(world.spoken).toMatchObject([{ text: 'well done', voiceKey: `endpoint:${call.session.endpoint}` }]);
    expect([typesAt(socket), typesAt(bobs)]).toEqual([[], []]);
    await expect(
      world.join(new Socket(), { identity: 'dan', attributes: { 'mt.audience': 'all' } }),
    ).rejects.toMatchObject({ code: 'auth/forbidden' });
  });
});
