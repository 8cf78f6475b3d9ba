import { MicroturnError } from '@microturn/protocol';
import type { Clock } from '../clock.js';
import type { MediaPlatform } from './platform.js';

const EVERY_MS = 1000;

export interface ShowFramesParts {
  readonly track: MediaStreamTrack;
  readonly media: MediaPlatform;
  readonly clock: Clock;
  show(images: readonly Blob[]): Promise<void>;
  /** Why it goes no further. */
  failed(error: MicroturnError): void;
}

/**
 * Shows the agent the newest frame of a track once a second. Policy: dropOldest, for none is taken before the one before has
 * arrived; without a link there is none.
 * @returns ends it, and takes the last one away
 */
export function showFrames({ track, media, clock, show, failed }: ShowFramesParts): () => void {
  const frames = media.openFrames(track);
  let sending: Promise<void> | undefined;
  let shown = false;
  let stopped = false;
  const send = async () => {
    try {
      const image = await frames.grab();
      if (!image || stopped) return;
      // Before its answer, which may be lost with the link.
      shown = true;
      await show([image]);
    } catch (cause) {
      const error = MicroturnError.from(cause, 'image/invalid');
      if (error.retryable || stopped) return;
      end();
      failed(error);
    }
  };
  const stop = clock.every(EVERY_MS, () => {
    sending ??= send().finally(() => (sending = undefined));
  });
  const end = () => {
    stopped = true;
    stop();
    frames.close();
  };
  return () => {
    end();
    // After one that is on its way, which would stay otherwise.
    const last = sending ?? Promise.resolve();
    last.then(() => (shown ? show([]) : undefined)).catch(() => undefined);
  };
}
