import { MicroturnError } from '@microturn/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Publication } from '../connection/transport.js';
import { FakeMedia, FakeTrack } from '../testing/fake-media.js';
import { settled } from '../testing/manual-clock.js';
import { Input } from './input.js';

// What cameras and screens have that microphones have not; what they share is in microphone.test.ts.

let media: FakeMedia;
let sent: string[];
let allowed: boolean;

beforeEach(() => {
  media = new FakeMedia();
  sent = [];
  allowed = true;
});

function create(source: 'camera' | 'screen' = 'camera'): Input {
  return new Input({ media, source, mayPublish: () => allowed });
}

function publish(track: MediaStreamTrack): Promise<Publication> {
  sent.push(`publish ${track.label}`);
  return Promise.resolve({
    setMuted: async (muted) => void sent.push(muted ? 'mute' : 'unmute'),
    replaceTrack: async (next) => void sent.push(`replace ${next.label}`),
    close: async () => void sent.push('close'),
  });
}

const states = () => media.opened.map(({ readyState }) => readyState);

describe('a camera', () => {
  it('is opened small, released when it is turned off, and sent meanwhile', async () => {
    const camera = create();
    await camera.attach(publish);
    await camera.enable();
    expect(media.asked).toEqual([
      { video: { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 24, max: 30 } } },
    ]);
    expect(camera.state.value).toMatchObject({
      status: 'live',
      deviceId: 'camera-1',
      devices: [{ deviceId: 'camera-1', label: 'camera-1' }],
    });
    await camera.disable();
    expect(sent).toEqual(['publish camera-1', 'close']);
    expect([camera.state.value.status, camera.track.value, states()]).toEqual(['off', undefined, ['ended']]);
    expect(media.listeners).toBe(0);
  });

  it('is what the app says, each time it is turned on', async () => {
    const camera = create();
    const wide = { width: 1280, height: 720 };
    await camera.enable({ source: wide });
    await camera.disable();
    await camera.enable();
    expect(media.asked.map(({ video }) => video)).toMatchObject([wide, { width: { ideal: 640 } }]);
  });

  it('changes over to tracks of the app and back, and stops its own alone', async () => {
    const camera = create();
    await camera.attach(publish);
    const [first, second] = [new FakeTrack('video', 'first'), new FakeTrack('video', 'second')];
    await camera.enable();
    await camera.enable({ source: first.asTrack() });
    expect(states()).toEqual(['ended']);
    await camera.enable({ source: second.asTrack() });
    await camera.enable({ source: {} });
    camera.close();
    expect(sent).toEqual(['publish camera-1', 'replace first', 'replace second', 'replace camera-1']);
    expect([first.readyState, second.readyState, ...states()]).toEqual(['live', 'live', 'ended', 'ended']);
  });

  it('changes over to another device while it is live', async () => {
    media.plug('camera-2', 'videoinput');
    const camera = create();
    await camera.attach(publish);
    await camera.enable();
    await camera.select('camera-2');
    expect(sent).toEqual(['publish camera-1', 'replace camera-2']);
    expect([camera.state.value.deviceId, states()]).toEqual(['camera-2', ['ended', 'live']]);
  });

  describe('on a phone that opens one camera at a time', () => {
    function oneAtATime(): void {
      const devices = media.devices()!;
      const open = devices.getUserMedia.bind(devices);
      devices.getUserMedia = (constraints) =>
        media.opened.some(({ readyState }) => readyState === 'live')
          ? Promise.reject(new DOMException('Could not start video source', 'NotReadableError'))
          : open(constraints!);
      media.plug('camera-2', 'videoinput');
    }

    it.each([
      ['select', (camera: Input) => camera.select('camera-2')],
      ['enable', (camera: Input) => camera.enable({ source: { deviceId: { exact: 'camera-2' } } })],
    ])('changes over to another with %s, which needs the first to be let go of', async (_, change) => {
      oneAtATime();
      const camera = create();
      await camera.attach(publish);
      await camera.enable();
      await change(camera);
      expect(sent).toEqual(['publish camera-1', 'replace camera-2']);
      expect([camera.state.value, states()]).toMatchObject([
        { status: 'live', deviceId: 'camera-2' },
        ['ended', 'live'],
      ]);
    });

    it('is off where the other cannot be opened either', async () => {
      oneAtATime();
      const camera = create();
      await camera.attach(publish);
      await camera.enable();
      const devices = media.devices()!;
      devices.getUserMedia = () => Promise.reject(new DOMException('', 'NotReadableError'));
      await expect(camera.select('camera-2')).rejects.toMatchObject({ code: 'media/in-use' });
      await settled();
      expect(camera.state.value).toMatchObject({ status: 'failed', error: { code: 'media/in-use' } });
      expect([camera.track.value, sent]).toEqual([undefined, ['publish camera-1', 'close']]);
      Reflect.deleteProperty(devices, 'getUserMedia');
      await camera.enable();
      expect([camera.state.value.status, sent.at(-1)]).toEqual(['live', 'publish camera-1']);
    });

    it('goes on with the first where another program has the other', async () => {
      const camera = create();
      await camera.attach(publish);
      await camera.enable();
      const devices = media.devices()!;
      const open = devices.getUserMedia.bind(devices);
      devices.getUserMedia = (constraints) =>
        JSON.stringify(constraints).includes('camera-2')
          ? Promise.reject(new DOMException('', 'NotReadableError'))
          : open(constraints);
      await expect(camera.select('camera-2')).rejects.toMatchObject({ code: 'media/in-use' });
      expect(camera.state.value).toMatchObject({
        status: 'live',
        deviceId: 'camera-1',
        error: { code: 'media/in-use' },
      });
      expect([sent, states()]).toEqual([
        ['publish camera-1', 'replace camera-1'],
        ['ended', 'live'],
      ]);
    });

    it('is let go of where the call ends meanwhile', async () => {
      oneAtATime();
      const camera = create();
      await camera.enable();
      const changing = camera.select('camera-2');
      await Promise.resolve();
      camera.release();
      await expect(changing).rejects.toMatchObject({ code: 'net/closed' });
      expect([camera.state.value.status, states()]).toEqual(['off', ['ended']]);
    });

    it('stays on where the user does not allow the other', async () => {
      const camera = create();
      await camera.enable();
      media.refuse();
      await expect(camera.select('camera-2')).rejects.toMatchObject({ code: 'media/permission' });
      expect([camera.state.value.status, states()]).toEqual(['live', ['live']]);
    });
  });

  it('that goes away is not sent any more, and another one is opened when it is enabled again', async () => {
    media.plug('camera-2', 'videoinput');
    const camera = create();
    await camera.attach(publish);
    await camera.enable();
    media.unplug('camera-1');
    await settled();
    expect(camera.state.value).toMatchObject({ status: 'ended', error: { code: 'media/not-found' } });
    expect([camera.track.value, sent]).toEqual([undefined, ['publish camera-1', 'close']]);
    await camera.enable();
    expect([camera.state.value.status, sent.at(-1)]).toEqual(['live', 'publish camera-2']);
  });

  it('that is not allowed any more is not sent any more, and says so', async () => {
    const camera = create();
    await camera.attach(publish);
    await camera.enable();
    media.revoke('camera');
    await settled();
    expect(camera.state.value).toMatchObject({ status: 'ended', error: { code: 'media/permission' } });
    expect([camera.track.value, sent]).toEqual([undefined, ['publish camera-1', 'close']]);
  });

  it('is muted until it is turned off: who turns it on is to be seen', async () => {
    const camera = create();
    await camera.attach(publish);
    await camera.enable();
    await camera.setMuted(true);
    expect([camera.state.value.status, camera.track.value?.enabled]).toEqual(['muted', false]);
    await camera.disable();
    await camera.enable();
    expect([camera.state.value.status, camera.track.value?.enabled]).toEqual(['live', true]);
    expect(sent).toEqual(['publish camera-1', 'mute', 'close', 'publish camera-1']);
  });

  it('asks nobody where the token does not allow it', async () => {
    allowed = false;
    const camera = create();
    await expect(camera.enable()).rejects.toMatchObject({ code: 'auth/forbidden' });
    expect(camera.state.value).toMatchObject({ status: 'failed', error: { code: 'auth/forbidden' } });
    expect(media.asked).toEqual([]);
  });

  it('that the edge does not take is let go of, and says why', async () => {
    const camera = create();
    await camera.enable();
    const attaching = camera.attach(() => Promise.reject(new MicroturnError('auth/forbidden', 'canPublish')));
    await expect(attaching).rejects.toMatchObject({ code: 'auth/forbidden' });
    expect(camera.state.value).toMatchObject({ status: 'failed', error: { code: 'auth/forbidden' } });
    expect(states()).toEqual(['ended']);
  });

  it('stays on where the link is lost while it is published, and is sent over the next', async () => {
    const camera = create();
    let lose: (error: Error) => void = () => undefined;
    await camera.attach(() => new Promise((_, reject) => (lose = reject)));
    const enabling = camera.enable();
    await settled();
    camera.detach();
    lose(new MicroturnError('net/closed'));
    await enabling;
    expect([camera.state.value.status, states()]).toEqual(['live', ['live']]);
    await camera.attach(publish);
    expect(sent).toEqual(['publish camera-1']);
  });

  it('that goes away while it is published is published no more', async () => {
    const camera = create();
    let finish: () => void = () => undefined;
    await camera.attach(async (track) => {
      await new Promise<void>((resolve) => (finish = resolve));
      return publish(track);
    });
    const enabling = camera.enable();
    await settled();
    media.opened[0]!.end();
    finish();
    await enabling;
    await settled();
    expect([sent, states(), camera.state.value.status]).toEqual([['publish camera-1', 'close'], ['ended'], 'ended']);
  });
});

describe('a screen', () => {
  it('is opened for text, and has no list to choose from', async () => {
    const screen = create('screen');
    await screen.attach(publish);
    await screen.enable();
    expect(media.asked).toEqual([{ video: { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: 15 } } }]);
    expect(screen.track.value?.contentHint).toBe('detail');
    expect(screen.state.value).toMatchObject({ status: 'live', devices: [] });
    expect([sent, media.listeners]).toEqual([['publish screen-1'], 0]);
  });

  it('is off, and no fault, when the user stops to share it in the browser’s own bar', async () => {
    const screen = create('screen');
    await screen.attach(publish);
    await screen.enable();
    media.opened[0]!.end();
    await settled();
    expect(screen.state.value.status).toBe('off');
    expect(screen.state.value).not.toHaveProperty('error');
    expect([screen.track.value, sent]).toEqual([undefined, ['publish screen-1', 'close']]);
    await screen.enable();
    expect(sent.at(-1)).toBe('publish screen-1');
  });

  it('is refused like a camera, and not there on many phones', async () => {
    const screen = create('screen');
    media.refuse();
    await expect(screen.enable()).rejects.toMatchObject({
      code: 'media/permission',
      message: 'access to a device was refused: the screen (NotAllowedError)',
    });
    media.allow();
    Object.assign(media.devices()!, { getDisplayMedia: undefined });
    await expect(screen.enable()).rejects.toMatchObject({ code: 'media/unsupported' });
    expect(screen.state.value).toMatchObject({ status: 'failed', error: { code: 'media/unsupported' } });
  });
});
