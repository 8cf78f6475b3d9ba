// @vitest-environment jsdom
import { MicroturnError } from '@microturn/sdk';
import { act, cleanup } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import { ParticipantVideo, useCamera, useMicrophone, useScreen, useSpeaker, useVideo } from './index.js';
import { SessionProvider } from './provider.js';
import { renderHook, renderWithSession, rest } from './testing.js';

afterEach(cleanup);

describe('useMicrophone', () => {
  it('shows the microphone and works it', async () => {
    const hook = await renderHook(useMicrophone);
    expect(hook.current).toMatchObject({ status: 'live', isEnabled: true, isMuted: false, deviceId: 'microphone-1' });
    expect(hook.current.track).toBe(hook.session.microphone.track.value);
    const { toggleMuted } = hook.current;
    await act(toggleMuted);
    expect(hook.current).toMatchObject({ status: 'muted', isEnabled: true, isMuted: true });
    expect(hook.current.toggleMuted).toBe(toggleMuted);
    await act(toggleMuted);
    act(() => hook.transport.media.opened[0]!.silence(true));
    expect(hook.current).toMatchObject({ status: 'silenced', isEnabled: true, isMuted: false, isSilenced: true });
    await act(hook.current.disable);
    expect(hook.current).toMatchObject({ status: 'off', isEnabled: false, track: undefined });
  });

  it('is muted before a call, and unmuted again; the call begins as it was left', async () => {
    const hook = await renderHook(useMicrophone, { connect: false });
    await act(hook.current.toggleMuted);
    expect(hook.current).toMatchObject({ status: 'off', isEnabled: false, isMuted: true });
    await act(hook.current.toggleMuted);
    expect(hook.current.isMuted).toBe(false);
    await act(hook.current.toggleMuted);
    await act(() => hook.session.connect());
    expect(hook.current).toMatchObject({ status: 'muted', isMuted: true });
    await act(() => hook.session.disconnect());
    expect(hook.current).toMatchObject({ status: 'off', isMuted: true });
  });

  it('has the error of what failed', async () => {
    const hook = await renderHook(useMicrophone, { connect: false });
    hook.transport.media.refuse('NotReadableError');
    await act(hook.current.enable);
    expect(hook.current).toMatchObject({ status: 'failed', error: { code: 'media/in-use' } });
  });

  it('has the error of a mute that the edge was not told of', async () => {
    const hook = await renderHook(useMicrophone);
    hook.transport.answer('producer.mute', () => {
      throw new MicroturnError('protocol/rate');
    });
    await act(hook.current.toggleMuted);
    expect(hook.current).toMatchObject({ status: 'muted', isMuted: true, error: { code: 'protocol/rate' } });
    hook.transport.answer('producer.mute', () => ({}));
    await act(hook.current.toggleMuted);
    expect(hook.current).toMatchObject({ status: 'live', isMuted: false, error: undefined });
  });

  it('is told of a device that went away, and of one that was chosen', async () => {
    const hook = await renderHook(useMicrophone);
    act(() => hook.transport.media.plug('microphone-2'));
    await rest();
    expect(hook.current.devices).toHaveLength(2);
    await act(() => hook.current.select('microphone-2'));
    expect(hook.current.deviceId).toBe('microphone-2');
    act(() => hook.transport.media.unplug('microphone-2'));
    await rest();
    expect(hook.current.status).toBe('ended');
  });
});

describe('useSpeaker', () => {
  it('says that sound is blocked, and unlocks it', async () => {
    const hook = await renderHook(useSpeaker, { connect: false });
    hook.transport.media.blockPlayback();
    await act(() => hook.session.connect());
    await rest();
    expect(hook.current.isBlocked).toBe(true);
    await act(hook.current.unlock);
    expect(hook.current).toMatchObject({ isBlocked: true, error: { code: 'media/blocked' } });
    hook.transport.media.allowPlayback();
    await act(hook.current.unlock);
    expect(hook.current).toMatchObject({ isBlocked: false, error: undefined });
  });

  it('says why another device is not taken', async () => {
    const hook = await renderHook(useSpeaker);
    const { unlock, select } = hook.current;
    for (const element of hook.transport.media.elements) element.setSinkId = () => Promise.reject(new Error('no'));
    await act(() => hook.current.select('speaker-2'));
    expect(hook.current).toMatchObject({ deviceId: undefined, error: { code: 'media/unsupported' } });
    expect([hook.current.unlock, hook.current.select]).toEqual([unlock, select]);
  });

  it('sets the volume, the mute and the device', async () => {
    const hook = await renderHook(useSpeaker);
    act(() => {
      hook.current.setVolume(0.3);
      hook.current.setMuted(true);
    });
    await act(() => hook.current.select('speaker-1'));
    expect(hook.current).toMatchObject({ volume: 0.3, isMuted: true, deviceId: 'speaker-1' });
  });
});

describe('useCamera and useScreen', () => {
  it('follow their device, with actions that stay the same and never reject', async () => {
    const hook = await renderHook(useCamera);
    const { transport, current } = hook;
    const actions = [current.enable, current.disable, current.toggle, current.setMuted, current.select];
    expect(current).toMatchObject({ status: 'off', isEnabled: false, isMuted: false, error: undefined });
    await act(current.toggle);
    expect(hook.current).toMatchObject({ status: 'live', isEnabled: true, deviceId: 'camera-1' });
    expect(hook.current.track).toBe(transport.published[1]!.track);
    await act(() => hook.current.setMuted(true));
    expect(hook.current).toMatchObject({ status: 'muted', isEnabled: true, isMuted: true });
    await act(current.toggle);
    expect(hook.current).toMatchObject({ status: 'off', isEnabled: false, isMuted: false, track: undefined });
    transport.media.refuse();
    await act(() => hook.current.enable({ show: true }));
    expect(hook.current).toMatchObject({ status: 'failed', error: { code: 'media/permission' } });
    const { enable, disable, toggle, setMuted, select } = hook.current;
    expect([enable, disable, toggle, setMuted, select]).toEqual(actions);
  });

  it('tell when the user stops to share the screen in the browser’s own bar', async () => {
    const hook = await renderHook(useScreen);
    await act(hook.current.toggle);
    expect(hook.current).toMatchObject({ status: 'live', isEnabled: true });
    await act(async () => {
      hook.transport.media.unplug('screen-1');
      await Promise.resolve();
    });
    expect(hook.current).toMatchObject({ status: 'off', isEnabled: false, error: undefined });
  });
});

describe('useVideo and <ParticipantVideo>', () => {
  it('show somebody while there is something to see, and let go of the element', async () => {
    const media = (element: HTMLVideoElement) => (element.srcObject as MediaStream | null)?.getVideoTracks() ?? null;
    function Ann({ name = 'ann' }: { name?: string }) {
      const isThere = useVideo({ participant: name }) !== undefined;
      return (
        <>
          <ParticipantVideo participant={name} className="ann" />
          {isThere ? 'on' : 'off'}
        </>
      );
    }
    const { transport, session, view } = await renderWithSession(<Ann />);
    const element = view.container.querySelector('video')!;
    expect([view.container.textContent, media(element), element.className, element.muted]).toEqual([
      'off',
      null,
      'ann',
      true,
    ]);
    const sent = transport.addTrack('ann', 'camera');
    await rest();
    expect([view.container.textContent, media(element)]).toEqual(['on', [sent.track]]);
    const show = (name: string) =>
      view.rerender(
        <SessionProvider session={session}>
          <Ann name={name} />
        </SessionProvider>,
      );
    act(() => show('bob'));
    const other = view.container.querySelector('video')!;
    expect([view.container.textContent, media(other)]).toEqual(['off', null]);
    act(() => show('ann'));
    expect(media(other)).toEqual([sent.track]);
    transport.removeTrack(sent.offer.consumerId);
    await rest();
    expect([view.container.textContent, media(other)]).toEqual(['off', null]);
    view.unmount();
    transport.addTrack('ann', 'camera');
    await rest();
    expect([media(element), media(other)]).toEqual([null, null]);
  });
});
