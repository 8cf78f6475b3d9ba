import { describe, expect, it } from 'vitest';
import { FakeMedia, FakeTrack } from '../testing/fake-media.js';
import { ManualClock } from '../testing/manual-clock.js';
import { Ducker, type DuckingOptions } from './ducker.js';

function setUp(options: DuckingOptions = {}) {
  const media = new FakeMedia();
  media.enableWebAudio();
  const clock = new ManualClock();
  const gains: { atMs: number; db: number }[] = [];
  let speaking = true;
  const ducker = new Ducker({
    ...options,
    media,
    clock,
    speaking: () => speaking,
    lower: (gain) => gains.push({ atMs: clock.now(), db: Math.round(20 * Math.log10(gain)) }),
  });
  const microphone = new FakeTrack().asTrack();
  const agent = new FakeTrack().asTrack();
  const stop = ducker.watch(microphone, agent);
  clock.advance(500);
  return {
    media,
    clock,
    ducker,
    gains,
    stop,
    user: (db: number) => media.loudness.set(microphone, 10 ** (db / 20)),
    voice: (db: number) => media.loudness.set(agent, 10 ** (db / 20)),
    agentSpeaks: (is: boolean) => (speaking = is),
    db: () => gains.at(-1)?.db ?? 0,
  };
}

describe('Ducker', () => {
  it('lowers the agent by 12 dB within 60 ms of the onset, in steps', () => {
    const { clock, user, gains, db } = setUp();
    user(-25);
    clock.advance(60);
    expect(gains.map((gain) => gain.db)).toEqual([-4, -8, -12]);
    expect(gains.at(-1)!.atMs - 500).toBeLessThanOrEqual(60);
    clock.advance(300);
    expect(db()).toBe(-12);
  });

  it('comes back by itself where the edge says nothing', () => {
    const { clock, user, db } = setUp();
    user(-25);
    clock.advance(600);
    expect(db()).toBe(-12);
    clock.advance(150);
    expect(db()).toBe(0);
  });

  it('comes back at once when the model goes on', () => {
    const { clock, user, ducker, db } = setUp();
    user(-25);
    clock.advance(200);
    ducker.release();
    clock.advance(100);
    expect(db()).toBe(0);
  });

  it('leaves an agent that is silent as it is', () => {
    const { clock, user, agentSpeaks, gains } = setUp();
    agentSpeaks(false);
    user(-25);
    clock.advance(500);
    expect(gains).toEqual([]);
  });

  it('is not fooled twice by an echo that no canceller takes away', () => {
    const { clock, user, voice, gains, db } = setUp();
    const echo = () => {
      voice(-20);
      user(-35);
      clock.advance(900);
      voice(-100);
      user(-100);
      clock.advance(900);
    };
    echo();
    expect(gains.length).toBeGreaterThan(0);
    gains.length = 0;
    for (let i = 0; i < 5; i++) echo();
    expect([gains, db()]).toEqual([[], 0]);
  });

  it('keeps its measure where the edge heard the user, too: that was no echo', () => {
    const { clock, user, voice, ducker, gains } = setUp();
    voice(-20);
    for (let i = 0; i < 3; i++) {
      gains.length = 0;
      user(-35);
      clock.advance(100);
      ducker.confirm();
      clock.advance(800);
      expect(gains.map(({ db }) => db)).toContain(-12);
      user(-100);
      clock.advance(900);
    }
  });

  it('takes a depth and a time', () => {
    const { clock, user, db } = setUp({ depthDb: 20, holdMs: 100 });
    user(-25);
    clock.advance(100);
    expect(db()).toBe(-20);
    clock.advance(150);
    expect(db()).toBe(0);
    expect(() => setUp({ depthDb: -1 })).toThrow(RangeError);
    expect(() => setUp({ holdMs: Number.NaN })).toThrow(RangeError);
  });

  it('lets go of everything, and of the gain', () => {
    const { clock, user, stop, media, db } = setUp();
    user(-25);
    clock.advance(100);
    stop();
    expect([db(), media.contexts, clock.pending]).toEqual([0, 0, 0]);
  });

  it('lowers nothing, and leaves nothing open, where Web Audio does not take the track', () => {
    const { media, clock, ducker, stop } = setUp();
    stop();
    media.refuseSources();
    ducker.watch(new FakeTrack().asTrack(), new FakeTrack().asTrack())();
    expect([media.contexts, clock.pending]).toEqual([0, 0]);
  });

  it('opens nothing before the user has acted', () => {
    const media = new FakeMedia();
    media.enableWebAudio();
    media.blockPlayback();
    const clock = new ManualClock();
    const ducker = new Ducker({ media, clock, speaking: () => true, lower: () => undefined });
    ducker.watch(new FakeTrack().asTrack(), new FakeTrack().asTrack());
    clock.advance(1000);
    expect(media.contexts).toBe(0);
    media.allowPlayback();
    clock.advance(10);
    expect(media.contexts).toBe(1);
  });
});
