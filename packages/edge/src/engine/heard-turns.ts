/** One micro-turn that a row has heard. */
export interface HeardTurn {
  readonly index: number;
  /** As media gave it; the graph may have been told something else. */
  readonly play: number;
  /** What the graph was fed, as `LaneInputs.copyRow` copies it. */
  readonly inputs: Uint8Array;
}

/** Lease, index and play, as doubles. */
const HEAD_BYTES = 24;

/**
 * The last micro-turns of each row, in memory that outlives the thread: a row whose states are lost hears them again. One
 * slot more than are kept, so that a thread that ends while it writes spoils none that counts.
 */
export class HeardTurns {
  readonly #buffer: SharedArrayBuffer;
  readonly #at: number;
  readonly #turns: number;
  readonly #turnBytes: number;
  /** By row: how many were written. */
  readonly #written: Int32Array;

  /** Of `turns` for each of `rows`, each of `turnBytes`. */
  static bytes(rows: number, turns: number, turnBytes: number): number {
    return align(4 * rows) + rows * (turns + 1) * slotBytes(turnBytes);
  }

  /** @param at where in the buffer they are, a multiple of 8 */
  constructor(buffer: SharedArrayBuffer, at: number, rows: number, turns: number, turnBytes: number) {
    this.#buffer = buffer;
    this.#at = at + align(4 * rows);
    this.#turns = turns;
    this.#turnBytes = turnBytes;
    this.#written = new Int32Array(buffer, at, rows);
  }

  /** @param inputs fills in what the graph was fed, [turnBytes] */
  add(
    row: number,
    lease: number,
    { index, play }: Omit<HeardTurn, 'inputs'>,
    inputs: (into: Uint8Array) => void,
  ): void {
    const written = this.#written[row]!;
    const slot = this.#slot(row, written);
    slot.head.set([lease, index, play]);
    inputs(slot.inputs);
    Atomics.store(this.#written, row, written + 1);
  }

  /** What a row heard last under this lease, the oldest first. Their inputs are good until the row hears more. */
  of(row: number, lease: number): HeardTurn[] {
    const written = Atomics.load(this.#written, row);
    const turns: HeardTurn[] = [];
    for (let n = written - 1; n >= Math.max(0, written - this.#turns); n--) {
      const { head, inputs } = this.#slot(row, n);
      if (head[0] !== lease) break;
      turns.unshift({ index: head[1]!, play: head[2]!, inputs });
    }
    return turns;
  }

  #slot(row: number, n: number): { head: Float64Array; inputs: Uint8Array } {
    const slots = this.#turns + 1;
    const at = this.#at + (row * slots + (n % slots)) * slotBytes(this.#turnBytes);
    return {
      head: new Float64Array(this.#buffer, at, HEAD_BYTES / 8),
      inputs: new Uint8Array(this.#buffer, at + HEAD_BYTES, this.#turnBytes),
    };
  }
}

const slotBytes = (turnBytes: number) => align(HEAD_BYTES + turnBytes);

function align(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
