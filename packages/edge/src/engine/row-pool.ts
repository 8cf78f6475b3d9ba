import { MicroturnError } from '@microturn/protocol';

/** The loan of one row. Works with `using`. */
export class RowLease implements Disposable {
  readonly row: number;
  #giveBack: (() => void) | undefined;
  constructor(row: number, giveBack: () => void) {
    this.row = row;
    this.#giveBack = giveBack;
  }
  /** Giving back twice is harmless. */
  release(): void {
    const giveBack = this.#giveBack;
    this.#giveBack = undefined; // before the call, so a re-entrant release is a no-op
    giveBack?.();
  }
  [Symbol.dispose](): void {
    this.release();
  }
}

/** Lends rows, the lowest free one first: the rows in use share as few lanes as they can. */
export class RowPool {
  readonly #taken: boolean[];
  constructor(rows: number) {
    if (!Number.isInteger(rows) || rows < 1) throw new RangeError(`rows must be a whole number above 0, got ${rows}`);
    this.#taken = Array.from({ length: rows }, () => false);
  }
  get rows(): number {
    return this.#taken.length;
  }
  get free(): number {
    return this.#taken.filter((taken) => !taken).length;
  }
  /**
   * @param prefers of the free rows, one of those for which it is true, where there is one
   * @throws {MicroturnError} `edge/full` where every row is leased
   */
  lease(prefers?: (row: number) => boolean): RowLease {
    const preferred = prefers ? this.#taken.findIndex((taken, row) => !taken && prefers(row)) : -1;
    const row = preferred < 0 ? this.#taken.indexOf(false) : preferred;
    if (row < 0) throw new MicroturnError('edge/full', `${this.rows} of ${this.rows}`);
    this.#taken[row] = true;
    return new RowLease(row, () => {
      this.#taken[row] = false;
    });
  }
}
