import { describe, expect, it } from 'vitest';
import { begin, codeOf, connected } from './fixtures/scripted-session.js';
import { MicroturnError } from './index.js';
import { settled } from './testing/index.js';

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

  it.each([
    ['disconnect', 'net/closed'],
    ['close', 'session/closed'],
  ] as const)('tells what is under way why it is not answered: %s(), %s', async (leave, code) => {
    const { session, transport } = await connected();
    for (const type of ['say', 'task.ask', 'producer.mute'] as const) {
      transport.answer(type, () => new Promise(() => undefined));
    }
    const underWay = [session.say('x'), session.ask('y'), session.microphone.setMuted(true)].map(codeOf);
    await settled();
    await session[leave]();
    expect(await Promise.all(underWay)).toEqual([code, code, code]);
    expect(transport.sent.at(-1)).toEqual({ type: 'leave' });
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

  it('is the end where the app leaves as soon as it sees something, too: no state of before comes after it', async () => {
    const { session, transport } = await connected();
    transport.emit({ type: 'task.created', taskId: 't', revision: 1, title: 'tower', origin: 'text', prompt: '' }, 100);
    session.transcript.subscribe((entries) => {
      if (entries.some(({ text }) => text === 'bye')) void session.disconnect();
    });
    transport.emit(begin('a'));
    transport.emit(
      { type: 'transcript.word', participant: 'caller', text: 'bye', endMs: 100, confidence: 1, final: true },
      200,
    );
    expect(session.connection.value.status).toBe('idle');
    expect(session.agent.value).toEqual({ listening: false, speaking: false, thinking: false, overlapping: false });
    expect(session.responses.value.map(({ status }) => status)).toEqual(['interrupted']);
    expect(session.tasks.value.map(({ status }) => status)).toEqual(['stale']);
  });

  it('leaves the status to the next call, where the app begins one as soon as the agent listens no more', async () => {
    const { session, transport, statuses } = await connected();
    const again = session
      .until(({ agent }) => !agent.listening)
      .then(() => session.until(({ connection }) => connection.status === 'connected'));
    let left = false;
    session.agent.subscribe(({ listening }) => {
      if (listening || left) return;
      left = true;
      void session.connect();
    });
    transport.goodbye(new MicroturnError('edge/draining'));
    await again;
    expect(statuses.slice(3)).toEqual(['connected', 'requesting-media', 'connecting', 'connected']);
  });

  it('is for good where the app closes the session as soon as it is leaving', async () => {
    const { session } = await connected();
    session.connection.subscribe(({ status }) => {
      if (status === 'closing') void session.close();
    });
    await session.disconnect();
    expect([session.closed, session.connection.value.status]).toEqual([true, 'closed']);
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

  it('does not call an agent speaking whose media stalls, and ends nothing that it goes on to say', async () => {
    const { session, transport, clock } = await connected();
    const { agent, responses } = session;
    const away: boolean[] = [];
    session.connection.subscribe(({ status }) => {
      if (status === 'reconnecting') away.push(agent.value.speaking);
    });
    transport.emit(begin('a'));
    transport.setMediaFlowing(false);
    expect(agent.value).toMatchObject({ listening: false, speaking: false });
    // Whatever comes meanwhile, its end is not among it.
    transport.emit({ type: 'floor.changed', participant: 'caller', floor: 'holding', confidence: 1 });
    expect(responses.value).toMatchObject([{ id: 'a', status: 'speaking' }]);
    transport.setMediaFlowing(true);
    expect(agent.value).toMatchObject({ listening: true, speaking: true });
    expect(away).toEqual([false]);
    transport.agent.played = 960;
    await clock.run(200);
    expect(transport.sentOf('heard').at(-1)).toMatchObject({ rtpTimestamp: 960, state: 'playing' });
    await session.close();
  });

  it('is not brought back by media that flows again where the app leaves when it is told so', async () => {
    const { session, transport } = await connected();
    transport.setMediaFlowing(false);
    session.agent.subscribe(({ listening }) => {
      if (listening) void session.disconnect();
    });
    transport.setMediaFlowing(true);
    expect([session.connection.value.status, session.agent.value.listening]).toEqual(['idle', false]);
  });
});
