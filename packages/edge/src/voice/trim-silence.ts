/** What is kept around the sound, so that a plosive's closure and a vowel's decay survive. */
const LEAD_MS = 10;
const TAIL_MS = 30;
const FADE_IN_MS = 4;
const FADE_OUT_MS = 12;
/** Energy is measured in frames of this length. */
const FRAME_MS = 5;
/** A frame this far below the loudest one is silence. Weak fricatives (f, th) of Flite lie at -30 to -36 dB. */
const SILENCE_BELOW_PEAK_DB = 40;
/** Sound is looked for this far outside the phones; what lies beyond is the voice's own noise. */
const SEARCH_MS = 60;

export interface Trimmed {
  /** A copy, faded in and out, whole milliseconds long. */
  readonly pcm: Float32Array;
  /** Where it started in the input. */
  readonly startMs: number;
}

/**
 * Cuts the silence at both ends of a clause, by energy, near where the phones say that speech starts and ends.
 * @param speech from the start of the first phone to the end of the last, ms
 */
export function trimSilence(pcm: Float32Array, rateHz: number, speech: { startMs: number; endMs: number }): Trimmed {
  const perMs = rateHz / 1_000;
  const frame = Math.round(FRAME_MS * perMs);
  const levels = frameLevels(pcm, frame);
  const floor = levels.reduce((peak, level) => Math.max(peak, level), 0) * 10 ** (-SILENCE_BELOW_PEAK_DB / 10);

  const searchFrom = clamp(Math.floor((speech.startMs - SEARCH_MS) / FRAME_MS), 0, levels.length);
  const searchTo = clamp(Math.ceil((speech.endMs + SEARCH_MS) / FRAME_MS), searchFrom, levels.length);
  let first = searchFrom;
  while (first < searchTo && levels[first]! <= floor) first++;
  let last = searchTo;
  while (last > first && levels[last - 1]! <= floor) last--;

  const startMs = Math.max(0, first * FRAME_MS - LEAD_MS);
  const endMs = Math.min(last * FRAME_MS + TAIL_MS, Math.floor(pcm.length / perMs));
  const trimmed = pcm.slice(Math.round(startMs * perMs), Math.round(Math.max(startMs, endMs) * perMs));
  fade(trimmed, Math.round(FADE_IN_MS * perMs), Math.round(FADE_OUT_MS * perMs));
  return { pcm: trimmed, startMs };
}

/** Mean square of each whole frame. */
function frameLevels(pcm: Float32Array, frame: number): Float64Array {
  const levels = new Float64Array(Math.floor(pcm.length / frame));
  for (let i = 0; i < levels.length; i++) {
    let sum = 0;
    for (let j = i * frame; j < (i + 1) * frame; j++) sum += pcm[j]! * pcm[j]!;
    levels[i] = sum / frame;
  }
  return levels;
}

/** Raised cosine at both ends, in place: a cut in running sound would click. */
function fade(pcm: Float32Array, fadeIn: number, fadeOut: number): void {
  for (let i = 0; i < Math.min(fadeIn, pcm.length); i++) pcm[i]! *= 0.5 - 0.5 * Math.cos((Math.PI * i) / fadeIn);
  for (let i = 0; i < Math.min(fadeOut, pcm.length); i++) {
    pcm[pcm.length - 1 - i]! *= 0.5 - 0.5 * Math.cos((Math.PI * i) / fadeOut);
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
