import { beforeEach, describe, expect, it } from 'vitest';
import { StateSource } from '../state.js';
import { FakeAudioElement, FakeMedia, FakeTrack } from '../testing/fake-media.js';
import { ManualClock, settled } from '../testing/manual-clock.js';
import { Speaker } from './speaker.js';

let media: FakeMedia;
let audible: boolean[];

beforeEach(() => {
  media = new FakeMedia();
  audible = [];
});

function create(agentElement?: HTMLAudioElement): Speaker {
  return new Speaker({
    media,
    clock: new ManualClock(),
    agentTrack: new StateSource<MediaStreamTrack | undefined>(undefined),
    microphone: new StateSource<MediaStreamTrack | undefined>(undefined),
    ...(agentElement && { agentElement }),
    onAudible: (is) => audible.push(is),
  });
}

const track = (kind: 'audio' | 'video' = 'audio') => new FakeTrack(kind).asTrack();

describe('Speaker', () => {
  it('plays what it is given, and nothing that is not sound', async () => {
    const speaker = create();
    speaker.add('a', track(), true);
    speaker.add('v', track('video'), false);
    await settled();
    expect(media.elements.map((element) => element.playing)).toEqual([true]);
    expect(speaker.state.value).toMatchObject({ blocked: false, devices: [{ deviceId: 'speaker-1' }] });
    speaker.remove('a');
    expect(media.elements[0]).toMatchObject({ playing: false, srcObject: null });
  });

  it('lists the loudspeakers as they come and go, until the call is over', async () => {
    const speaker = create();
    speaker.add('a', track(), true);
    await settled();
    media.plug('headset', 'audiooutput');
    await settled();
    expect(speaker.state.value.devices.map(({ deviceId }) => deviceId)).toEqual(['speaker-1', 'headset']);
    media.unplug('headset');
    await settled();
    expect(speaker.state.value.devices).toHaveLength(1);
    speaker.release();
    expect(media.listeners).toBe(0);
  });

  it('says that the browser blocks it, until the user acts', async () => {
    media.blockPlayback();
    const speaker = create();
    speaker.add('a', track(), true);
    await settled();
    expect([speaker.state.value.blocked, speaker.audible]).toEqual([true, false]);
    await expect(speaker.unlock()).rejects.toMatchObject({ code: 'media/blocked' });
    media.allowPlayback();
    await speaker.unlock();
    expect([speaker.state.value.blocked, audible]).toEqual([false, [false, true]]);
  });

  it('is blocked as long as one voice is, whichever way the others went', async () => {
    const mine = new FakeAudioElement(() => true);
    const speaker = create(mine as unknown as HTMLAudioElement);
    media.blockPlayback();
    speaker.add('bob', track(), false);
    speaker.add('agent', track(), true);
    await settled();
    expect(speaker.state.value.blocked).toBe(true);
    await expect(speaker.unlock()).rejects.toMatchObject({ code: 'media/blocked' });
    speaker.remove('bob');
    expect([speaker.state.value.blocked, audible]).toEqual([false, [false, true]]);
  });

  it('is blocked while something else has paused it, as the system does for a telephone call', async () => {
    const speaker = create();
    speaker.add('a', track(), true);
    await settled();
    media.elements[0]!.pause();
    expect([speaker.state.value.blocked, speaker.audible]).toEqual([true, false]);
    await media.elements[0]!.play();
    expect([speaker.state.value.blocked, audible]).toEqual([false, [false, true]]);
    media.elements[0]!.pause();
    await speaker.unlock();
    expect([speaker.state.value.blocked, media.elements[0]!.playing]).toEqual([false, true]);
    speaker.remove('a');
    expect(speaker.state.value.blocked).toBe(false);
  });

  it('keeps volume, mute and device for what is added later', async () => {
    const speaker = create();
    speaker.setVolume(0.5);
    speaker.setMuted(true);
    await speaker.select('speaker-2');
    speaker.add('a', track(), false);
    expect(media.elements[0]).toMatchObject({ volume: 0.5, muted: true, sinkId: 'speaker-2' });
    for (const volume of [1.5, -0.1, Number.NaN, Infinity, null, undefined, '1', [1]]) {
      expect(() => speaker.setVolume(volume as number)).toThrow(RangeError);
    }
    expect(speaker.state.value.volume).toBe(0.5);
  });

  it.each([20, 0])(
    'plays through what was chosen last, however long the browser takes for the one before',
    async (ticks) => {
      const mine = new FakeAudioElement(() => true);
      mine.setSinkId = async (id) => {
        for (let left = id === 'slow' ? ticks : 5; left > 0; left--) await Promise.resolve();
        if (id === 'gone') throw new DOMException('no such device', 'NotFoundError');
        mine.sinkId = id;
      };
      const speaker = create(mine as unknown as HTMLAudioElement);
      speaker.add('agent', track(), true);
      const [slow, gone, last] = [speaker.select('slow'), speaker.select('gone'), speaker.select('headset')];
      await expect(gone).rejects.toMatchObject({ code: 'media/unsupported' });
      await Promise.all([slow, last]);
      expect([mine.sinkId, speaker.state.value.deviceId]).toEqual(['headset', 'headset']);
    },
  );

  it('plays through the system’s loudspeaker while the one that was chosen is unplugged, for that is silent', async () => {
    media.plug('headset', 'audiooutput');
    const speaker = create();
    speaker.add('a', track(), true);
    await speaker.select('headset');
    await settled();
    const sinks = () => media.elements.map(({ sinkId }) => sinkId);
    media.unplug('headset');
    await settled();
    expect([sinks(), speaker.state.value.deviceId]).toEqual([[''], undefined]);
    expect(speaker.state.value).not.toHaveProperty('deviceId');
    speaker.add('b', track(), false);
    expect(sinks()).toEqual(['', '']);
    media.plug('headset', 'audiooutput');
    await settled();
    expect([sinks(), speaker.state.value.deviceId]).toEqual([['headset', 'headset'], 'headset']);
  });

  it('plays through one that was chosen before it was plugged in, once it is', async () => {
    const mine = new FakeAudioElement(() => true);
    mine.setSinkId = async (id) => {
      const devices = await media.devices()!.enumerateDevices();
      if (id !== '' && !devices.some(({ deviceId }) => deviceId === id))
        throw new DOMException('none', 'NotFoundError');
      mine.sinkId = id;
    };
    media.plug('speaker-2', 'audiooutput');
    const speaker = create(mine as unknown as HTMLAudioElement);
    await speaker.select('headset');
    speaker.add('agent', track(), true);
    await settled();
    expect(mine.sinkId).toBe('');
    media.plug('headset', 'audiooutput');
    await settled();
    expect([mine.sinkId, speaker.state.value.deviceId]).toEqual(['headset', 'headset']);
  });

  it('stays with what was chosen where the browser no longer tells which devices there are', async () => {
    media.plug('headset', 'audiooutput');
    const speaker = create();
    speaker.add('a', track(), true);
    await speaker.select('headset');
    await settled();
    const { length } = await media.devices()!.enumerateDevices();
    const nameless = { kind: 'audiooutput', deviceId: '', label: '' };
    Object.assign(media.devices()!, {
      enumerateDevices: () => Promise.resolve(Array.from({ length }, () => nameless)),
    });
    media.plug('another', 'audiooutput');
    await settled();
    expect([media.elements[0]!.sinkId, speaker.state.value.deviceId]).toEqual(['headset', 'headset']);
  });

  it('plays the agent, and only the agent, in the app’s own element', async () => {
    const mine = new FakeAudioElement(() => true);
    const speaker = create(mine as unknown as HTMLAudioElement);
    speaker.add('agent', track(), true);
    speaker.add('bob', track(), false);
    await settled();
    expect([mine.playing, media.elements.length]).toEqual([true, 1]);
  });

  it('says so where the browser cannot choose a loudspeaker', async () => {
    const old = Object.assign(new EventTarget(), { play: () => Promise.resolve(), pause: () => undefined });
    const speaker = create(old as unknown as HTMLAudioElement);
    speaker.add('agent', track(), true);
    await expect(speaker.select('speaker-2')).rejects.toMatchObject({ code: 'media/unsupported' });
  });

  it('plays nothing more once closed', async () => {
    const speaker = create();
    speaker.add('a', track(), true);
    speaker.close();
    speaker.close();
    speaker.add('b', track(), true);
    expect(media.elements.map((element) => element.playing)).toEqual([false]);
    await expect(speaker.unlock()).rejects.toMatchObject({ code: 'session/closed' });
  });
});
