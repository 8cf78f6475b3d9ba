import { MicroturnError, type ClientMessageOf } from '@microturn/protocol';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { joinCall } from './join-call.js';
import { Socket, World, nothing, settled } from './testing/call-world.js';

let world: World;
let socket: Socket;
beforeEach(() => {
  world = new World();
  socket = new Socket();
});

describe('a call whose socket drops', () => {
  it('fault 7, the network drops for 5 s: the same session, every event once and in order, on fresh transports', async () => {
    const { call, joined } = await world.join(socket);
    world.decide(0, { floor: 'speaking' });
    call.detach(socket);
    for (let index = 1; index <= 25; index++) {
      world.clock.advance(200);
      world.decide(index, { floor: index % 2 ? 'silent' : 'speaking' });
    }
    const again = new Socket();
    const resume = { resumeToken: joined.resumeToken, lastSeq: socket.seqs.at(-1)! };
    const back = await world.join(again, { resume });
    expect(back.call).toBe(call);
    expect(back.joined).toMatchObject({ resumed: true, sessionId: joined.sessionId, sessionMs: 5000 });
    expect([joined.resumeMs, back.joined.resumeMs]).toEqual([world.parts.resumeMs, world.parts.resumeMs]);
    const all = [...socket.events, ...again.events];
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1));
    expect(again.events.at(-1)).toMatchObject({ type: 'session.resumed', lostMs: 0, at: 5000, turn: 25 });
    expect(world.requests.slice(-2)).toEqual(['endpoint.suspend', 'endpoint.reopen']);
    expect(world.held).toEqual({ rows: 1, endpoints: 1, calls: 1, resumable: 1, rooms: 1, timers: 0, turnstile: 0 });
  });

  it('replays from wherever the client was', async () => {
    const { call, joined } = await world.join(socket);
    for (let index = 0; index < 20; index++) world.decide(index, { floor: index % 2 ? 'silent' : 'speaking' });
    call.detach(socket);
    const { resumeToken } = joined;
    for (let lastSeq = 0; lastSeq <= socket.events.length; lastSeq++) {
      const again = new Socket();
      await world.join(again, { resume: { resumeToken, lastSeq } });
      expect(again.seqs).toEqual(again.seqs.map((_, i) => lastSeq + 1 + i));
      call.detach(again);
    }
  });

  it('is told that a response was too long for its voice, and that it ends there', async () => {
    const { call } = await world.join(socket);
    const { responseId } = call.session.say('good morning to you');
    world.spoken[0]!.onClause({ text: 'good morning', words: [], lengthMs: 500, offsetMs: 0 });
    call.session.speechFull('of somebody else');
    expect(socket.events.filter(({ type }) => type === 'error')).toEqual([]);
    call.session.speechFull(responseId);
    const [error, interrupted] = socket.events.slice(-2);
    expect(error).toMatchObject({ type: 'error', code: 'voice/failed', retryable: true });
    expect(interrupted).toMatchObject({ type: 'response.interrupted', responseId, by: 'agent' });
    await settled();
    expect(world.requests).toContain('speech.cut');
  });

  it('is not spoken to: what plays is cut where it was heard, and what is said meanwhile is unheard', async () => {
    const { call, joined } = await world.join(socket);
    call.session.say('good morning to you');
    world.spoken[0]!.onClause({ text: 'good morning', words: [], lengthMs: 500, offsetMs: 0 });
    call.detach(socket);
    await settled();
    expect(world.requests).toContain('speech.cut');
    world.decide(3, { floor: 'yielded', say: 'hello' });
    call.session.say('anybody there');
    expect(world.spoken).toHaveLength(1);
    const again = new Socket();
    await world.join(again, { resume: { resumeToken: joined.resumeToken, lastSeq: socket.seqs.at(-1)! } });
    const unheard = again.events.filter(({ type }) => type === 'response.interrupted');
    expect(unheard).toMatchObject([
      { by: 'agent', heardMs: 0 },
      { by: 'agent', heardMs: 0, unheardText: 'hello' },
      { by: 'agent', heardMs: 0, unheardText: 'anybody there' },
    ]);
    world.decide(4, { floor: 'yielded', say: 'again' });
    expect(world.spoken.at(-1)).toMatchObject({ text: 'again' });
  });

  it('fault 8, away for 60 s: the row, the clock and the history are kept', async () => {
    const { call, joined } = await world.join(socket);
    call.detach(socket);
    world.clock.advance(60_000);
    const again = new Socket();
    const back = await world.join(again, { resume: { resumeToken: joined.resumeToken, lastSeq: 1 } });
    expect(back.joined).toMatchObject({ resumed: true, sessionMs: 60_000 });
    expect(world.leases.size).toBe(1);
  });

  it('fault 9, away for 180 s: the session ends, says session/expired to whoever comes, and holds nothing', async () => {
    const { call, joined } = await world.join(socket);
    call.detach(socket);
    world.clock.advance(180_000);
    await settled();
    expect(world.held).toEqual(nothing);
    const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
    await expect(world.join(new Socket(), { resume })).rejects.toMatchObject({ code: 'session/expired' });
    expect(world.held).toEqual(nothing);
  });

  it('may be taken over from a socket that the edge believes alive', async () => {
    const { call, joined } = await world.join(socket);
    const again = new Socket();
    await world.join(again, { resume: { resumeToken: joined.resumeToken, lastSeq: 1 } });
    expect(socket.ends).toEqual([{ code: 'session/replaced', resumable: true }]);
    call.detach(socket); // Its end is noticed late, and is nobody's any more.
    expect(world.clock.pending).toBe(0);
    await call.leave(socket, 'left');
    expect(call.closed).toBe(false);
  });

  it('is carried by one of two sockets that come back at once, and the other is told so', async () => {
    const { call, joined } = await world.join(socket);
    call.detach(socket);
    const [one, other] = [new Socket(), new Socket()];
    const resume = { resumeToken: joined.resumeToken, lastSeq: socket.seqs.at(-1)! };
    await Promise.all([world.join(one, { resume }), world.join(other, { resume })]);
    expect([one.ends, other.ends]).toEqual([[{ code: 'session/replaced', resumable: true }], []]);
    // As its connection does, which changes nothing any more.
    call.detach(one);
    await call.leave(one, 'left');
    const { length } = one.events;
    call.session.say('good morning');
    expect([one.events.length, other.events.at(-1)]).toMatchObject([length, { type: 'response.started' }]);
    await call.leave(other, 'left');
    expect(world.held).toEqual(nothing);
  });

  it('is only for who it was: another room, another identity and a guess are refused alike', async () => {
    const { call, joined } = await world.join(socket);
    call.detach(socket);
    const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
    for (const wrong of [
      { resume, identity: 'bob' },
      { resume, room: 'other' },
      { resume: { ...resume, resumeToken: 'guess' } },
    ]) {
      await expect(world.join(new Socket(), wrong)).rejects.toMatchObject({ code: 'session/expired' });
    }
    const message: ClientMessageOf<'join'> = { type: 'join', id: 1, protocol: 1, token: 'forged', resume };
    await expect(joinCall(world.parts, message)).rejects.toMatchObject({ code: 'auth/denied' });
    expect(call.closed).toBe(false);
  });

  it('is not for a token that hides them, or does not any more: the others know of them as they were', async () => {
    for (const hidden of [false, true]) {
      const { call, joined } = await world.join(socket, { grant: { hidden } });
      call.detach(socket);
      const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
      await expect(world.join(new Socket(), { resume, grant: { hidden: !hidden } })).rejects.toMatchObject({
        code: 'session/expired',
      });
      expect((await world.join(socket, { resume, grant: { hidden } })).call).toBe(call);
    }
  });

  it('ends at once where the client closes its transports first, and its socket in order after that', async () => {
    const { call } = await world.join(socket);
    call.drop(new MicroturnError('net/ice-failed'));
    expect(call.closed).toBe(false);
    await call.leave(socket, 'left');
    expect(world.held).toEqual(nothing);
  });

  it('ends at once where the client leaves, and cannot be resumed', async () => {
    const { call, joined } = await world.join(socket);
    await call.leave(socket, 'left');
    expect(world.held).toEqual(nothing);
    const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
    await expect(world.join(new Socket(), { resume })).rejects.toMatchObject({ code: 'session/expired' });
  });
});

it('fault 34, the wall clock is set on and back by an hour in mid-call: nothing moves, and the client comes back', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const { call, joined } = await world.join(socket);
    let carrier = socket;
    for (const [i, jumpMs] of [3_600_000, -7_200_000].entries()) {
      vi.setSystemTime(Date.now() + jumpMs);
      world.clock.advance(1000);
      world.decide(5 * i + 4, { floor: i === 0 ? 'speaking' : 'yielded' });
      expect(carrier.events.at(-1)).toMatchObject({ type: 'floor.changed', at: 1000 * (i + 1) });
      call.detach(carrier);
      const resume = { resumeToken: joined.resumeToken, lastSeq: carrier.seqs.at(-1)! };
      carrier = new Socket();
      const back = await world.join(carrier, { resume });
      expect(back.joined).toMatchObject({ resumed: true, sessionMs: 1000 * (i + 1) });
    }
  } finally {
    vi.useRealTimers();
  }
});
