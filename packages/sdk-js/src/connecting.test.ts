import { describe, expect, it, vi } from 'vitest';
import { codeOf, connected, setUp } from './fixtures/scripted-session.js';
import {
  createSession,
  MicroturnError,
  TokenSource,
  type InteractionSession,
  type SessionOptions,
  type State,
} from './index.js';
import { FakeTrack, settled } from './testing/index.js';

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

  it.each([
    [() => Promise.resolve({ token: 'jwt' }), 'auth/denied', 'the token source gave no `participantToken`'],
    [() => Promise.resolve(undefined), 'auth/denied', 'the token source gave no `participantToken`'],
    [() => Promise.reject(new Error('no session')), 'auth/token-source', 'the token source failed: no session'],
    [() => Promise.reject('boom'), 'auth/token-source', 'the token source failed: boom'],
  ])('tells of a token source of the app that gives no token (%#)', async (fetch, code, message) => {
    const { session, transport } = setUp({
      token: undefined,
      tokenSource: TokenSource.custom(fetch as unknown as TokenSource['fetch']),
    } as unknown as SessionOptions);
    await expect(session.connect()).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    expect(transport.opened).toBe(0);
  });

  it('keeps what the app’s own token source threw', async () => {
    const cause = new Error('my login expired');
    const { session } = setUp({
      token: undefined,
      tokenSource: TokenSource.custom(() => Promise.reject(cause)),
    } as unknown as SessionOptions);
    await expect(session.connect()).rejects.toMatchObject({ cause, retryable: true });
    expect(session.connection.value.error?.hint).toContain('own function');
  });

  it.each([true, false])('says that it needs a browser where there is none, microphone: %s', async (microphone) => {
    await using session = createSession({ url: 'http://edge', token: 'token', microphone });
    await expect(session.connect()).rejects.toMatchObject({
      code: 'media/unsupported',
      message: expect.stringContaining('`connect()` needs a browser') as unknown,
    });
    expect(session.connection.value.status).toBe('failed');
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

  it('asks for another token where the user took their time with the browser’s question: the first may have expired', async () => {
    let tokens = 0;
    const { session, transport, clock } = setUp({
      token: undefined,
      tokenSource: TokenSource.custom(() => Promise.resolve({ participantToken: `token-${++tokens}` })),
    } as unknown as SessionOptions);
    for (const waitMs of [10_000, 60_000]) {
      transport.media.ask();
      const joining = session.connect();
      await clock.run(waitMs, 1000);
      transport.media.allow();
      await joining;
      await session.disconnect();
    }
    expect(transport.sentOf('join').map(({ token }) => token)).toEqual(['token-1', 'token-3']);
    expect(clock.pending).toBe(0);
  });

  it('asks the user again in another call, where they never answered in the first', async () => {
    const { session, transport } = setUp();
    const devices = transport.media.devices()!;
    // In Firefox a question that is clicked away is open for ever.
    devices.getUserMedia = () => new Promise(() => undefined);
    const first = codeOf(session.connect());
    await settled();
    await session.disconnect();
    expect(await first).toBe('net/closed');
    Reflect.deleteProperty(devices, 'getUserMedia');
    const second = session.connect();
    await settled();
    expect([session.connection.value.status, session.microphone.state.value.status]).toEqual(['connected', 'live']);
    await second;
    await session.close();
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

  it.each([
    ['that another call begins', false],
    ['what call it is in', true],
  ])('is given up where the app leaves when it is told %s', async (_, isIn) => {
    const { session, transport } = await connected();
    await session.disconnect();
    session.info.subscribe((info) => {
      if ((info !== undefined) === isIn) void session.disconnect();
    });
    expect(await codeOf(session.connect())).toBe('net/closed');
    await settled();
    expect([session.connection.value.status, transport.openSockets]).toEqual(['idle', 0]);
    expect(transport.media.opened.every(({ readyState }) => readyState === 'ended')).toBe(true);
    // Nothing of that call is in the way of what comes next.
    await session.camera.enable();
    expect(session.camera.state.value.status).toBe('live');
    await session.close();
  });

  it.each([
    ['agentTrack', (session: InteractionSession) => session.agentTrack],
    ['tracks', (session: InteractionSession) => session.tracks],
  ])('plays nothing where the app leaves when it is told of a track, by %s', async (_, pick) => {
    const { session, transport } = setUp();
    let told = 0;
    (pick(session) as State<unknown>).subscribe(() => {
      if (told++ === 1) void session.disconnect();
    });
    expect(await codeOf(session.connect())).toBe('net/closed');
    await settled();
    expect([session.tracks.value, session.agentTrack.value, transport.media.listeners]).toEqual([[], undefined, 0]);
    expect(transport.media.elements.filter(({ playing }) => playing)).toEqual([]);
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

  it.each([
    [{}, 'expected a `token` or a `tokenSource`, got a token that is undefined'],
    [{ token: '' }, 'expected a `token` or a `tokenSource`, got an empty token'],
    [{ tokenSource: '/token' }, 'expected a `tokenSource` such as TokenSource.endpoint(\'/token\'), got "/token"'],
  ])('refuse to do without a token (%#)', (options, message) => {
    expect(() => createSession(options as unknown as SessionOptions)).toThrow(new TypeError(message));
  });

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    ['token', 'string'],
    [7, 'number'],
  ])('refuse to do without options (%#)', (options, got) => {
    expect(() => createSession(options as unknown as SessionOptions)).toThrow(
      new TypeError(`expected options such as { token }, got ${got}`),
    );
  });

  it.each([
    [null, 'null'],
    ['webrtc', 'string'],
    [{}, 'object'],
  ])('refuse a transport that is none (%#)', (transport, got) => {
    expect(() => createSession({ token: 't', transport } as unknown as SessionOptions)).toThrow(
      new TypeError(`expected a \`transport\`, got ${got}`),
    );
  });

  it('open nothing, and touch no browser, before they are used', () => {
    expect(createSession({ token: 't' }).connection.value).toEqual({ status: 'idle' });
  });

  it('need an address from somewhere', async () => {
    const { session } = setUp({ url: undefined } as unknown as SessionOptions);
    expect(await codeOf(session.connect())).toBe('net/unreachable');
  });
});
