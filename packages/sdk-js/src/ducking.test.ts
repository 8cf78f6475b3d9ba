import type { SessionEventBody } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { createSession, type SessionOptions } from './index.js';
import { ManualClock, scriptedTransport } from './testing/index.js';

async function inCall(options: Partial<SessionOptions> = {}) {
  const clock = new ManualClock();
  const transport = scriptedTransport();
  const { media } = transport;
  media.enableWebAudio();
  const session = createSession({ url: 'http://edge', token: 'token', transport, clock, ...options } as SessionOptions);
  await session.connect();
  const user = (rms: number) => media.loudness.set(session.microphone.track.value!, rms);
  const emit = (event: SessionEventBody) => transport.emit(event);
  const begin = (responseId = 'r1') => emit({ type: 'response.started', responseId, kind: 'reply', audience: 'room' });
  // Until the output's latency was looked for, too.
  await clock.run(1_500, 100);
  return { clock, session, media, user, emit, begin, volume: () => media.elements[0]!.volume };
}

const talkedOver = (kind: 'backchannel' | 'barge-in', taken: boolean): SessionEventBody => ({
  type: 'interruption',
  kind,
  participant: 'caller',
  taken,
});

describe('ducking', () => {
  it('lowers the agent when the user begins to speak, under the volume that was set, and says so', async () => {
    const { session, clock, user, begin, volume } = await inCall();
    session.speaker.setVolume(0.5);
    begin();
    user(0.05);
    clock.advance(60);
    expect(volume()).toBeCloseTo(0.5 * 10 ** (-12 / 20), 3);
    expect(session.speaker.state.value).toMatchObject({ volume: 0.5, ducked: true });
    clock.advance(800);
    expect([volume(), session.speaker.state.value.ducked]).toEqual([0.5, false]);
  });

  it('is undone when the model goes on', async () => {
    const { clock, user, begin, emit, volume } = await inCall();
    begin();
    user(0.05);
    clock.advance(100);
    expect(volume()).toBeLessThan(0.3);
    emit(talkedOver('backchannel', false));
    clock.advance(100);
    expect(volume()).toBe(1);
  });

  it('is over with the response: the next one is heard in full', async () => {
    const { clock, user, begin, emit, volume } = await inCall();
    begin();
    user(0.05);
    clock.advance(100);
    emit({ type: 'response.cut', responseId: 'r1' });
    clock.advance(100);
    begin('r2');
    clock.advance(20);
    expect(volume()).toBe(1);
  });

  it('does not stop the agent, and tells the edge nothing', async () => {
    const { session, clock, user, begin } = await inCall();
    begin();
    user(0.05);
    clock.advance(400);
    expect([session.agent.value.speaking, session.agentTrack.value!.enabled]).toEqual([true, true]);
  });

  it('leaves the agent alone where it is switched off, and listens to nobody then', async () => {
    const { session, clock, user, begin, media, volume } = await inCall({ ducking: false });
    begin();
    user(0.05);
    clock.advance(300);
    expect([volume(), media.contexts]).toEqual([1, 0]);
    session.speaker.setDucking(true);
    expect(media.contexts).toBe(1);
    session.speaker.setDucking(false);
    expect(media.contexts).toBe(0);
  });

  it('lets go of the microphone with the call', async () => {
    const { session, media, clock } = await inCall();
    expect(media.contexts).toBe(1);
    await session.disconnect();
    expect([media.contexts, clock.pending]).toEqual([0, 0]);
  });

  it('takes no depth that cannot be', () => {
    expect(() => createSession({ url: 'http://edge', token: 't', ducking: { depthDb: 90 } })).toThrow(RangeError);
  });
});
