import { resample } from './resample.js';
import type { Pcm } from './wav.js';

/** What Chromium's fake microphone plays without converting. */
export const MICROPHONE_HZ = 48_000;
/** Chromium starts the file with getUserMedia, and up to a third of a second of its head is never sent. */
export const MIN_LEAD_MS = 1_000;
/** When the file has ended, Chromium repeats its last buffer for ever: that is to be silence. */
const TAIL_MS = 200;
/** Quieter than this is silence: -50 dBFS, in any millisecond. */
const QUIET = 10 ** (-50 / 20);

/** The sound as the fake microphone needs it: 48 kHz, with at least `leadMs` of silence in front and some at the end. */
export function toMicrophone(pcm: Pcm, leadMs = MIN_LEAD_MS): Pcm {
  const { samples } = resample(pcm, MICROPHONE_HZ);
  const perMs = MICROPHONE_HZ / 1000;
  const lead = Math.max(0, Math.round(leadMs * perMs) - leadingSilence(samples));
  const padded = new Float32Array(lead + samples.length + TAIL_MS * perMs);
  padded.set(samples, lead);
  return { samples: padded, rateHz: MICROPHONE_HZ };
}

/** Samples before the first that can be heard. */
function leadingSilence(samples: Float32Array): number {
  const first = samples.findIndex((x) => Math.abs(x) > QUIET);
  return first < 0 ? samples.length : first;
}
