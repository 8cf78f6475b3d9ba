/** A part of a whole, with its 95 % interval (Wilson). */
export interface Share {
  /** Absent where nothing was counted. */
  readonly value: number | undefined;
  readonly n: number;
  readonly low: number;
  readonly high: number;
}

const Z = 1.96;

export function share(hits: number, n: number): Share {
  if (n === 0) return { value: undefined, n, low: 0, high: 1 };
  const value = hits / n;
  const scale = 1 + Z ** 2 / n;
  const middle = (value + Z ** 2 / (2 * n)) / scale;
  const half = (Z * Math.sqrt((value * (1 - value)) / n + Z ** 2 / (4 * n * n))) / scale;
  return { value, n, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

/** Counts as it goes. */
export class Tally {
  #hits = 0;
  #n = 0;

  add(hit: boolean): void {
    this.#n++;
    if (hit) this.#hits++;
  }

  get share(): Share {
    return share(this.#hits, this.#n);
  }
}
