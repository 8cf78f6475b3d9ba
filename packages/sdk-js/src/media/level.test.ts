import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { StateSource } from '../state.js';
import { FakeMedia, FakeTrack } from '../testing/fake-media.js';
import { ManualClock } from '../testing/manual-clock.js';
import { levelOf, levelOfCurrent } from './level.js';

describe('levelOf', () => {
  it('measures only while somebody is subscribed', () => {
    const media = new FakeMedia();
    media.enableWebAudio();
    const clock = new ManualClock();
    const track = new FakeTrack('audio').asTrack();
    media.loudness.set(track, 0.5);
    const level$ = levelOf(track, { media, clock });
    clock.advance(200);
    expect(media.contexts).toBe(0);
    const levels: number[] = [];
    const subscription = level$.subscribe((level) => levels.push(level));
    clock.advance(200);
    subscription.unsubscribe();
    clock.advance(200);
    expect(levels).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect([media.contexts, clock.pending]).toEqual([0, 0]);
  });

  it('is 0 where Web Audio does not take the track, as in Firefox at another sample rate', () => {
    const media = new FakeMedia();
    media.enableWebAudio();
    media.refuseSources();
    const levels: number[] = [];
    levelOf(new FakeTrack('audio').asTrack(), { media, clock: new ManualClock() }).subscribe((level) =>
      levels.push(level),
    );
    expect([levels, media.contexts]).toEqual([[0], 0]);
  });

  it.each(['suspended', 'interrupted'] as const)('has a context that is %s run again', (state) => {
    const media = new FakeMedia();
    media.enableWebAudio();
    const clock = new ManualClock();
    const context = { ...media.createAudioContext()!, state: state as AudioContextState };
    context.resume = () => {
      context.state = 'running';
      return Promise.resolve();
    };
    const subscription = levelOf(new FakeTrack('audio').asTrack(), {
      media: Object.assign(media, { createAudioContext: () => context }),
      clock,
    }).subscribe();
    clock.advance(50);
    expect(context.state).toBe('running');
    // As iOS does it for a telephone call, in the middle of a call.
    context.state = state;
    clock.advance(50);
    expect(context.state).toBe('running');
    subscription.unsubscribe();
  });

  it('is 0 where the browser gives no more audio contexts', () => {
    const media = Object.assign(new FakeMedia(), {
      createAudioContext: () => {
        throw new DOMException('too many', 'NotSupportedError');
      },
    });
    const levels: unknown[] = [];
    levelOf(new FakeTrack('audio').asTrack(), { media, clock: new ManualClock() }).subscribe({
      next: (level) => levels.push(level),
      error: (error) => levels.push(error),
    });
    expect(levels).toEqual([0]);
  });

  it('is 0 without Web Audio', () => {
    const levels: number[] = [];
    levelOf(new FakeTrack('audio').asTrack(), { media: new FakeMedia(), clock: new ManualClock() }).subscribe((level) =>
      levels.push(level),
    );
    expect(levels).toEqual([0]);
  });
});

describe('levelOfCurrent', () => {
  it('follows the track: 0 while there is none, and each track from when it is there', () => {
    new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(({ cold, expectObservable }) => {
      const track = new StateSource<MediaStreamTrack | undefined>(undefined);
      const parts = { media: new FakeMedia(), clock: new ManualClock() };
      cold('---a--b|').subscribe((step) => track.set(step === 'a' ? new FakeTrack('audio').asTrack() : undefined));
      // Without Web Audio every track is 0, so what shows here is when each is taken up.
      expectObservable(levelOfCurrent(track, parts), '^-------!').toBe('a--a--a', { a: 0 });
    });
  });
});
