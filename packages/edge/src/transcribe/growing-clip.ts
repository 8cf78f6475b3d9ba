import { TRANSCRIBE_HZ } from './types.js';

/** The sound of an utterance so far. Bound: `LONGEST_MS`, `dropOldest`. */
export class GrowingClip {
  #pcm = new Int16Array(4 * TRANSCRIBE_HZ);
  #length = 0;
  /** Session ms at the end of what was pushed. */
  toMs: number;

  constructor(fromMs: number) {
    this.toMs = fromMs;
  }
  get lengthMs(): number {
    return (this.#length * 1000) / TRANSCRIBE_HZ;
  }
  push(pcm: Int16Array, toMs: number): void {
    const most = (LONGEST_MS * TRANSCRIBE_HZ) / 1000;
    const keep = Math.min(this.#length, Math.max(0, most - pcm.length));
    if (keep < this.#length) this.#pcm.copyWithin(0, this.#length - keep, this.#length);
    if (keep + pcm.length > this.#pcm.length) {
      const larger = new Int16Array(Math.min(most, 2 * (keep + pcm.length)));
      larger.set(this.#pcm.subarray(0, keep));
      this.#pcm = larger;
    }
    this.#pcm.set(pcm.subarray(Math.max(0, pcm.length - most)), keep);
    this.#length = Math.min(most, keep + pcm.length);
    this.toMs = toMs;
  }
  /** A copy of all of it. */
  read(): Int16Array {
    return this.#pcm.slice(0, this.#length);
  }
}

/** As long as Whisper hears at once. */
const LONGEST_MS = 30_000;
