/** Bins of 0.1 ms up to 10 ms, of 1 ms up to 100 ms, of 10 ms up to 1 s, and one above: 281 numbers, however long it runs. */
const UPPER_MS = [
  ...Array.from({ length: 100 }, (_, i) => (i + 1) / 10),
  ...Array.from({ length: 90 }, (_, i) => i + 11),
  ...Array.from({ length: 90 }, (_, i) => (i + 11) * 10),
];

/** Durations, counted in bins. A quantile is the upper edge of its bin; cheap enough to feed with every packet. */
export class Histogram {
  readonly #counts = new Uint32Array(UPPER_MS.length + 1);
  #total = 0;
  #maxMs = 0;

  get count(): number {
    return this.#total;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  add(ms: number): void {
    this.#counts[binOf(ms)]!++;
    this.#total++;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  /** 0 where nothing was counted. */
  quantile(share: number): number {
    const wanted = this.#total * share;
    let seen = 0;
    for (let bin = 0; bin < this.#counts.length; bin++) {
      seen += this.#counts[bin]!;
      if (seen >= wanted && seen > 0) return Math.min(UPPER_MS[bin] ?? this.#maxMs, this.#maxMs);
    }
    return 0;
  }
}

function binOf(ms: number): number {
  if (!(ms > 0)) return 0;
  if (ms <= 10) return Math.max(0, Math.ceil(ms * 10) - 1);
  if (ms <= 100) return 100 + Math.ceil(ms) - 11;
  if (ms <= 1000) return 190 + Math.ceil(ms / 10) - 11;
  return UPPER_MS.length;
}
