import type { Segment } from './segments.js';

/**
 * Where the beginning of the microphone's file lies on the recording's clock, by one sound that both have. `microphoneMs` of a
 * call is no such thing: Chromium plays the file from before it hands the microphone out, by up to a third of a second on a calm
 * machine, and longer where the page is told late.
 * @param file   what sounds in the file
 * @param sent   what sounds in the recording of it
 * @param fromMs of the file: the first sound from here on is looked for. In front of it has to be more silence than the file may be early by
 * @throws {Error} where nothing of it was recorded
 */
export function fileStartMs({
  file,
  sent,
  microphoneMs,
  fromMs,
}: {
  readonly file: readonly Segment[];
  readonly sent: readonly Segment[];
  readonly microphoneMs: number;
  readonly fromMs: number;
}): number {
  const played = file.find(({ startMs }) => startMs >= fromMs);
  const recorded = sent.find(({ startMs }) => startMs >= microphoneMs + fromMs);
  if (!played || !recorded) throw new Error(`nothing was recorded of what the file has after ${Math.round(fromMs)} ms`);
  return recorded.startMs - played.startMs;
}
