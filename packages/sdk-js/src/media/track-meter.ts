import type { MediaPlatform } from './platform.js';

/** Reads how loud a track is. Its context is its owner's to close. */
export class TrackMeter {
  readonly #analyser: AnalyserNode;
  readonly #source: MediaStreamAudioSourceNode;
  readonly #samples: Float32Array<ArrayBuffer>;

  /** @param windowSamples a power of two from 32 on */
  constructor(context: AudioContext, media: MediaPlatform, track: MediaStreamTrack, windowSamples: number) {
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = windowSamples;
    this.#samples = new Float32Array(windowSamples);
    this.#source = context.createMediaStreamSource(media.createStream([track]));
    this.#source.connect(this.#analyser);
  }

  /** RMS of the newest samples, in [0, 1]. */
  read(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    return Math.sqrt(sum / this.#samples.length);
  }

  close(): void {
    this.#source.disconnect();
  }
}

/** A context that the browser started suspended begins to run once the user has acted on the page. */
export function resumeIfAllowed(context: AudioContext, media: MediaPlatform): void {
  if (context.state === 'suspended' && media.userHasActed()) context.resume().catch(() => undefined);
}
