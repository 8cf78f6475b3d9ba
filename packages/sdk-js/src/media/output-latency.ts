import type { Clock } from '../clock.js';
import { sleep } from '../waiting.js';
import type { MediaPlatform } from './platform.js';

const POLL_MS = 100;
const POLLS = 10;
/** What the protocol takes at most. */
const MAX_MS = 2000;

/**
 * From the mixer to the ear of one output, in ms; 0 where the browser does not tell.
 * Bluetooth headphones are 100 ms and more behind what the browser calls played.
 */
export async function measureOutputLatencyMs(
  media: MediaPlatform,
  clock: Clock,
  signal: AbortSignal,
  sinkId?: string,
): Promise<number> {
  // A context made before the user has acted stays suspended, and logs a warning.
  const context = media.userHasActed() ? media.createAudioContext(sinkId) : undefined;
  if (!context) return 0;
  try {
    for (let poll = 0; poll < POLLS && !signal.aborted; poll++) {
      if (context.outputLatency > 0) return Math.min(Math.round(context.outputLatency * 1000), MAX_MS);
      await sleep(POLL_MS, clock, signal);
    }
    return 0;
  } finally {
    await context.close();
  }
}
