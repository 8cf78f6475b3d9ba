/** A part of a whole, with its 95 % interval (Wilson). */
export interface Share {
  /** Absent where nothing was counted. */
  readonly value: number | undefined;
  readonly n: number;
  readonly low: number;
  readonly high: number;
}

const Z = 1.96;

/** @param effect how many times as wide the variance is as that of so many independent events */
export function share(hits: number, n: number, effect = 1): Share {
  if (n === 0) return { value: undefined, n, low: 0, high: 1 };
  const value = hits / n;
  const independent = n / effect;
  const scale = 1 + Z ** 2 / independent;
  const middle = (value + Z ** 2 / (2 * independent)) / scale;
  const half = (Z * Math.sqrt((value * (1 - value)) / independent + Z ** 2 / (4 * independent ** 2))) / scale;
  return { value, n, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

interface Counted {
  hits: number;
  n: number;
}

/** Counts as it goes. What happens in one session hangs together: an interval allows for as much of that as the sessions show. */
export class Tally {
  readonly #all: Counted = { hits: 0, n: 0 };
  readonly #sessions = new Map<unknown, Counted>();

  /** @param session anything that stands for it; none where each event is of another */
  add(hit: boolean, session: unknown = Symbol('another')): void {
    this.addAll(Number(hit), 1, session);
  }

  addAll(hits: number, n: number, session: unknown): void {
    const there = this.#sessions.get(session) ?? { hits: 0, n: 0 };
    this.#sessions.set(session, there);
    for (const counted of [this.#all, there]) {
      counted.hits += hits;
      counted.n += n;
    }
  }

  get share(): Share {
    return share(this.#all.hits, this.#all.n, this.#effect());
  }

  /** The design effect of a sample by sessions (Kish): the variance of the ratio over them, against that of single events. */
  #effect(): number {
    const { hits, n } = this.#all;
    const part = hits / n;
    const sessions = this.#sessions.size;
    if (sessions < 2 || hits === 0 || hits === n) return 1; // nothing to see differ
    let squares = 0;
    for (const one of this.#sessions.values()) squares += (one.hits - part * one.n) ** 2;
    const [among, within] = [sessions / (sessions - 1), n / (n - 1)];
    return Math.max(1, (among * squares) / (within * n * part * (1 - part)));
  }
}
