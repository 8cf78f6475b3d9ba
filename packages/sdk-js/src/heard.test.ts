import type { SessionEventBody } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { begin, codeOf, completed, connected, setUp } from './fixtures/scripted-session.js';
import type { OutputDevice } from './index.js';
import { settled } from './testing/index.js';

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
    expect(heard.map((message) => message.rtpTimestamp! / 48)).toEqual([20, 120, 220, 320, 420, 500, 500]);
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

  it.each([
    ['user', true],
    ['agent', true],
    ['client', false],
  ] as const)('goes on with what waits behind one that was cut by the %s: %s', async (by, goesOn) => {
    const parts = await connected();
    const { transport, session } = parts;
    transport.emit(begin('reminder'));
    transport.emit(begin('waits'));
    await playFor(60, parts);
    transport.emit({ type: 'response.cut', responseId: 'reminder' });
    const cut = { by, heardMs: 60, heardText: '', unheardText: 'Here is your reminder.' } as const;
    transport.emit({ type: 'response.interrupted', responseId: 'reminder', ...cut });
    await playFor(200, parts);
    expect(session.agentTrack.value?.enabled).toBe(goesOn);
    expect(transport.sentOf('heard').at(-1)?.state).toBe(goesOn ? 'playing' : 'muted');
  });

  it('takes no notice of the cut of a response for another participant', async () => {
    const { transport, session } = await connected();
    transport.emit(begin('a', { participant: 'you' }));
    transport.emit({ type: 'response.cut', responseId: 'a' });
    expect(session.agentTrack.value?.enabled).toBe(true);
    expect(transport.sentOf('heard')).toEqual([]);
  });

  it.each<[string, (speaker: OutputDevice, silent: boolean) => void]>([
    ['mutes the speaker', (speaker, silent) => speaker.setMuted(silent)],
    ['turns it down to nothing', (speaker, silent) => speaker.setVolume(silent ? 0 : 1)],
  ])('ends where the listener %s', async (_how, silence) => {
    const parts = await connected();
    const { transport, session } = parts;
    transport.emit(begin('a'));
    await playFor(60, parts);
    silence(session.speaker, true);
    // A page cannot set the volume on iOS.
    expect(transport.media.elements[0]?.muted).toBe(true);
    expect(transport.sentOf('heard').at(-1)).toMatchObject({ state: 'muted' });
    const told = transport.sentOf('heard').length;
    await playFor(200, parts);
    expect(transport.sentOf('heard')).toHaveLength(told);
    silence(session.speaker, false);
    await playFor(200, parts);
    expect(transport.sentOf('heard').at(-1)).toMatchObject({ state: 'playing' });
  });

  it('ends before its first packet where the speaker is muted, and the edge is told', async () => {
    const { transport, session } = await connected();
    transport.agent.played = undefined;
    session.speaker.setMuted(true);
    transport.emit(begin('a'));
    expect(transport.sentOf('heard')).toEqual([
      { type: 'heard', audience: 'room', outputLatencyMs: 0, state: 'muted' },
    ]);
  });

  it('stays ended for what was cut, whatever the listener does with the speaker', async () => {
    const parts = await connected();
    const { transport, session } = parts;
    transport.emit(begin('a'));
    await playFor(60, parts);
    transport.answer('response.interrupt', () => new Promise(() => undefined));
    void session.interrupt().catch(() => undefined);
    session.speaker.setMuted(true);
    session.speaker.setMuted(false);
    await playFor(200, parts);
    expect(transport.sentOf('heard').map(({ state }) => state)).toEqual(['playing', 'muted']);
    await session.close();
  });

  it('is behind by the latency of the output that plays it: measured once sound is allowed, and for another output', async () => {
    const { session, transport, clock } = setUp();
    const { media } = transport;
    media.enableWebAudio();
    media.outputLatencyMs = 180;
    media.blockPlayback();
    await session.connect();
    await clock.run(20);
    media.allowPlayback();
    await session.speaker.unlock();
    await clock.run(20);
    transport.emit(begin('a'));
    const latency = async () => {
      await playFor(120, { clock, transport } as Awaited<ReturnType<typeof connected>>);
      return transport.sentOf('heard').at(-1)?.outputLatencyMs;
    };
    expect(await latency()).toBe(180);
    media.outputLatencyMs = 20;
    media.plug('headset', 'audiooutput');
    await clock.run(20);
    expect(await latency()).toBe(20);
    await session.close();
    expect([media.contexts, clock.pending]).toEqual([0, 0]);
  });

  it('is behind by the latency of the output that was chosen, and of the system’s own until that is there', async () => {
    const { session, transport, clock } = setUp();
    const { media } = transport;
    media.enableWebAudio();
    const asked: (string | undefined)[] = [];
    const createAudioContext = media.createAudioContext.bind(media);
    media.createAudioContext = (sinkId?: string) => {
      asked.push(sinkId);
      media.outputLatencyMs = sinkId === 'headset' ? 220 : 20;
      return createAudioContext();
    };
    await session.speaker.select('headset');
    await session.connect();
    await clock.run(20);
    transport.emit(begin('a'));
    const latency = async () => {
      await playFor(120, { clock, transport } as Awaited<ReturnType<typeof connected>>);
      return transport.sentOf('heard').at(-1)?.outputLatencyMs;
    };
    expect([asked.at(-1), await latency()]).toEqual([undefined, 20]);
    media.plug('headset', 'audiooutput');
    await clock.run(20);
    expect([asked.at(-1), await latency()]).toEqual(['headset', 220]);
    await session.speaker.select('speaker-1');
    await clock.run(20);
    expect([asked.at(-1), await latency()]).toEqual(['speaker-1', 20]);
    await session.close();
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
