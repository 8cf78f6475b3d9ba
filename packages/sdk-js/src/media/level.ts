import { Observable } from 'rxjs';
import { systemClock, type Clock } from '../clock.js';
import type { State } from '../state.js';
import { newest } from '../newest.js';
import { browserMedia, type MediaPlatform } from './platform.js';
import { openMeters } from './track-meter.js';

/** Slow enough for a screen, fast enough to look alive. */
const EVERY_MS = 50;
const WINDOW_SAMPLES = 1024;

/** RMS of a track in [0, 1], 20 times a second. Web Audio runs only while somebody is subscribed. */
export function levelOf(
  track: MediaStreamTrack,
  { clock = systemClock, media = browserMedia }: { readonly clock?: Clock; readonly media?: MediaPlatform } = {},
): Observable<number> {
  return new Observable((subscriber) => {
    const meters = openMeters(media, [track], WINDOW_SAMPLES);
    if (!meters) {
      subscriber.next(0);
      return undefined;
    }
    const stop = clock.every(EVERY_MS, () => {
      const [level = 0] = meters.read();
      subscriber.next(level);
    });
    return () => {
      stop();
      meters.close();
    };
  });
}

/** Of no track. */
const none = new Observable<number>((subscriber) => {
  subscriber.next(0);
  subscriber.complete();
});

/** The level of whichever track there is; 0 while there is none. */
export function levelOfCurrent(
  track: State<MediaStreamTrack | undefined>,
  parts: { readonly clock: Clock; readonly media: MediaPlatform },
): Observable<number> {
  return newest(track, (current) => (current ? levelOf(current, parts) : none));
}
