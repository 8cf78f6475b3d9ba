/** A stretch of sound, ms from the first sample. */
export interface Segment {
  readonly startMs: number;
  readonly endMs: number;
}

export interface DetectorOptions {
  readonly frameMs: number;
  /** A frame sounds when it is this far above the noise floor… */
  readonly aboveFloorDb: number;
  /** …and goes on to sound until it falls this far below that. */
  readonly hysteresisDb: number;
  /** The threshold never leaves these, dBFS. */
  readonly lowestDb: number;
  readonly highestDb: number;
  /** Dips up to this length are part of the sound (the closure of a plosive). */
  readonly hangoverMs: number;
  /** Shorter sounds are dropped (a click). */
  readonly minMs: number;
  /** Sounds with less than this between them are one segment (words of one sentence). */
  readonly mergeGapMs: number;
}

export const detectorDefaults: DetectorOptions = {
  frameMs: 10,
  aboveFloorDb: 15,
  hysteresisDb: 6,
  lowestDb: -55,
  highestDb: -30,
  hangoverMs: 60,
  minMs: 40,
  mergeGapMs: 300,
};

/** The share of frames that are taken to be noise when the floor is measured. */
const FLOOR_QUANTILE = 0.1;
const SILENCE_DB = -96;

/** As it stands in `--help`. */
export const detectorHelp = (({
  frameMs,
  aboveFloorDb,
  hysteresisDb,
  lowestDb,
  highestDb,
  hangoverMs,
  minMs,
  mergeGapMs,
}) =>
  `RMS in frames of ${frameMs} ms. The noise floor is the level that ${FLOOR_QUANTILE * 100} % of the recording's frames stay below.
A sound starts with a frame ${aboveFloorDb} dB above it (but never below ${lowestDb} nor above ${highestDb} dBFS), and lasts to the end of the
last frame that is less than ${hysteresisDb} dB below that; dips up to ${hangoverMs} ms belong to it. Sounds under ${minMs} ms are dropped,
and those less than ${mergeGapMs} ms apart are one segment. Ends do not include the hangover.`)(detectorDefaults);

/**
 * Finds the segments of sound in a stream of samples, by energy. However the stream is cut, the segments are the same.
 * It knows nothing of speech: it measures, and decides nothing in the system under test.
 */
export class SegmentDetector {
  readonly #options: DetectorOptions;
  readonly #frameSamples: number;
  #levelsDb: number[] = [];
  #energy = 0;
  #filled = 0;

  constructor(rateHz: number, options: Partial<DetectorOptions> = {}) {
    this.#options = { ...detectorDefaults, ...options };
    this.#frameSamples = (rateHz * this.#options.frameMs) / 1000;
    if (!Number.isInteger(this.#frameSamples)) {
      throw new RangeError(
        `a frame must hold a whole number of samples, got ${this.#options.frameMs} ms at ${rateHz} Hz`,
      );
    }
  }

  /** @param samples in [-1, 1] */
  push(samples: Float32Array): void {
    for (const x of samples) {
      this.#energy += x * x;
      if (++this.#filled < this.#frameSamples) continue;
      const power = this.#energy / this.#frameSamples;
      this.#levelsDb.push(power > 0 ? Math.max(SILENCE_DB, 10 * Math.log10(power)) : SILENCE_DB);
      this.#energy = 0;
      this.#filled = 0;
    }
  }

  /** Where a sound starts, dBFS, by what was pushed so far. */
  get thresholdDb(): number {
    const { aboveFloorDb, lowestDb, highestDb } = this.#options;
    return Math.min(Math.max(this.#floorDb() + aboveFloorDb, lowestDb), highestDb);
  }

  /** Of what was pushed so far; a last frame that is not full is left out. */
  segments(): Segment[] {
    const { hangoverMs, minMs, mergeGapMs } = this.#options;
    const sounds = joinAcross(this.#sounds(), hangoverMs);
    return joinAcross(
      sounds.filter(({ startMs, endMs }) => endMs - startMs >= minMs),
      mergeGapMs,
    );
  }

  #sounds(): Segment[] {
    const { frameMs, hysteresisDb } = this.#options;
    const onDb = this.thresholdDb;
    const sounds: Segment[] = [];
    let startMs: number | undefined;
    for (const [i, level] of [...this.#levelsDb, -Infinity].entries()) {
      const sounding = level >= (startMs === undefined ? onDb : onDb - hysteresisDb);
      if (sounding) startMs ??= i * frameMs;
      else if (startMs !== undefined) {
        sounds.push({ startMs, endMs: i * frameMs });
        startMs = undefined;
      }
    }
    return sounds;
  }

  #floorDb(): number {
    const sorted = [...this.#levelsDb].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length * FLOOR_QUANTILE)] ?? SILENCE_DB;
  }
}

/** The segments of a whole recording. */
export function detectSegments(
  samples: Float32Array,
  rateHz: number,
  options: Partial<DetectorOptions> = {},
): Segment[] {
  const detector = new SegmentDetector(rateHz, options);
  detector.push(samples);
  return detector.segments();
}

/** Joins neighbours with at most `gapMs` between them. */
function joinAcross(segments: readonly Segment[], gapMs: number): Segment[] {
  const joined: Segment[] = [];
  for (const segment of segments) {
    const last = joined.at(-1);
    if (last && segment.startMs - last.endMs <= gapMs)
      joined[joined.length - 1] = { startMs: last.startMs, endMs: segment.endMs };
    else joined.push(segment);
  }
  return joined;
}

/** How long both lists sound at once. */
export function overlapOf(a: readonly Segment[], b: readonly Segment[]): number {
  let ms = 0;
  for (const one of a) {
    for (const other of b) ms += Math.max(0, Math.min(one.endMs, other.endMs) - Math.max(one.startMs, other.startMs));
  }
  return ms;
}
