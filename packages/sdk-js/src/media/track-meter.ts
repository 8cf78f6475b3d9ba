import type { MediaPlatform } from './platform.js';

/** How loud tracks are, in an audio context of their own. */
export interface TrackMeters {
  /** RMS of the newest samples of each track, in [0, 1]. */
  read(): number[];
  close(): void;
}

/**
 * Undefined where there is no Web Audio, or it does not take the tracks: in Firefox, those of a device with another sample
 * rate than the output’s.
 * @param windowSamples a power of two from 32 on
 */
export function openMeters(
  media: MediaPlatform,
  tracks: readonly MediaStreamTrack[],
  windowSamples: number,
): TrackMeters | undefined {
  const context = openContext(media);
  if (!context) return undefined;
  const close = () => void context.close().catch(() => undefined);
  try {
    const meters = tracks.map((track) => meter(context, media, track, windowSamples));
    return {
      read() {
        // One that the browser started suspended begins to run once the user has acted on the page; one that iOS interrupted for
        // a telephone call or an alarm does not always run again by itself.
        if (context.state !== 'running' && media.userHasActed()) context.resume().catch(() => undefined);
        return meters.map((read) => read());
      },
      close,
    };
  } catch {
    close();
    return undefined;
  }
}

/** Undefined, too, where a browser has given as many as it will. */
function openContext(media: MediaPlatform): AudioContext | undefined {
  try {
    return media.createAudioContext();
  } catch {
    return undefined;
  }
}

function meter(context: AudioContext, media: MediaPlatform, track: MediaStreamTrack, windowSamples: number) {
  const analyser = context.createAnalyser();
  analyser.fftSize = windowSamples;
  const samples = new Float32Array(windowSamples);
  context.createMediaStreamSource(media.createStream([track])).connect(analyser);
  return (): number => {
    analyser.getFloatTimeDomainData(samples);
    let sum = 0;
    for (const sample of samples) sum += sample * sample;
    return Math.sqrt(sum / samples.length);
  };
}
