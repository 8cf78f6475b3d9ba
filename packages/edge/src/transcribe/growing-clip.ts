import { TRANSCRIBE_HZ } from './types.js';

/** The sound of an utterance from a place in it on. Bound: `LONGEST_MS`, `reject`. */
export class GrowingClip {
  #pcm = new Int16Array(4 * TRANSCRIBE_HZ);
  #length = 0;
  #end = 0;
  /** Session ms at the end of what was pushed. */
  toMs: number;

  constructor(fromMs: number) {
    this.toMs = fromMs;
  }
  get lengthMs(): number {
    return (this.#length * 1000) / TRANSCRIBE_HZ;
  }
  /** Samples that were ever pushed: the place in the utterance where the clip ends. */
  get end(): number {
    return this.#end;
  }
  /** @returns false where it is full: nothing was taken */
  push(pcm: Int16Array, toMs: number): boolean {
    const length = this.#length + pcm.length;
    const most = (LONGEST_MS * TRANSCRIBE_HZ) / 1000;
    if (length > most) return false;
    if (length > this.#pcm.length) {
      const larger = new Int16Array(Math.min(most, 2 * length));
      larger.set(this.#pcm.subarray(0, this.#length));
      this.#pcm = larger;
    }
    this.#pcm.set(pcm, this.#length);
    this.#length = length;
    this.#end += pcm.length;
    this.toMs = toMs;
    return true;
  }
  /** What was before this place in the utterance is no longer in it. */
  beginAt(place: number): void {
    const from = this.#length - (this.#end - place);
    this.#pcm.copyWithin(0, from, this.#length);
    this.#length -= from;
  }
  /** A copy of all of it. */
  read(): Int16Array {
    return this.#pcm.slice(0, this.#length);
  }
}

/** As long as Whisper hears at once. */
const LONGEST_MS = 30_000;
