import { limits, type SessionEventBody } from '@microturn/protocol';
import { describe, expect, it, vi } from 'vitest';
import { createSession, MicroturnError, TokenSource, type SessionOptions } from './index.js';
import { FakeTrack, ManualClock, scriptedTransport, settled, type ScriptedOptions } from './testing/index.js';

function setUp(options: Partial<SessionOptions> = {}, scripted: ScriptedOptions = {}) {
  const clock = new ManualClock();
  const transport = scriptedTransport(scripted);
  const session = createSession({ url: 'http://edge', token: 'token', transport, clock, ...options } as SessionOptions);
  const statuses: string[] = [];
  session.connection.subscribe(({ status }) => statuses.push(status));
  return { clock, transport, session, statuses };
}

async function connected(...args: Parameters<typeof setUp>) {
  const parts = setUp(...args);
  await parts.session.connect();
  return parts;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => 'resolved',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MicroturnError);
  return (error as MicroturnError).code;
}

const begin = (responseId: string, audience: 'room' | { participant: string } = 'room'): SessionEventBody => ({
  type: 'response.started',
  responseId,
  kind: 'reply',
  audience,
});
const completed = (responseId: string): SessionEventBody => ({ type: 'response.completed', responseId, heardMs: 0 });

describe('connecting', () => {
  it('asks for the microphone, joins, and says each step', async () => {
    const { session, transport, statuses } = await connected();
    expect(statuses).toEqual(['idle', 'requesting-media', 'connecting', 'connected']);
    expect(session.info.value).toEqual({
      sessionId: 'session-1',
      room: 'room-1',
      participant: 'caller',
      model: 'scripted',
      microTurnMs: 200,
    });
    expect(transport.published.map((p) => [p.source, p.track.kind])).toEqual([['microphone', 'audio']]);
    expect(session.agentTrack.value).toBe(transport.agent.track);
    expect(session.agent.value.listening).toBe(true);
  });

  it('is one call, however often it is asked for', async () => {
    const { session, transport } = setUp();
    await Promise.all([session.connect(), session.connect()]);
    await session.connect();
    expect(transport.opened).toBe(1);
  });

  it('joins without a microphone where none is wanted', async () => {
    const { statuses, transport } = await connected({ microphone: false });
    expect(statuses).toEqual(['idle', 'connecting', 'connected']);
    expect(transport.published).toEqual([]);
    expect(transport.media.opened).toEqual([]);
  });

  it('asks the token source for the room and the name, and goes where it says', async () => {
    const fetch = vi.fn<TokenSource['fetch']>(() =>
      Promise.resolve({ serverUrl: 'http://other', participantToken: 'fresh' }),
    );
    const { transport } = await connected({
      url: undefined,
      token: undefined,
      tokenSource: TokenSource.custom(fetch),
      room: 'lobby',
      participantName: 'Ada',
    } as unknown as SessionOptions);
    expect(fetch.mock.calls[0]?.[0]).toMatchObject({ roomName: 'lobby', participantName: 'Ada' });
    expect(transport.sentOf('join')[0]).toMatchObject({ token: 'fresh', room: 'lobby' });
  });

  it('opens no call where the user refuses the microphone', async () => {
    const { session, transport } = setUp();
    transport.media.refuse('NotAllowedError');
    expect(await codeOf(session.connect())).toBe('media/permission');
    expect(session.connection.value).toMatchObject({ status: 'failed', error: { code: 'media/permission' } });
    expect(session.microphone.state.value).toMatchObject({ status: 'failed', error: { code: 'media/permission' } });
    expect(transport.opened).toBe(0);
  });

  it('may be tried again after it failed', async () => {
    const { session, transport } = setUp();
    transport.refuse();
    expect(await codeOf(session.connect())).toBe('net/unreachable');
    expect(transport.media.opened.map((track) => track.readyState)).toEqual(['ended']);
    await session.connect();
    expect(session.connection.value).toEqual({ status: 'connected' });
  });

  it('fails with the code of the token endpoint, and lets go of the microphone', async () => {
    const { session, transport } = setUp({
      token: undefined,
      tokenSource: TokenSource.custom(() => Promise.reject(new MicroturnError('auth/denied'))),
    } as unknown as SessionOptions);
    expect(await codeOf(session.connect())).toBe('auth/denied');
    expect(transport.media.opened.every((track) => track.readyState === 'ended')).toBe(true);
  });

  it('is given up by its signal, at any step, with nothing left open', async () => {
    const { session, transport, statuses } = setUp();
    transport.media.ask();
    const abort = new AbortController();
    const joining = codeOf(session.connect({ signal: abort.signal }));
    await settled();
    abort.abort();
    expect(await joining).toBe('session/aborted');
    expect(statuses).toEqual(['idle', 'requesting-media', 'idle']);
    // The user answers afterwards.
    transport.media.allow();
    await settled();
    expect(transport.media.opened.map((track) => track.readyState)).toEqual(['ended']);
    expect(session.microphone.state.value.status).toBe('off');

    transport.answer('join', () => new Promise(() => undefined));
    const again = new AbortController();
    const second = codeOf(session.connect({ signal: again.signal }));
    await settled();
    again.abort();
    expect(await second).toBe('session/aborted');
    expect([transport.openSockets, session.connection.value.status]).toEqual([0, 'idle']);
  });

  it('is another call when it is asked for again the moment it was given up, as StrictMode does', async () => {
    const { session, transport, statuses } = setUp();
    const abort = new AbortController();
    const first = codeOf(session.connect({ signal: abort.signal }));
    abort.abort();
    await session.connect();
    expect(await first).toBe('session/aborted');
    expect(statuses).toEqual(['idle', 'requesting-media', 'idle', 'requesting-media', 'connecting', 'connected']);
    expect(transport.openSockets).toBe(1);
  });

  it('goes on for the others where one of those who wait gives up, and ends with the last', async () => {
    const { session, transport } = setUp();
    const join = () => {
      const abort = new AbortController();
      return { abort, code: codeOf(session.connect({ signal: abort.signal }).then(() => Promise.reject(joined))) };
    };
    const joined = new MicroturnError('protocol/state');
    const [a, b] = [join(), join()];
    a.abort.abort();
    expect([await a.code, await b.code]).toEqual(['session/aborted', 'protocol/state']);
    const late = join();
    late.abort.abort();
    expect([await late.code, session.connection.value.status]).toEqual(['session/aborted', 'connected']);
    await session.disconnect();

    transport.answer('join', () => new Promise(() => undefined));
    const [c, d] = [join(), join()];
    await settled();
    for (const { abort } of [c, d]) abort.abort();
    expect([await c.code, await d.code]).toEqual(['session/aborted', 'session/aborted']);
    expect([session.connection.value.status, transport.openSockets]).toEqual(['idle', 0]);
  });

  it('is given up by disconnect and by close', async () => {
    const { session, transport } = setUp();
    transport.answer('join', () => new Promise(() => undefined));
    const first = codeOf(session.connect());
    await settled();
    await session.disconnect();
    expect(await first).toBe('net/closed');
    const second = codeOf(session.connect());
    await settled();
    await session.close();
    expect(await second).toBe('session/closed');
    expect([transport.openSockets, session.connection.value.status]).toEqual([0, 'closed']);
  });
});

describe('the end of a call', () => {
  it('keeps what was said, stops what went on, and releases the devices', async () => {
    const { session, transport, clock } = await connected();
    transport.emit(
      { type: 'transcript.word', participant: 'caller', text: 'hi', endMs: 100, confidence: 1, final: true },
      200,
    );
    transport.emit(begin('a'));
    const task = { taskId: 't', revision: 1, title: 'tower' };
    transport.emit({ type: 'task.created', ...task, origin: 'text', prompt: 'how high' });
    transport.emit({ type: 'task.question', ...task, questionId: 'q', text: 'Which tower?' });
    transport.emit({ type: 'task.created', ...task, taskId: 'u', origin: 'text', prompt: 'how old' });
    expect(session.agent.value.thinking).toBe(true);
    await session.disconnect();
    expect(session.tasks.value.map(({ status, question }) => [status, question])).toEqual([
      ['stale', undefined],
      ['stale', undefined],
    ]);
    expect(session.connection.value.status).toBe('idle');
    expect(session.transcript.value.map((entry) => entry.text)).toEqual(['hi', '']);
    expect(session.agent.value).toEqual({ listening: false, speaking: false, thinking: false, overlapping: false });
    expect([session.tracks.value, session.agentTrack.value]).toEqual([[], undefined]);
    expect(transport.media.opened.map((track) => track.readyState)).toEqual(['ended']);
    expect(transport.media.elements.map((element) => element.playing)).toEqual([false]);
    expect(transport.sent.at(-1)).toEqual({ type: 'leave' });
    expect([clock.pending, transport.media.listeners]).toEqual([0, 0]);
  });

  it('starts anew after it', async () => {
    const { session, transport } = await connected();
    transport.emit(begin('a'));
    await session.disconnect();
    await session.connect();
    expect(session.transcript.value).toEqual([]);
    transport.emit(begin('b'), 100);
    expect(session.responses.value.map(({ id }) => id)).toEqual(['b']);
  });

  it('is a failure where it was not asked for, and says what the edge said', async () => {
    const left = await connected();
    left.transport.goodbye(new MicroturnError('session/replaced'));
    expect(left.session.connection.value).toMatchObject({ status: 'failed', error: { code: 'session/replaced' } });
    expect(left.transport.media.opened.map((track) => track.readyState)).toEqual(['ended']);
  });

  it('is for good after close: states complete, calls say session/closed, closing again is harmless', async () => {
    const { session, transport, clock } = await connected();
    const ended: string[] = [];
    session.connection.subscribe({ complete: () => ended.push('connection') });
    session.events.subscribe({ complete: () => ended.push('events') });
    const waiting = codeOf(session.until(() => false));
    await session.close();
    await session.close();
    expect(ended).toEqual(['connection', 'events']);
    expect(await waiting).toBe('session/closed');
    for (const call of [
      () => session.connect(),
      () => session.interrupt(),
      () => session.say('x'),
      () => session.until(() => false),
      () => session.microphone.enable(),
      () => session.speaker.unlock(),
    ]) {
      expect(await codeOf(call())).toBe('session/closed');
    }
    expect([clock.pending, transport.openSockets, transport.media.listeners]).toEqual([0, 0, 0]);
  });

  it('closes with `await using`', async () => {
    const { session } = await connected();
    await session[Symbol.asyncDispose]();
    expect(session.closed).toBe(true);
  });

  it('shows a stalled media path as reconnecting', async () => {
    const { session, transport, statuses } = await connected();
    transport.setMediaFlowing(false);
    transport.setMediaFlowing(true);
    expect(statuses.slice(-2)).toEqual(['reconnecting', 'connected']);
    await session.close();
  });
});

describe('what was heard', () => {
  /** The device plays on, 20 ms at a time. */
  async function playFor(ms: number, { clock, transport }: Awaited<ReturnType<typeof connected>>) {
    for (let played = 0; played < ms; played += 20) {
      transport.agent.played = ((transport.agent.played ?? 0) + 960) >>> 0;
      clock.advance(20);
    }
    await settled();
  }

  it('is told every 100 ms while the agent speaks, and twice at the end', async () => {
    const parts = await connected();
    const { transport, clock } = parts;
    transport.emit(begin('a'));
    await playFor(500, parts);
    clock.advance(500);
    const heard = transport.sentOf('heard');
    expect(heard.map((message) => message.rtpTimestamp / 48)).toEqual([20, 120, 220, 320, 420, 500, 500]);
    expect(new Set(heard.map((message) => message.state))).toEqual(new Set(['playing']));
  });

  it('is not told while nothing is said', async () => {
    const parts = await connected();
    await playFor(500, parts);
    expect(parts.transport.sentOf('heard')).toEqual([]);
    expect(parts.clock.pending).toBe(1); // the keep-alive
  });

  it('is told to the end of a response that the edge calls completed early', async () => {
    const parts = await connected();
    parts.transport.emit(begin('a'));
    await playFor(100, parts);
    parts.transport.emit(completed('a'));
    await playFor(100, parts);
    parts.clock.advance(500);
    expect(parts.transport.sentOf('heard').at(-1)?.rtpTimestamp).toBe(200 * 48);
    expect(parts.clock.pending).toBe(1);
  });

  it('plays nothing that was on its way at a cut, however soon the next response begins', async () => {
    const { transport, clock } = await connected();
    transport.emit(begin('a'));
    transport.emit({ type: 'response.cut', responseId: 'a' });
    transport.emit(begin('b'));
    expect(transport.agent.track.enabled).toBe(false);
    clock.advance(79);
    expect(transport.agent.track.enabled).toBe(false);
    clock.advance(1);
    expect(transport.agent.track.enabled).toBe(true);
    transport.emit({ type: 'response.cut', responseId: 'b' });
    transport.emit(begin('c'));
    transport.emit({ type: 'response.cut', responseId: 'c' });
    clock.advance(500);
    expect(transport.agent.track.enabled).toBe(false);
  });

  it('ends at a cut, at once, and the voice is silent until the next response', async () => {
    const parts = await connected();
    const { transport, session } = parts;
    transport.emit(begin('a'));
    await playFor(60, parts);
    transport.emit({ type: 'response.cut', responseId: 'a' });
    expect(transport.sentOf('heard').at(-1)).toMatchObject({ state: 'muted', rtpTimestamp: 60 * 48 });
    expect(session.agentTrack.value?.enabled).toBe(false);
    await playFor(200, parts);
    expect(transport.sentOf('heard').at(-1)?.rtpTimestamp).toBe(60 * 48);
    transport.emit(begin('b'));
    expect(session.agentTrack.value?.enabled).toBe(true);
  });

  it('takes no notice of the cut of a response for another participant', async () => {
    const { transport, session } = await connected();
    transport.emit(begin('a', { participant: 'you' }));
    transport.emit({ type: 'response.cut', responseId: 'a' });
    expect(session.agentTrack.value?.enabled).toBe(true);
    expect(transport.sentOf('heard')).toEqual([]);
  });

  it('ends where the listener mutes the speaker', async () => {
    const parts = await connected();
    const { transport, session } = parts;
    transport.emit(begin('a'));
    await playFor(60, parts);
    session.speaker.setMuted(true);
    expect(transport.sentOf('heard').at(-1)).toMatchObject({ state: 'muted' });
    const told = transport.sentOf('heard').length;
    await playFor(200, parts);
    expect(transport.sentOf('heard')).toHaveLength(told);
    session.speaker.setMuted(false);
    await playFor(200, parts);
    expect(transport.sentOf('heard').at(-1)).toMatchObject({ state: 'playing' });
  });
});

describe('interrupt', () => {
  it('silences the agent before the edge knows, and gives what was heard', async () => {
    const { session, transport } = await connected();
    transport.emit(begin('a'));
    transport.agent.played = 4800;
    transport.answer('response.interrupt', () => ({ responseId: 'a', heardMs: 100 }));
    const result = session.interrupt();
    expect(session.agentTrack.value?.enabled).toBe(false);
    expect(transport.sentOf('heard')).toEqual([
      { type: 'heard', audience: 'room', rtpTimestamp: 4800, outputLatencyMs: 0, state: 'muted' },
    ]);
    expect(transport.sentOf('response.interrupt')[0]).toMatchObject({ rtpTimestamp: 4800 });
    expect(await result).toEqual({ responseId: 'a', heardMs: 100 });
    // The edge's own cut comes after: nothing was heard meanwhile.
    transport.agent.played = 9600;
    transport.emit({ type: 'response.cut', responseId: 'a' });
    expect(transport.sentOf('heard')).toHaveLength(1);
  });

  it('says nothing of a place where nothing was played', async () => {
    const { session, transport } = await connected();
    expect(await session.interrupt()).toEqual({ heardMs: 0 });
    expect(transport.sentOf('response.interrupt')[0]).not.toHaveProperty('rtpTimestamp');
  });

  it('needs a call', async () => {
    const { session } = setUp();
    expect(await codeOf(session.interrupt())).toBe('net/closed');
  });
});

describe('a voice for this participant alone', () => {
  const toMe = (responseId: string): SessionEventBody => ({
    type: 'response.started',
    responseId,
    kind: 'proactive',
    audience: { participant: 'caller' },
  });
  const toAll = begin('all');

  it('is played beside the room’s, and the edge is told when it is received', async () => {
    const { session, transport } = await connected();
    const room = session.agentTrack.value;
    const own = transport.addTrack('agent', 'agent', 'self');
    await settled();
    expect(transport.sentOf('track.ready')).toMatchObject([{ consumerId: own.offer.consumerId }]);
    expect(session.tracks.value.map(({ audience }) => audience)).toEqual([undefined, 'self']);
    expect(session.agentTrack.value).toBe(room);
    transport.emit(toMe('mine'));
    expect(session.agentTrack.value).toBe(own.track.asTrack());
    expect(session.agent.value.speaking).toBe(true);
  });

  it('is cut alone, and heard by itself', async () => {
    const { session, transport, clock } = await connected();
    const own = transport.addTrack('agent', 'agent', 'self');
    await settled();
    transport.emit(toAll);
    transport.emit(toMe('mine'));
    own.played = 960;
    transport.agent.played = 4800;
    clock.advance(120);
    const heard = transport.sentOf('heard');
    expect(heard).toContainEqual(expect.objectContaining({ audience: 'self', rtpTimestamp: 960 }));
    expect(heard).toContainEqual(expect.objectContaining({ audience: 'room', rtpTimestamp: 4800 }));
    transport.emit({ type: 'response.cut', responseId: 'mine' });
    expect([own.track.enabled, transport.agent.track.enabled]).toEqual([false, true]);
    expect(transport.sentOf('heard').at(-1)).toMatchObject({ audience: 'self', state: 'muted' });
    void session.interrupt();
    expect(transport.agent.track.enabled).toBe(false);
  });

  it('is asked for at the join, and for one sentence', async () => {
    const { session, transport } = setUp({ audience: 'self' });
    await session.connect();
    await session.say('psst', { audience: 'room' });
    expect(transport.sentOf('join')[0]).toMatchObject({ audience: 'self' });
    expect(transport.sentOf('say')[0]).toMatchObject({ text: 'psst', audience: 'room' });
  });
});

describe('speaking through the session', () => {
  it('says, and gives the id of the response', async () => {
    const { session, transport } = await connected();
    transport.answer('say', () => ({ responseId: 'r-7' }));
    expect(await session.say('hello')).toEqual({ responseId: 'r-7' });
    transport.answer('say', () => ({}));
    expect(await codeOf(session.say('hello'))).toBe('protocol/malformed');
  });

  it('sends a message whole, or says that it is too long', async () => {
    const { session, transport } = await connected();
    session.send(` ${'x'.repeat(limits.typedChars)} `);
    session.send('  ');
    expect(transport.sentOf('typing').map(({ text }) => text.length)).toEqual([limits.typedChars]);
    expect(() => session.send('x'.repeat(limits.typedChars + 1))).toThrow('at most 2000 characters');
  });

  it('keeps to itself what the edge would end the call for', async () => {
    const { session, transport } = await connected();
    expect(await codeOf(session.ask('你'.repeat(limits.messageBytes / 3)))).toBe('protocol/too-large');
    expect(transport.sentOf('task.ask')).toEqual([]);
    expect(session.connection.value.status).toBe('connected');
  });
});

describe('events', () => {
  it('come after the states that they change', async () => {
    const { session, transport } = await connected();
    const seen: unknown[] = [];
    session.on('floor.changed', () => seen.push(session.floor.value.floor));
    transport.emit({ type: 'floor.changed', participant: 'caller', floor: 'speaking', confidence: 1 });
    expect(seen).toEqual(['speaking']);
  });

  it('come until the listener leaves, or its signal says so', async () => {
    const { session, transport } = await connected();
    const seen: string[] = [];
    const abort = new AbortController();
    const off = session.on('stats', () => seen.push('a'));
    session.on('stats', () => seen.push('b'), { signal: abort.signal });
    const stats: SessionEventBody = { type: 'stats', loss: 0, jitterMs: 0, turnLagMs: 0, stepMs: 1 };
    transport.emit(stats);
    off();
    transport.emit(stats);
    abort.abort();
    transport.emit(stats);
    expect(seen).toEqual(['a', 'b', 'b']);
    expect(session.stats.value).toEqual({ loss: 0, jitterMs: 0, turnLagMs: 0, stepMs: 1 });
  });

  it('count once, should the edge repeat them', async () => {
    const { session, transport } = await connected();
    const event = transport.emit({
      type: 'transcript.word',
      participant: 'caller',
      text: 'a',
      endMs: 1,
      confidence: 1,
      final: true,
    });
    transport.receive(event);
    expect(session.transcript.value.map((entry) => entry.text)).toEqual(['a']);
  });

  it('of type error, and messages that cannot be read, are errors of the session that do not end it', async () => {
    const { session, transport } = await connected();
    const codes: string[] = [];
    session.errors.subscribe((error) => codes.push(error.code));
    transport.emit({ type: 'error', ...new MicroturnError('voice/failed').toWire() });
    transport.receiveText('{');
    expect(codes).toEqual(['voice/failed', 'protocol/malformed']);
    expect(session.connection.value.status).toBe('connected');
  });

  it('place the session clock', async () => {
    const { session, transport, clock } = await connected();
    expect(session.nowMs).toBe(0);
    clock.advance(500);
    expect(session.nowMs).toBe(500);
    // This one was quicker on its way than those before.
    transport.emit({ type: 'session.usage', audioSeconds: 0, microTurns: 0, late: 0, tokensIn: 0, tokensOut: 0 }, 520);
    expect(session.nowMs).toBe(520);
  });
});

describe('until', () => {
  it('resolves at once, or when it comes true, with states that fit each other', async () => {
    const { session, transport } = await connected();
    expect((await session.until((s) => s.connection.status === 'connected')).info?.model).toBe('scripted');
    const talking = session.until((s) => s.agent.overlapping);
    transport.emit({ type: 'floor.changed', participant: 'caller', floor: 'speaking', confidence: 1 });
    transport.emit(begin('a'));
    expect((await talking).responses).toHaveLength(1);
  });

  it('gives up with its signal, or in time, and leaves no timer', async () => {
    const { session, clock } = await connected();
    const abort = new AbortController();
    const aborted = codeOf(session.until(() => false, { signal: abort.signal }));
    const late = codeOf(session.until(() => false, { timeoutMs: 100 }));
    const before = clock.pending;
    abort.abort();
    clock.advance(100);
    expect(await aborted).toBe('session/aborted');
    expect(await late).toBe('net/timeout');
    expect(clock.pending).toBe(before - 1);
  });
});

describe('other participants', () => {
  it('are heard, each in an element of their own, and listed', async () => {
    const { session, transport } = await connected();
    const { offer } = transport.addTrack('bob');
    await settled();
    expect(session.tracks.value.map((t) => [t.participant, t.source])).toEqual([
      ['agent', 'agent'],
      ['bob', 'microphone'],
    ]);
    expect(transport.media.elements.map((element) => element.playing)).toEqual([true, true]);
    transport.removeTrack(offer.consumerId);
    await settled();
    expect(session.tracks.value).toHaveLength(1);
    expect(transport.media.elements[1]?.playing).toBe(false);
  });
});

describe('options', () => {
  it('take a track of the app, which stays the app’s', async () => {
    const mine = new FakeTrack('audio');
    const { session, transport } = await connected({ microphone: mine.asTrack() });
    expect(transport.published[0]?.track).toBe(mine);
    await session.microphone.setMuted(true);
    await session.close();
    expect([mine.readyState, mine.enabled]).toEqual(['live', true]);
    expect(transport.media.opened).toEqual([]);
  });

  it('refuse a URL that is none', () => {
    expect(() => createSession({ url: 'edge.example', token: 't' })).toThrow(TypeError);
    expect(() => createSession({ url: 'ftp://edge.example', token: 't' })).toThrow('expected an http(s) or ws(s) URL');
  });

  it('open nothing, and touch no browser, before they are used', () => {
    expect(createSession({ token: 't' }).connection.value).toEqual({ status: 'idle' });
  });

  it('need an address from somewhere', async () => {
    const { session } = setUp({ url: undefined } as unknown as SessionOptions);
    expect(await codeOf(session.connect())).toBe('net/unreachable');
  });
});
