const EMPTY = 0;
const HEARD = 1;
const CONCEALED = 2;

/** One stretch of the timeline, taken out of it. */
export interface CutPcm {
  readonly pcm: Float32Array;
  /** Samples that were made up, and samples that nobody wrote (zeros). */
  readonly concealed: number;
  readonly empty: number;
}

/**
 * PCM at places counted from session time 0. Holds a bounded stretch in front of what was cut last: what comes before
 * it is too late, what comes after it too early, and neither is kept. A place that is taken stays as it is.
 */
export class PcmTimeline {
  readonly #pcm: Float32Array;
  readonly #kind: Uint8Array;
  readonly #mask: number;
  #floor: number;

  /**
   * @param capacitySamples rounded up to a power of two
   * @param floor the first place
   */
  constructor(capacitySamples: number, floor = 0) {
    this.#floor = floor;
    const capacity = 2 ** Math.ceil(Math.log2(capacitySamples));
    this.#pcm = new Float32Array(capacity);
    this.#kind = new Uint8Array(capacity);
    this.#mask = capacity - 1;
  }

  /** The first place that has not been cut. */
  get floor(): number {
    return this.#floor;
  }

  /** Writes what was received. Returns how many samples found their place. */
  write(place: number, pcm: Float32Array): number {
    return this.#put(place, pcm.length, HEARD, pcm);
  }

  /** Writes what was made up in place of loss; zeros where `pcm` is shorter than `samples`. */
  conceal(place: number, pcm: Float32Array, samples = pcm.length): number {
    return this.#put(place, samples, CONCEALED, pcm);
  }

  /** Writes silence that the sender meant. */
  silence(place: number, samples: number): number {
    return this.#put(place, samples, HEARD);
  }

  /** Takes the samples from `from` to `to` out, and gives up everything before. */
  cut(from: number, to: number): CutPcm {
    const pcm = new Float32Array(to - from);
    let concealed = 0;
    let empty = 0;
    for (let place = from; place < to; place++) {
      const i = place & this.#mask;
      const kind = place < this.#floor + this.#pcm.length && place >= this.#floor ? this.#kind[i] : EMPTY;
      if (kind === EMPTY) {
        empty++;
        continue;
      }
      if (kind === CONCEALED) concealed++;
      pcm[place - from] = this.#pcm[i]!;
    }
    this.#dropBefore(to);
    return { pcm, concealed, empty };
  }

  #dropBefore(place: number): void {
    const end = Math.min(place, this.#floor + this.#pcm.length);
    for (let at = this.#floor; at < end; at++) this.#kind[at & this.#mask] = EMPTY;
    this.#floor = Math.max(this.#floor, place);
  }

  #put(place: number, samples: number, kind: number, pcm?: Float32Array): number {
    const from = Math.max(place, this.#floor);
    const to = Math.min(place + samples, this.#floor + this.#pcm.length);
    let placed = 0;
    for (let at = from; at < to; at++) {
      const i = at & this.#mask;
      if (this.#kind[i] !== EMPTY) continue;
      this.#kind[i] = kind;
      this.#pcm[i] = pcm?.[at - place] ?? 0;
      placed++;
    }
    return placed;
  }
}
