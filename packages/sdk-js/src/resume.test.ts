import type { SessionEventBody } from '@microturn/protocol';
import { describe, expect, it, vi } from 'vitest';
import { createSession, MicroturnError, TokenSource, type InteractionSession, type State } from './index.js';
import { ManualClock, scriptedTransport, settled } from './testing/index.js';

async function connected(options: Parameters<typeof scriptedTransport>[0] = {}) {
  const clock = new ManualClock();
  const transport = scriptedTransport(options);
  let tokens = 0;
  const fetch = vi.fn<TokenSource['fetch']>(() => Promise.resolve({ participantToken: `token-${++tokens}` }));
  const session = createSession({ url: 'http://edge', tokenSource: TokenSource.custom(fetch), transport, clock });
  const statuses: string[] = [];
  session.connection.subscribe(({ status }) => statuses.push(status));
  await session.connect();
  return { clock, transport, session, statuses, fetch };
}

const word = (text: string): SessionEventBody => ({
  type: 'transcript.word',
  participant: 'caller',
  text,
  endMs: 100,
  confidence: 1,
  final: true,
});

describe('a session whose socket drops', () => {
  it('comes back with a fresh token to where it was, on the same microphone', async () => {
    const { session, transport, clock, statuses, fetch } = await connected();
    transport.emit(word('a'), 100);
    const [device] = transport.media.opened;
    const joined = session.info.value;
    transport.drop();
    expect(session.connection.value).toMatchObject({ status: 'reconnecting', error: { code: 'net/closed' } });
    expect([session.agentTrack.value, session.tracks.value]).toEqual([undefined, []]);
    await expect(session.say('hello')).rejects.toMatchObject({
      message: expect.stringContaining('the connection was closed: it is reconnecting') as unknown,
      hint: expect.stringContaining('while it is reconnecting, wait') as unknown,
    });
    transport.emit(word('b'), 300);
    transport.emit(word('c'), 500);
    await clock.run(500);
    expect(statuses).toEqual(['idle', 'requesting-media', 'connecting', 'connected', 'reconnecting', 'connected']);
    expect(transport.sentOf('join').map(({ token, resume }) => [token, resume])).toEqual([
      ['token-1', undefined],
      ['token-2', { resumeToken: 'resume-1', lastSeq: 2 }],
    ]);
    // A token source that chooses room and identity is told which they were.
    expect(fetch.mock.calls.map(([{ roomName, participantIdentity }]) => [roomName, participantIdentity])).toEqual([
      [undefined, undefined],
      [joined?.room, joined?.participant],
    ]);
    expect(session.transcript.value.map(({ text }) => text)).toEqual(['a b c']);
    expect(session.agentTrack.value).toBe(transport.agent.track);
    expect(session.info.value).toEqual(joined);
    expect(device?.readyState).toBe('live');
    expect(transport.published.map((published) => [published.track === device?.asTrack(), published.closed])).toEqual([
      [true, true],
      [true, false],
    ]);
    await session.close();
    expect([clock.pending, transport.openSockets, transport.media.listeners]).toEqual([0, 0, 0]);
  });

  it('shows nobody who speaks while it is away, and ends what was said where the edge says so', async () => {
    const { session, transport, clock } = await connected();
    transport.emit({ type: 'response.started', responseId: 'a', kind: 'reply', audience: 'room' });
    transport.drop();
    expect(session.agent.value).toMatchObject({ listening: false, speaking: false });
    expect(session.responses.value).toMatchObject([{ id: 'a', status: 'speaking' }]);
    transport.emit({
      type: 'response.interrupted',
      responseId: 'a',
      by: 'agent',
      heardMs: 300,
      heardText: '',
      unheardText: '',
    });
    await clock.run(500);
    expect(session.agent.value).toMatchObject({ listening: true, speaking: false });
    expect(session.responses.value).toMatchObject([{ id: 'a', status: 'interrupted', heardMs: 300 }]);
    await session.close();
  });

  it('takes every event once, wherever it was cut off', async () => {
    const { session, transport, clock } = await connected();
    const seen: number[] = [];
    session.events.subscribe(({ seq }) => seen.push(seq));
    for (let cut = 0; cut < 10; cut++) {
      transport.emit(word(`x${cut}`));
      transport.drop();
      transport.emit(word(`y${cut}`));
      await clock.run(400);
    }
    expect(seen).toEqual(seen.map((_, i) => i + 2));
    expect(session.connection.value.status).toBe('connected');
    await session.close();
  });

  it('has a typed message once, also where the socket dropped before the edge said that it has it', async () => {
    const { session, transport, clock } = await connected();
    const taken = (text: string): SessionEventBody => ({ type: 'transcript.typed', participant: 'caller', text });
    session.send('first');
    transport.emit(taken('first'));
    session.send('second');
    transport.drop();
    transport.emit(taken('second'));
    await clock.run(500);
    expect(session.transcript.value).toMatchObject([
      { speaker: 'user', typed: true, text: 'first' },
      { speaker: 'user', typed: true, text: 'second' },
    ]);
    await session.close();
  });

  it('tries again and again, with longer and longer waits, until it works', async () => {
    const { session, transport, clock } = await connected();
    transport.answer('join', () => {
      throw new MicroturnError('edge/worker-died');
    });
    transport.drop();
    await clock.run(30_000, 50);
    const tries = transport.sentOf('join').length - 1;
    expect(tries).toBeGreaterThanOrEqual(8);
    expect(tries).toBeLessThanOrEqual(16);
    expect(session.connection.value.status).toBe('reconnecting');
    expect(transport.sentOf('leave')).toEqual([]);
    await session.close();
    expect([clock.pending, transport.openSockets]).toEqual([0, 0]);
  });

  it('does not wait for ever for a token: asks for another', async () => {
    const { session, transport, clock, fetch } = await connected();
    fetch.mockReturnValueOnce(new Promise(() => undefined));
    transport.drop();
    await clock.run(12_000, 100);
    expect([fetch.mock.calls.length, session.connection.value.status]).toEqual([3, 'connected']);
    await session.close();
    expect(clock.pending).toBe(0);
  });

  it.each([20, 300])(
    'gives up with net/closed when the edge, which keeps it for %i s, has given it up',
    async (seconds) => {
      const { session, transport, clock } = await connected({ join: { resumeMs: seconds * 1000 } });
      transport.answer('join', () => {
        throw new MicroturnError('net/timeout');
      });
      transport.drop();
      await clock.run((seconds - 10) * 1000, 250);
      expect(session.connection.value.status).toBe('reconnecting');
      await clock.run(11_000, 250);
      expect(session.connection.value).toMatchObject({ status: 'failed', error: { code: 'net/closed' } });
      expect(transport.media.opened.map((track) => track.readyState)).toEqual(['ended']);
      expect(clock.pending).toBe(0);
    },
  );

  it('gives up at once where the edge says that there is nothing to come back to', async () => {
    const known = ['session/expired', 'auth/denied', 'auth/expired', 'session/replaced'] as const;
    const newer = { code: 'session/archived', message: 'years ago', retryable: false, hint: '' };
    for (const error of [...known.map((code) => new MicroturnError(code)), MicroturnError.fromWire(newer)]) {
      const { session, transport, clock } = await connected();
      transport.answer('join', () => {
        throw error;
      });
      transport.drop();
      await clock.run(500);
      const { code, wire } = error;
      expect(session.connection.value).toMatchObject({ status: 'failed', error: { code, wire } });
      expect(clock.pending).toBe(0);
    }
  });

  it('starts anew when asked to, after it gave up', async () => {
    const { session, transport, clock } = await connected();
    transport.answer('join', () => {
      throw new MicroturnError('session/expired');
    });
    transport.drop();
    await clock.run(500);
    await expect(session.connect()).rejects.toMatchObject({ code: 'session/expired' });
    expect(transport.sentOf('join').at(-1)?.resume).toBeUndefined();
  });

  it('believes a goodbye: one that is resumable is come back from, another is the end', async () => {
    const resumed = await connected();
    resumed.transport.goodbye(new MicroturnError('edge/worker-died'), true);
    await resumed.clock.run(500);
    expect(resumed.session.connection.value.status).toBe('connected');
    const ended = await connected();
    ended.transport.goodbye(new MicroturnError('edge/draining'), false);
    await ended.clock.run(500);
    expect(ended.session.connection.value).toMatchObject({ status: 'failed', error: { code: 'edge/draining' } });
  });

  it('comes back where the media path is lost, and where the new one is lost on its way up', async () => {
    const { session, transport, clock } = await connected();
    transport.failMedia();
    let lost = 0;
    transport.answer('produce', () => {
      if (lost++ === 0) transport.drop();
      return { producerId: `again-${lost}` };
    });
    await clock.run(2000);
    expect(session.connection.value.status).toBe('connected');
    expect(transport.sentOf('leave')).toEqual([]);
    expect(transport.openSockets).toBe(1);
    await session.close();
    expect(clock.pending).toBe(0);
  });

  it('is not called connected by media that flows before all of the new link is up', async () => {
    const { session, transport, clock, statuses } = await connected();
    transport.drop();
    transport.answer('produce', () => {
      transport.setMediaFlowing(true);
      transport.drop();
    });
    await clock.run(3000, 50);
    expect(statuses.slice(4)).toEqual(['reconnecting']);
    await session.close();
  });

  it('comes back while the browser asks the user for a microphone', async () => {
    const clock = new ManualClock();
    const transport = scriptedTransport();
    const session = createSession({ url: 'http://edge', token: 'token', microphone: false, transport, clock });
    await session.connect();
    transport.media.ask();
    const enabling = session.microphone.enable();
    await clock.run(20);
    transport.drop();
    await clock.run(500);
    expect(session.connection.value.status).toBe('connected');
    transport.media.allow();
    await enabling;
    expect(transport.published.filter(({ closed }) => !closed)).toHaveLength(1);
    await session.close();
  });

  it('is waited for by whoever connects meanwhile, to its end', async () => {
    const { session, transport, clock } = await connected();
    transport.drop();
    const back = session.connect().then(() => session.connection.value.status);
    await clock.run(500);
    expect(await back).toBe('connected');
    transport.answer('join', () => {
      throw new MicroturnError('session/expired');
    });
    transport.drop();
    const lost = expect(session.connect()).rejects.toMatchObject({ code: 'session/expired' });
    await clock.run(500);
    await lost;
    await session.close();
  });

  it('is waited for by whoever connects as soon as they are told that the link is lost', async () => {
    const { session, transport, clock } = await connected();
    const back: string[] = [];
    session.connection.subscribe(({ status }) => {
      if (status === 'reconnecting') session.connect().then(() => back.push(session.connection.value.status), String);
    });
    transport.drop();
    await settled();
    expect([session.connection.value.status, back]).toEqual(['reconnecting', []]);
    await clock.run(500);
    expect(back).toEqual(['connected']);
    await session.close();
  });

  it.each([
    ['that the agent’s track is gone', ({ agentTrack }: InteractionSession) => agentTrack],
    ['that it is reconnecting', ({ connection }: InteractionSession) => connection],
  ])('is not sought any more where the app leaves when it is told %s', async (_, pick) => {
    const { session, transport, clock } = await connected();
    let told = 0;
    (pick(session) as State<unknown>).subscribe(() => {
      if (told++ === 1) void session.disconnect();
    });
    transport.drop();
    expect([session.connection.value.status, clock.pending]).toEqual(['idle', 0]);
    await clock.run(5000, 50);
    expect([session.connection.value.status, transport.opened]).toEqual(['idle', 1]);
  });

  it('stops trying where the app leaves', async () => {
    const { session, transport, clock } = await connected();
    transport.drop();
    await session.disconnect();
    await clock.run(5000, 50);
    expect(session.connection.value.status).toBe('idle');
    expect(transport.opened).toBe(1);
    expect(clock.pending).toBe(0);
  });
});
