import { MicroturnError } from '@microturn/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Publication } from '../connection/transport.js';
import { FakeMedia, FakeTrack } from '../testing/fake-media.js';
import { ManualClock, settled } from '../testing/manual-clock.js';
import { Microphone, type MicrophoneSource } from './microphone.js';

let media: FakeMedia;
let sent: string[];

beforeEach(() => {
  media = new FakeMedia();
  sent = [];
});

function create(source: MicrophoneSource = true): Microphone {
  return new Microphone({ media, clock: new ManualClock(), source });
}

function publish(track: MediaStreamTrack): Promise<Publication> {
  sent.push(`publish ${track.label}`);
  return Promise.resolve({
    setMuted: async (muted) => void sent.push(muted ? 'mute' : 'unmute'),
    replaceTrack: async (next) => void sent.push(`replace ${next.label}`),
    close: async () => void sent.push('close'),
  });
}

describe('Microphone', () => {
  it('says each step, and lists the devices', async () => {
    const microphone = create();
    const statuses: string[] = [];
    microphone.state.subscribe(({ status }) => statuses.push(status));
    await microphone.enable();
    await microphone.disable();
    expect([...new Set(statuses)]).toEqual(['off', 'requesting', 'live']);
    expect(statuses.at(-1)).toBe('off');
    expect(microphone.state.value.devices).toEqual([{ deviceId: 'microphone-1', label: 'microphone-1' }]);
    expect(media.opened.map((track) => track.readyState)).toEqual(['ended']);
    expect(media.listeners).toBe(0);
  });

  it('sends when there is a call, whichever comes first', async () => {
    const before = create();
    await before.enable();
    await before.attach(publish);
    const after = create();
    await after.attach(publish);
    await after.enable();
    expect(sent).toEqual(['publish microphone-1', 'publish microphone-1']);
  });

  it('has the browser cancel the echo, unless the app says otherwise', async () => {
    await create().enable();
    await create({ noiseSuppression: false, channelCount: 1 }).enable();
    await create({ echoCancellation: false }).enable();
    const all = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    expect(media.asked.map(({ audio }) => audio)).toEqual([
      all,
      { ...all, noiseSuppression: false, channelCount: 1 },
      { ...all, echoCancellation: false },
    ]);
  });

  it('asks once, however often it is enabled', async () => {
    const microphone = create();
    await Promise.all([microphone.enable(), microphone.enable()]);
    expect(media.opened).toHaveLength(1);
  });

  it.each([
    ['NotAllowedError', 'media/permission'],
    ['NotFoundError', 'media/not-found'],
    ['NotReadableError', 'media/in-use'],
    ['OverconstrainedError', 'media/not-found'],
    ['TypeError', 'media/unsupported'],
  ])('fails on %s with %s', async (name, code) => {
    const microphone = create();
    media.refuse(name);
    await expect(microphone.enable()).rejects.toMatchObject({ code });
    expect(microphone.state.value).toMatchObject({ status: 'failed', error: { code } });
    // Who reads it asked for this one, and may be no developer.
    const { message, hint } = microphone.state.value.error!;
    expect(message).toContain(`the microphone (${name})`);
    expect(message).not.toMatch(/camera|screen/);
    expect(hint).not.toMatch(/`|\(\)/);
    media.allow();
    await microphone.enable();
    expect(microphone.state.value).not.toHaveProperty('error');
  });

  it('says that the page is not secure', async () => {
    media.makeInsecure();
    await expect(create().enable()).rejects.toMatchObject({ code: 'media/insecure' });
  });

  it('mutes at once, and tells the edge; a mute from before the call counts too', async () => {
    const microphone = create();
    await microphone.setMuted(true);
    await microphone.enable();
    expect([microphone.state.value.status, microphone.track.value?.enabled]).toEqual(['muted', false]);
    await microphone.attach(publish);
    const unmuting = microphone.setMuted(false);
    expect([microphone.state.value.status, microphone.track.value?.enabled]).toEqual(['live', true]);
    await unmuting;
    expect(sent).toEqual(['publish microphone-1', 'mute', 'unmute']);
  });

  it('tells the edge the newest of what it was set to while the edge was slow, and no more of it', async () => {
    const microphone = create();
    await microphone.enable();
    let answer: () => void = () => undefined;
    await microphone.attach(async (track) => ({
      ...(await publish(track)),
      setMuted: async (muted) => {
        sent.push(muted ? 'mute' : 'unmute');
        await new Promise<void>((resolve) => (answer = resolve));
      },
    }));
    const setting = Array.from({ length: 99 }, (_, i) => microphone.setMuted(i % 2 === 0));
    await settled();
    expect(sent).toEqual(['publish microphone-1', 'mute']);
    setting.push(microphone.setMuted(false));
    answer();
    await settled();
    answer();
    await Promise.all(setting);
    expect([sent.slice(1), microphone.state.value.status]).toEqual([['mute', 'unmute'], 'live']);
  });

  it('says that the edge was not told of a mute until it was, and keeps what else went wrong', async () => {
    const microphone = create();
    let refusal: MicroturnError | undefined = new MicroturnError('protocol/rate');
    await microphone.enable();
    await microphone.attach(async (track) => ({
      ...(await publish(track)),
      setMuted: () => (refusal ? Promise.reject(refusal) : Promise.resolve()),
    }));
    await expect(microphone.setMuted(true)).rejects.toBe(refusal);
    expect(microphone.state.value).toMatchObject({ status: 'muted', error: { code: 'protocol/rate' } });
    refusal = undefined;
    await microphone.setMuted(true);
    expect(microphone.state.value).not.toHaveProperty('error');
    await microphone.select('none').catch(() => undefined);
    const { error } = microphone.state.value;
    expect(error?.code).toBe('media/not-found');
    await microphone.setMuted(false);
    expect(microphone.state.value).toMatchObject({ status: 'live', error });
  });

  it('says nothing of a mute that was not told because the call ended', async () => {
    const microphone = create();
    await microphone.enable();
    await microphone.attach(async (track) => ({
      ...(await publish(track)),
      setMuted: () => {
        microphone.detach();
        return Promise.reject(new MicroturnError('net/closed'));
      },
    }));
    await expect(microphone.setMuted(true)).rejects.toMatchObject({ code: 'net/closed' });
    expect(microphone.state.value).not.toHaveProperty('error');
  });

  it('opens the device that was chosen last, and none of those that were passed over', async () => {
    for (const id of ['microphone-2', 'microphone-3']) media.plug(id);
    const microphone = create();
    await microphone.enable();
    await Promise.all(
      ['microphone-2', 'microphone-3', 'microphone-2', 'microphone-3'].map((id) => microphone.select(id)),
    );
    expect(media.opened.map(({ label }) => label)).toEqual(['microphone-1', 'microphone-3']);
    expect(microphone.state.value.deviceId).toBe('microphone-3');
  });

  it('says that it is muted while it is off, and keeps that from call to call', async () => {
    const microphone = create();
    await microphone.setMuted(true);
    expect(microphone.state.value).toMatchObject({ status: 'off', muted: true });
    await microphone.enable();
    expect(microphone.state.value).toMatchObject({ status: 'muted', muted: true });
    microphone.release();
    expect(microphone.state.value).toMatchObject({ status: 'off', muted: true });
    await microphone.setMuted(false);
    await microphone.enable();
    expect(microphone.state.value).toMatchObject({ status: 'live', muted: false });
  });

  it('tells nobody of a state that is as it was', async () => {
    const microphone = create();
    await microphone.enable();
    await settled();
    let told = 0;
    microphone.state.subscribe(() => told++);
    await microphone.setMuted(false);
    media.opened[0]!.dispatchEvent(new Event('unmute'));
    expect(told).toBe(1);
  });

  it('says that the system silences it, and that it is muted where the user mutes it as well', async () => {
    media.plug('microphone-2');
    const microphone = create();
    await microphone.enable();
    const [first] = media.opened;
    const status = () => microphone.state.value.status;
    first!.silence(true);
    expect([status(), microphone.track.value?.enabled]).toEqual(['silenced', true]);
    await microphone.setMuted(true);
    expect(status()).toBe('muted');
    await microphone.setMuted(false);
    expect(status()).toBe('silenced');
    first!.silence(false);
    expect(status()).toBe('live');
    first!.silence(true);
    await microphone.select('microphone-2');
    expect(status()).toBe('live');
  });

  it('changes over to another device while it is live, and keeps the mute', async () => {
    media.plug('microphone-2');
    const microphone = create();
    await microphone.enable();
    await microphone.attach(publish);
    await microphone.setMuted(true);
    await microphone.select('microphone-2');
    expect(sent.at(-1)).toBe('replace microphone-2');
    expect(microphone.state.value).toMatchObject({ status: 'muted', deviceId: 'microphone-2' });
    expect(microphone.track.value?.enabled).toBe(false);
    expect(media.opened.map((track) => track.readyState)).toEqual(['ended', 'live']);
  });

  it('keeps the device that it has where the other does not open', async () => {
    const microphone = create();
    await microphone.enable();
    await expect(microphone.select('nowhere')).rejects.toMatchObject({ code: 'media/not-found' });
    expect(microphone.state.value).toMatchObject({ status: 'live', error: { code: 'media/not-found' } });
    expect(media.opened.map((track) => track.readyState)).toEqual(['live']);
    // Nor does it fail the next call.
    microphone.release();
    await microphone.enable();
    expect(microphone.state.value).toMatchObject({ status: 'live', deviceId: 'microphone-1' });
  });

  it('says that its device went away, and opens another when enabled again', async () => {
    media.plug('microphone-2');
    const microphone = create();
    await microphone.enable();
    await microphone.attach(publish);
    media.unplug('microphone-1');
    expect(microphone.state.value.status).toBe('ended');
    await settled();
    expect(microphone.state.value).toMatchObject({ status: 'ended', error: { code: 'media/not-found' } });
    expect(microphone.state.value.devices.map(({ deviceId }) => deviceId)).toEqual(['microphone-2']);
    await microphone.enable();
    expect(microphone.state.value.status).toBe('live');
    expect(sent.at(-1)).toBe('replace microphone-2');
  });

  it.each(['denied', 'prompt'] as const)('says that it is not allowed any more, where it is %s now', async (to) => {
    const microphone = create();
    await microphone.enable();
    await microphone.attach(publish);
    media.revoke('microphone', to);
    await settled();
    expect(microphone.state.value).toMatchObject({ status: 'ended', error: { code: 'media/permission' } });
    expect(microphone.state.value.error?.message).toContain('allow it again');
    if (to === 'denied') await expect(microphone.enable()).rejects.toMatchObject({ code: 'media/permission' });
    else {
      await microphone.enable();
      expect(microphone.state.value).not.toHaveProperty('error');
      expect([microphone.state.value.status, sent.at(-1)]).toEqual(['live', 'replace microphone-1']);
    }
  });

  it.each([
    ['that went away, where the browser forgets what it allowed', 'prompt', 'media/not-found'],
    ['that went away, where the browser does not tell what it allows', undefined, 'media/not-found'],
  ] as const)('says of a device %s', async (_what, permission, code) => {
    media.plug('microphone-2');
    media.permission = () => Promise.resolve(permission);
    const microphone = create();
    await microphone.enable();
    media.unplug('microphone-1');
    await settled();
    expect(microphone.state.value).toMatchObject({ status: 'ended', error: { code } });
  });

  it('opened again in the same moment, has no error of before', async () => {
    media.plug('microphone-2');
    const microphone = create();
    await microphone.enable();
    media.unplug('microphone-1');
    await microphone.enable();
    await settled();
    expect(microphone.state.value.status).toBe('live');
    expect(microphone.state.value).not.toHaveProperty('error');
  });

  it('opens what there is where the device that was chosen is gone, and that one where it is there again', async () => {
    media.plug('microphone-2');
    const microphone = create();
    await microphone.enable();
    await microphone.select('microphone-2');
    media.unplug('microphone-2');
    expect(microphone.state.value.status).toBe('ended');
    await microphone.enable();
    expect(microphone.state.value).toMatchObject({ status: 'live', deviceId: 'microphone-1' });
    microphone.release();
    media.plug('microphone-2');
    await microphone.enable();
    expect(microphone.state.value).toMatchObject({ status: 'live', deviceId: 'microphone-2' });
    // A choice is another matter: there is nothing that could stand in for it.
    media.unplug('microphone-2');
    await expect(microphone.select('microphone-2')).rejects.toMatchObject({ code: 'media/not-found' });
  });

  it('holds no call up while the browser asks the user, and sends when they have allowed it', async () => {
    const microphone = create();
    media.ask();
    const enabling = microphone.enable();
    await settled();
    let attached = false;
    void microphone.attach(publish).then(() => (attached = true));
    await settled();
    expect([attached, sent]).toEqual([true, []]);
    media.allow();
    await enabling;
    expect(sent).toEqual(['publish microphone-1']);
  });

  it('sends what it has over another link while the browser asks about a second device', async () => {
    media.plug('microphone-2');
    const microphone = create();
    await microphone.enable();
    await microphone.attach(publish);
    media.ask();
    const selecting = microphone.select('microphone-2');
    await settled();
    microphone.detach();
    await microphone.attach(publish);
    await microphone.setMuted(true);
    expect(sent).toEqual(['publish microphone-1', 'publish microphone-1', 'mute']);
    media.allow();
    await selecting;
    expect(sent.at(-1)).toBe('replace microphone-2');
    expect(microphone.track.value?.enabled).toBe(false);
  });

  it('sends nothing over another link while its device is gone, and the next device when that is opened', async () => {
    const microphone = create();
    await microphone.enable();
    await microphone.attach(publish);
    media.unplug('microphone-1');
    microphone.detach();
    await microphone.attach(publish);
    expect(sent).toEqual(['publish microphone-1']);
    media.plug('microphone-2');
    await microphone.enable();
    expect(sent.at(-1)).toBe('publish microphone-2');
  });

  it('lets go of a device that opens after the call was left', async () => {
    const microphone = create();
    media.ask();
    const enabling = microphone.enable();
    await settled();
    microphone.release();
    media.allow();
    await expect(enabling).rejects.toMatchObject({ code: 'net/closed' });
    expect(media.opened.map((track) => track.readyState)).toEqual(['ended']);
    expect([microphone.state.value.status, media.listeners]).toEqual(['off', 0]);
  });

  it('says that it is not sent, until it is', async () => {
    const microphone = create();
    let refusal: MicroturnError | undefined = new MicroturnError('auth/forbidden', 'canPublish for microphone');
    const taken = (): Promise<void> => (refusal ? Promise.reject(refusal) : Promise.resolve());
    await microphone.attach(async (track) => {
      await taken();
      return { ...(await publish(track)), replaceTrack: taken };
    });
    const state = () => [microphone.state.value.status, microphone.state.value.error?.code];
    await expect(microphone.enable()).rejects.toBe(refusal);
    expect(state()).toEqual(['live', 'auth/forbidden']);
    refusal = undefined;
    await microphone.enable();
    expect([...state(), ...sent]).toEqual(['live', undefined, 'publish microphone-1']);
    // Nor is a device that the edge does not take over to.
    media.plug('microphone-2');
    refusal = new MicroturnError('net/timeout');
    await expect(microphone.select('microphone-2')).rejects.toBe(refusal);
    expect(state()).toEqual(['live', 'net/timeout']);
    refusal = undefined;
    await microphone.select('microphone-2');
    expect(state()).toEqual(['live', undefined]);
  });

  it('says nothing of a link that was lost meanwhile: it is sent over the next', async () => {
    const microphone = create();
    await microphone.attach(() => {
      microphone.detach();
      return Promise.reject(new MicroturnError('net/closed'));
    });
    await expect(microphone.enable()).rejects.toMatchObject({ code: 'net/closed' });
    expect(microphone.state.value).not.toHaveProperty('error');
  });

  it('publishes in the call that it was attached to, or not at all', async () => {
    const microphone = create();
    await microphone.enable();
    let finish: () => void = () => undefined;
    const attaching = microphone.attach(async (track) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return publish(track);
    });
    await settled();
    microphone.release();
    finish();
    await attaching;
    expect(sent).toEqual(['publish microphone-1', 'close']);
  });

  it('uses a track of the app, and gives it back as it was', async () => {
    const mine = new FakeTrack('audio', 'mine');
    const microphone = create(mine.asTrack());
    await microphone.enable();
    await microphone.setMuted(true);
    expect(mine.enabled).toBe(false);
    microphone.close();
    expect([mine.readyState, mine.enabled]).toEqual(['live', true]);
    expect(media.opened).toEqual([]);
  });

  it('refuses a track of the app that has ended', async () => {
    const mine = new FakeTrack('audio');
    mine.stop();
    await expect(create(mine.asTrack()).enable()).rejects.toMatchObject({ code: 'media/not-found' });
  });

  it('closes twice without harm, and refuses afterwards', async () => {
    const microphone = create();
    await microphone.enable();
    microphone.close();
    microphone.close();
    await expect(microphone.enable()).rejects.toMatchObject({ code: 'session/closed' });
    expect(media.opened.map((track) => track.readyState)).toEqual(['ended']);
  });
});
