import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { begin, completed, setUp } from './fixtures/scripted-session.js';
import { MicroturnError } from './index.js';
import { settled } from './testing/index.js';

type Parts = ReturnType<typeof setUp>;

/** What an app, a user, a network and an edge may do, in any order. */
const steps = {
  connect: ({ session }: Parts) => void session.connect().catch(() => undefined),
  connectAndGiveUp: ({ session, clock }: Parts) => {
    const abort = new AbortController();
    session.connect({ signal: abort.signal }).catch(() => undefined);
    clock.after(5, () => abort.abort());
  },
  disconnect: ({ session }: Parts) => void session.disconnect(),
  drop: ({ transport }: Parts) => transport.openSockets > 0 && transport.drop(),
  failMedia: ({ transport }: Parts) => transport.failMedia(),
  stall: ({ transport }: Parts) => transport.setMediaFlowing(false),
  flow: ({ transport }: Parts) => transport.setMediaFlowing(true),
  refuseSocket: ({ transport }: Parts) => transport.refuse(),
  goodbye: ({ transport }: Parts) => transport.openSockets > 0 && transport.goodbye(new MicroturnError('edge/full')),
  resumableGoodbye: ({ transport }: Parts) =>
    transport.openSockets > 0 && transport.goodbye(new MicroturnError('edge/worker-died'), true),
  enable: ({ session }: Parts) => void session.microphone.enable().catch(() => undefined),
  disable: ({ session }: Parts) => void session.microphone.disable().catch(() => undefined),
  mute: ({ session }: Parts) => void session.microphone.setMuted(true).catch(() => undefined),
  unmute: ({ session }: Parts) => void session.microphone.setMuted(false).catch(() => undefined),
  film: ({ session }: Parts) => void session.camera.enable({ show: true }).catch(() => undefined),
  filmNoMore: ({ session }: Parts) => void session.camera.disable().catch(() => undefined),
  muteCamera: ({ session }: Parts) => void session.camera.setMuted(true).catch(() => undefined),
  share: ({ session }: Parts) => void session.screen.enable().catch(() => undefined),
  ask: ({ transport }: Parts) => transport.media.ask(),
  allow: ({ transport }: Parts) => transport.media.allow(),
  unplug: ({ transport }: Parts) => {
    transport.media.unplug('microphone-1');
    transport.media.plug('microphone-1');
  },
  unplugCamera: ({ transport }: Parts) => {
    transport.media.unplug('camera-1');
    transport.media.plug('camera-1', 'videoinput');
  },
  shareNoMore: ({ transport }: Parts) => transport.media.unplug('screen-1'),
  speak: ({ transport }: Parts) => transport.openSockets > 0 && transport.emit(begin('a')),
  cut: ({ transport }: Parts) => transport.openSockets > 0 && transport.emit({ type: 'response.cut', responseId: 'a' }),
  complete: ({ transport }: Parts) => transport.openSockets > 0 && transport.emit(completed('a')),
  interrupt: ({ session }: Parts) => void session.interrupt().catch(() => undefined),
  muteSpeaker: ({ session }: Parts) => session.speaker.setMuted(true),
  unmuteSpeaker: ({ session }: Parts) => session.speaker.setMuted(false),
  wait: ({ clock }: Parts) => clock.run(300, 50),
  waitLong: ({ clock }: Parts) => clock.run(12_000, 500),
  rest: () => settled(),
};
const Step = fc.constantFrom(...(Object.keys(steps) as (keyof typeof steps)[]));

describe('a session, whatever happens to it', () => {
  it('can be joined, has one of everything then, and leaves nothing behind when it is closed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(Step, { maxLength: 14 }), async (script) => {
        const parts = setUp();
        const { session, transport, clock } = parts;
        const { media } = transport;
        media.enableWebAudio();
        for (const step of script) await steps[step](parts);
        media.allow();
        transport.setMediaFlowing(true);
        await clock.run(6000, 250);
        await session.connect().catch(() => undefined);
        if (session.connection.value.status !== 'connected') await session.connect();
        await session.microphone.enable();
        await session.camera.enable();
        await session.screen.disable();
        await clock.run(100);
        expect(session.connection.value.status).toBe('connected');
        expect(transport.openSockets).toBe(1);
        const sent = transport.published.filter(({ closed }) => !closed);
        expect(sent.map(({ source }) => source).sort()).toEqual(['camera', 'microphone']);
        expect(media.opened.filter(({ readyState }) => readyState === 'live')).toHaveLength(2);
        expect(media.elements.filter(({ playing }) => playing)).toHaveLength(1);
        expect(session.tracks.value).toHaveLength(1);
        expect(session.agent.value.listening).toBe(true);
        for (const { source, muted, track } of sent) {
          expect(muted).toBe(session[source].state.value.status === 'muted');
          expect(track).toBe(session[source].track.value);
        }
        await session.close();
        await settled();
        expect([clock.pending, transport.openSockets, media.listeners, media.contexts]).toEqual([0, 0, 0, 0]);
        expect(media.opened.every(({ readyState }) => readyState === 'ended')).toBe(true);
        expect(media.filmed.size).toBe(0);
        expect(media.elements.every(({ playing }) => !playing)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
