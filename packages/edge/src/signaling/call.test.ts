import { MicroturnError, parseSessionEvent } from '@microturn/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { Socket, World, keys, nothing, settled } from './testing/call-world.js';

let world: World;
let socket: Socket;
beforeEach(() => {
  world = new World();
  socket = new Socket();
});

describe('what a call has used', () => {
  const usage = async () => {
    const { call } = await world.join(socket);
    call.session.close('client');
    return socket.events.find(({ type }) => type === 'session.usage');
  };

  it('has the tokens of the language model that spoke in it, and their cost', async () => {
    world.spent = { tokensIn: 1200, tokensOut: 80, cost: 0.02 };
    expect(await usage()).toMatchObject({ tokensIn: 1200, tokensOut: 80, cost: 0.02 });
  });

  it('has what its transcriber heard, and what its voice was given to say', async () => {
    world.transcribed = { requests: 7, seconds: 21.5 };
    const { call } = await world.join(socket);
    call.session.say('good morning');
    call.session.close('client');
    expect(socket.events.find(({ type }) => type === 'session.usage')).toMatchObject({
      transcriber: { requests: 7, seconds: 21.5 },
      voice: { characters: 12 },
    });
  });

  it('of the bundle alone are no tokens, and no cost', async () => {
    const event = await usage();
    expect(event).toMatchObject({ tokensIn: 0, tokensOut: 0 });
    expect(event).not.toHaveProperty('cost');
    expect(event).not.toHaveProperty('transcriber');
  });
});

describe('a participant who joins again', () => {
  it('fault 41, with the same identity: the older call is replaced, and there is one agent', async () => {
    const first = await world.join(socket);
    await world.join(new Socket());
    expect(socket.ends).toEqual([{ code: 'session/replaced', resumable: false }]);
    expect(first.call.closed).toBe(true);
    expect(world.held).toMatchObject({ rows: 1, endpoints: 1, calls: 1, resumable: 1 });
  });

  it('fault 41, many times at once: one is left', async () => {
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => world.join(new Socket())));
    await settled();
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
    expect(world.held).toMatchObject({ rows: 1, endpoints: 1, calls: 1, resumable: 1, rooms: 1, turnstile: 0 });
  });

  it('is let in where every row is leased, and nobody gets theirs meanwhile', async () => {
    world.rows = 1;
    await world.join(socket);
    let goOn!: () => void;
    world.slow.set('endpoint.close', new Promise((resolve) => (goOn = resolve)));
    const again = world.join(new Socket());
    await settled();
    await expect(world.join(new Socket(), { identity: 'bob' })).rejects.toMatchObject({ code: 'edge/full' });
    goOn();
    await again;
    expect(world.held).toMatchObject({ rows: 1, endpoints: 1, calls: 1 });
  });

  it('is told so where their row is lost while the older call closes, and nothing is left', async () => {
    await world.join(socket);
    let goOn!: () => void;
    world.slow.set('endpoint.close', new Promise((resolve) => (goOn = resolve)));
    const again = expect(world.join(new Socket())).rejects.toMatchObject({ code: 'session/closed' });
    await settled();
    const [lease] = [...world.leases.keys()];
    world.leases.get(lease!)!.fail(new MicroturnError('engine/failed'));
    goOn();
    await again;
    expect(world.held).toEqual(nothing);
    world.slow.clear();
    await world.join(new Socket());
    expect(world.held).toMatchObject({ rows: 1, endpoints: 1, calls: 1 });
  });

  it('is let in where the engine keeps time with fewer than there are: they are no more than before', async () => {
    await world.join(new Socket(), { identity: 'bob' });
    await world.join(socket);
    world.inTime = 1;
    await expect(world.join(new Socket(), { identity: 'eve' })).rejects.toMatchObject({ code: 'edge/full' });
    await world.join(new Socket());
    expect(world.held).toMatchObject({ rows: 2, endpoints: 2, calls: 2 });
  });

  it('is not replaced by a join that is refused', async () => {
    await world.join(socket);
    await expect(world.join(new Socket(), { recipe: 'nobody' })).rejects.toThrow('nobody');
    expect(socket.ends).toEqual([]);
    expect(world.held).toMatchObject({ rows: 1, endpoints: 1, calls: 1 });
  });

  it('fault 42, joins and leaves 1000 times: nothing is left', async () => {
    for (let i = 0; i < 1000; i++) {
      const { call } = await world.join(socket);
      if (i % 3 === 0) call.detach(socket);
      else await call.leave(socket, 'left');
      world.clock.advance(50);
    }
    world.clock.advance(120_000);
    await settled();
    expect(world.held).toEqual(nothing);
  });
});

it('fault 24, one late micro-turn is counted, ten in a row are told, and not again at once', async () => {
  await world.join(socket);
  const late = () => socket.events.filter((event) => event.type === 'error' && event.code === 'engine/late');
  const decideAll = (from: number, to: number, lateMs: number) => {
    for (let index = from; index < to; index++) {
      world.clock.advance(Math.max(0, (index + 1) * 200 + lateMs - world.clock.now()));
      world.decide(index);
    }
  };
  decideAll(0, 1, 450);
  decideAll(3, 9, 0);
  expect(late()).toEqual([]);
  decideAll(9, 18, 450);
  expect(late()).toEqual([]);
  decideAll(18, 40, 450);
  expect(late()).toMatchObject([{ retryable: true, message: expect.stringContaining('10 micro-turns in a row') }]);
  decideAll(40, 90, 450);
  expect(late()).toHaveLength(2);
});

it('fault 24, a micro-turn that was late on main alone is no reason to end a call', async () => {
  const { call } = await world.join(socket);
  world.clock.advance(2000);
  for (let index = 0; index < 5; index++) world.decide(index, { lagMs: 20 });
  expect(call.session.engineLateInARow).toBe(0);
  for (let index = 5; index < 9; index++) world.decide(index, { lagMs: 450 });
  expect(call.session.engineLateInARow).toBe(4);
  world.decide(9, { lagMs: 20 });
  expect(call.session.engineLateInARow).toBe(0);
});

it.each([
  ['repeat', 'completed', 'good morning to you'],
  ['continue', 'interrupted', 'to you'],
] as const)(
  'says by `%s`, which comes without words, a response that its client knows by its id',
  async (act, end, text) => {
    const { call } = await world.join(socket);
    world.decide(0, { floor: 'yielded', say: 'good morning to you' });
    const started = socket.events.find((event) => event.type === 'response.started')!;
    const { responseId } = started;
    const word = (text: string, endMs: number) => ({ text, startMs: endMs - 100, endMs });
    const words = [word('good', 200), word('morning', 400), word('to', 800), word('you', 1000)];
    world.spoken[0]!.onClause({ text: 'good morning to you', words, lengthMs: 1000, offsetMs: 0 });
    world.made.get(world.spoken[0]!)!();
    await settled();
    call.session.speechMoved('speech-started', responseId, 200);
    if (end === 'completed') call.session.speechMoved('speech-sent', responseId, 1200);
    world.heard = [{ responseId, heardMs: end === 'completed' ? 1000 : 450 }];
    const report = { rtpTimestamp: 1, outputLatencyMs: 0, audience: 'room' } as const;
    await call.session.heard({ ...report, state: 'playing' });
    if (end === 'interrupted') await call.session.interrupt({ ...report, state: 'muted' });
    expect(socket.events.at(-1)).toMatchObject({ type: `response.${end}` });
    world.decide(1, { floor: 'yielded', acts: [act] });
    expect(world.spoken.at(-1)).toMatchObject({ text });
    for (const event of socket.events) expect(parseSessionEvent(event)).toEqual(event);
  },
);

it.each([
  ['room', { heardMs: 0, unheardText: 'good morning' }],
  ['self', { heardMs: 0 }],
] as const)(
  'takes what is said to the room for heard unless that sound is off, which is told of %s',
  async (audience, end) => {
    const { call } = await world.join(socket);
    world.decide(0, { floor: 'yielded', say: 'good morning' });
    const { responseId } = socket.events.find((event) => event.type === 'response.started')!;
    const words = ['good', 'morning'].map((text, i) => ({ text, startMs: 500 * i, endMs: 500 * (i + 1) }));
    world.spoken[0]!.onClause({ text: 'good morning', words, lengthMs: 1000, offsetMs: 0 });
    world.made.get(world.spoken[0]!)!();
    await settled();
    await call.session.heard({ audience, outputLatencyMs: 0, state: 'muted' });
    expect(world.requests).not.toContain('heard');
    call.session.speechMoved('speech-started', responseId, 200);
    world.decide(1);
    call.session.speechMoved('speech-sent', responseId, 1200);
    world.clock.advance(4000);
    world.decide(20);
    const { seq, at, turn, ...completed } = socket.events.find(({ type }) => type === 'response.completed')!;
    expect([completed, seq > 0, at > 0, turn > 0]).toEqual([
      { type: 'response.completed', responseId, ...end },
      true,
      true,
      true,
    ]);
  },
);

it('has the far end cut only for a model that takes it', async () => {
  await world.join(socket);
  world.inputs.push('ref');
  await world.join(new Socket(), { identity: 'other' });
  expect(world.rowsStarted.map(({ ref }) => ref)).toEqual([false, true]);
});

it('talks with whom the token names, else whom the app’s server sent to the room, else whom the client asks for', async () => {
  const asked = (join: Parameters<World['join']>[1]) =>
    world.join(new Socket(), join).then(
      () => 'nano',
      (error: unknown) => /^there is no such recipe: (\w+);/.exec((error as Error).message)?.[1],
    );
  expect(await asked({ recipe: 'client' })).toBe('client');
  const dispatch = world.dispatches.create({ room: 'den', agentName: 'other', metadata: '' });
  expect(await asked({ recipe: 'client' })).toBe('other');
  expect(await asked({ recipe: 'client', room: 'attic' })).toBe('client');
  expect(await asked({ agents: ['token'] })).toBe('token');
  expect(await asked({ agents: [''] })).toBe('other');
  await expect(world.join(new Socket(), { agents: ['a', 'b'] })).rejects.toMatchObject({ code: 'auth/forbidden' });
  world.dispatches.delete('den', dispatch.id);
  expect(await asked({})).toBe('nano');
});

describe('fault 18, a token that is not good any more', () => {
  it('of one who was removed does not let them back in, nor another call of theirs that waits to get in', async () => {
    const { call } = await world.join(socket);
    const waiting = world.join(new Socket());
    await call.remove();
    expect(socket.ends).toEqual([{ code: 'session/removed', resumable: false }]);
    await expect(waiting).rejects.toMatchObject({ code: 'session/removed' });
    await expect(world.join(new Socket())).rejects.toMatchObject({ code: 'session/removed' });
    expect(world.held).toEqual(nothing);
    await world.join(new Socket(), { room: 'attic' });
  });

  it('of one join lets in once and not again, at the same time neither, but resumes the session that it began', async () => {
    const once = { attributes: { 'mt.once': 'a1' } };
    const [first, second] = await Promise.allSettled([world.join(socket, once), world.join(new Socket(), once)]);
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'auth/denied' } });
    if (first.status === 'rejected') throw first.reason;
    const { call, joined } = first.value;
    call.detach(socket);
    const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
    expect((await world.join(new Socket(), { ...once, resume })).call).toBe(call);
    await call.end(new MicroturnError('session/removed'));
    await expect(world.join(new Socket(), once)).rejects.toMatchObject({ code: 'auth/denied' });
    expect(world.held).toEqual(nothing);
  });

  it('of one join is still good where nobody came in with it', async () => {
    const once = { attributes: { 'mt.once': 'a1' } };
    world.mediaGone = true;
    await expect(world.join(socket, once)).rejects.toMatchObject({ code: 'edge/worker-died' });
    world.mediaGone = false;
    await world.join(socket, once);
  });

  it('of a key that is revoked opens nothing and resumes nothing; a call that has moved to another key goes on', async () => {
    const first = await world.join(socket);
    first.call.detach(socket);
    const resume = { resumeToken: first.joined.resumeToken, lastSeq: 1 };
    const { call } = await world.join(new Socket(), { key: 'other', resume });
    expect(call.grant.key).toBe('other');
    const waiting = world.join(new Socket(), { identity: 'bob' });
    await Promise.resolve();
    world.keys.replace({ other: keys.other });
    await expect(waiting).rejects.toMatchObject({ code: expect.stringMatching(/^auth\/(denied|revoked)$/) as string });
    call.detach(socket);
    await expect(world.join(new Socket(), { resume })).rejects.toMatchObject({ code: 'auth/denied' });
    expect((await world.join(new Socket(), { key: 'other', resume })).call).toBe(call);
    expect(world.held).toMatchObject({ calls: 1, rows: 1, endpoints: 1, turnstile: 0 });
  });
});

describe('a part of the edge that dies', () => {
  it('fault 1, the media worker: clients are told to come back, and the row goes on on the same clock', async () => {
    const { call, joined } = await world.join(socket);
    world.clock.advance(1000);
    world.mediaGone = true;
    call.drop(new MicroturnError('edge/worker-died'));
    expect(socket.ends).toEqual([{ code: 'edge/worker-died', resumable: true }]);
    const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
    await expect(world.join(new Socket(), { resume })).rejects.toMatchObject({
      code: 'edge/worker-died',
      retryable: true,
    });
    world.mediaGone = false;
    await world.rooms.restore();
    await call.restoreMedia();
    expect(world.rowsStarted).toEqual([world.rowsStarted[0], world.rowsStarted[0]]);
    const back = await world.join(new Socket(), { resume });
    expect(back.joined).toMatchObject({ resumed: true, sessionMs: 1000 });
  });

  it.each(['endpoint.open', 'endpoint.suspend', 'row.start'])(
    'fault 1, the media worker: who leaves while their %s is made again holds nobody else up, and leaves nothing',
    async (method) => {
      const { call } = await world.join(socket);
      call.drop(new MicroturnError('edge/worker-died'));
      await settled();
      world.endpoints.clear();
      let done = () => {};
      world.slow.set(method, new Promise((resolve) => (done = resolve)));
      const restored = call.restoreMedia();
      await settled();
      await call.leave(socket, 'left');
      done();
      await restored;
      expect(world.held).toEqual(nothing);
    },
  );

  it('fault 5, the engine thread: the session says so, and goes on', async () => {
    const { call } = await world.join(socket);
    world.leases.get(1)!.reset(new MicroturnError('engine/failed', 'it died'), { snapshotAgeMs: 640 });
    expect(socket.events.at(-1)).toMatchObject({ type: 'error', code: 'engine/failed', retryable: true });
    expect(socket.events.at(-1)).toMatchObject({ snapshotAgeMs: 640 });
    world.leases.get(1)!.reset(new MicroturnError('engine/failed', 'its device was lost'), { replayedMs: 20_000 });
    expect(socket.events.at(-1)).toMatchObject({ code: 'engine/failed', replayedMs: 20_000 });
    world.leases.get(1)!.reset(new MicroturnError('engine/failed', 'it died'), {});
    expect(socket.events.at(-1)).not.toHaveProperty('snapshotAgeMs');
    expect(socket.events.at(-1)).not.toHaveProperty('replayedMs');
    world.decide(9, { floor: 'speaking' });
    expect(socket.events.at(-1)).toMatchObject({ type: 'floor.changed' });
    expect(call.closed).toBe(false);
  });
});
