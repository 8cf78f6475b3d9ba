import { beforeEach, describe, expect, it } from 'vitest';
import type { Publication } from '../connection/transport.js';
import { FakeMedia, FakeTrack } from '../testing/fake-media.js';
import { ManualClock } from '../testing/manual-clock.js';
import { Microphone } from './microphone.js';

let media: FakeMedia;
let sent: string[];

beforeEach(() => {
  media = new FakeMedia();
  sent = [];
});

function create(source: MediaStreamTrack): Microphone {
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

describe('a track that the app has turned off', () => {
  it('is muted until the user decides, and then is as they want it', async () => {
    const mine = new FakeTrack('audio', 'mine');
    mine.enabled = false;
    const microphone = create(mine.asTrack());
    await microphone.attach(publish);
    await microphone.enable();
    expect([microphone.state.value.status, microphone.state.value.muted, mine.enabled]).toEqual(['muted', true, false]);
    expect(sent).toEqual(['publish mine', 'mute']);
    await microphone.setMuted(false);
    expect([microphone.state.value.status, mine.enabled]).toEqual(['live', true]);
    // Who has decided is not asked again.
    await microphone.disable();
    await microphone.enable();
    expect([microphone.state.value.status, mine.enabled]).toEqual(['live', true]);
  });

  it('is given back as it was, and the device in its place is heard', async () => {
    const mine = new FakeTrack('audio', 'mine');
    mine.enabled = false;
    const microphone = create(mine.asTrack());
    await microphone.attach(publish);
    await microphone.enable();
    media.plug('microphone-2');
    await microphone.select('microphone-2');
    expect([microphone.state.value.status, mine.enabled, media.opened.at(-1)!.enabled]).toEqual(['live', false, true]);
    expect(sent.at(-1)).toBe('unmute');
    // What the user has muted stays so, whatever is in its place.
    await microphone.setMuted(true);
    await microphone.select('microphone-1');
    expect([microphone.state.value.status, media.opened.at(-1)!.enabled]).toEqual(['muted', false]);
  });
});
