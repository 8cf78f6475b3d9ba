/** The latest samples of one measure, for its percentiles: a bounded window, so that old load does not hide new. */
export class RecentSamples {
  readonly #ring: Float64Array;
  #count = 0;
  constructor(capacity = 2048) {
    this.#ring = new Float64Array(capacity);
  }
  add(value: number): void {
    this.#ring[this.#count++ % this.#ring.length] = value;
  }
  /** @param share 0 to 1; 0 where nothing was added yet */
  percentile(share: number): number {
    const length = Math.min(this.#count, this.#ring.length);
    if (length === 0) return 0;
    const sorted = this.#ring.slice(0, length).sort();
    return sorted[Math.min(length - 1, Math.floor(share * length))]!;
  }
}
