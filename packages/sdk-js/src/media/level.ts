import { Observable, of, switchMap } from 'rxjs';
import { systemClock, type Clock } from '../clock.js';
import type { State } from '../state.js';
import { browserMedia, type MediaPlatform } from './platform.js';

/** Slow enough for a screen, fast enough to look alive. */
const EVERY_MS = 50;

/** RMS of a track in [0, 1], 20 times a second. Web Audio runs only while somebody is subscribed. */
export function levelOf(
  track: MediaStreamTrack,
  { clock = systemClock, media = browserMedia }: { readonly clock?: Clock; readonly media?: MediaPlatform } = {},
): Observable<number> {
  return new Observable((subscriber) => {
    const context = media.createAudioContext();
    if (!context) {
      subscriber.next(0);
      return undefined;
    }
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    const source = context.createMediaStreamSource(media.createStream([track]));
    source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const stop = clock.every(EVERY_MS, () => {
      // Suspended until the user acts on the page.
      if (context.state === 'suspended' && media.userHasActed()) context.resume().catch(() => undefined);
      analyser.getFloatTimeDomainData(samples);
      subscriber.next(rms(samples));
    });
    return () => {
      stop();
      source.disconnect();
      context.close().catch(() => undefined);
    };
  });
}

/** The level of whichever track there is; 0 while there is none. */
export function levelOfCurrent(
  track: State<MediaStreamTrack | undefined>,
  parts: { readonly clock: Clock; readonly media: MediaPlatform },
): Observable<number> {
  return track.pipe(switchMap((current) => (current ? levelOf(current, parts) : of(0))));
}

function rms(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / samples.length);
}
