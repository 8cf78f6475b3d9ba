import type { SeededRandom } from '../support/random.js';

export interface Target {
  readonly name: string;
  /** Returns where the input is handled as it should be, refused or taken; throws where a bug was found. */
  run(input: Uint8Array): void;
  mutate(input: Uint8Array, others: readonly Uint8Array[], random: SeededRandom): Uint8Array;
}

export interface FuzzerParts {
  readonly target: Target;
  /** Inputs to begin with, at least one. */
  readonly corpus: readonly Uint8Array[];
  readonly random: SeededRandom;
  /** Names of the blocks of code that have run since the last call. */
  takeCoverage(): ReadonlySet<string>;
  /** Called before each run: what is written here is known where a run never ends or takes the process along. */
  note(input: Uint8Array): void;
  /** CPU time that this process has taken. */
  cpuMs(): number;
}

export interface Finding {
  readonly input: Uint8Array;
  readonly error: Error;
}

export interface FuzzReport {
  readonly runs: number;
  /** Blocks of code that were reached. */
  readonly blocks: number;
  /** Inputs that reached code which none before them did. */
  readonly kept: readonly Uint8Array[];
  readonly slowestMs: number;
  readonly finding: Finding | undefined;
}

/** A run that takes longer is a finding, where it does so again and again: once, it may be the collector's. */
export const HANG_MS = 50;
const TRIES = 3;
/** Runs between two looks at the coverage: a look costs as much as hundreds of runs. */
const BATCH = 256;

/** Mutates inputs, keeps those that reach new code, and stops at the first that the target throws at. */
export class Fuzzer {
  readonly #parts: FuzzerParts;
  readonly #corpus: Uint8Array[];
  readonly #kept: Uint8Array[] = [];
  readonly #covered = new Set<string>();
  #runs = 0;
  #slowestMs = 0;

  constructor(parts: FuzzerParts) {
    if (parts.corpus.length === 0) throw new RangeError('expected at least one input to begin with');
    this.#parts = parts;
    this.#corpus = [...parts.corpus];
  }

  /** Until something is found or `over` says so. */
  run(over: () => boolean): FuzzReport {
    const { takeCoverage, target, random } = this.#parts;
    let finding = this.#firstFinding(this.#corpus);
    for (const block of takeCoverage()) this.#covered.add(block);
    while (!finding && !over()) {
      const batch = Array.from({ length: BATCH }, () => target.mutate(random.pick(this.#corpus), this.#corpus, random));
      finding = this.#firstFinding(batch);
      const fresh = [...takeCoverage()].filter((block) => !this.#covered.has(block));
      if (!finding && fresh.length > 0) this.#keep(batch, fresh);
    }
    return {
      runs: this.#runs,
      blocks: this.#covered.size,
      kept: this.#kept,
      slowestMs: this.#slowestMs,
      finding: finding && { ...finding, input: this.#minimise(finding) },
    };
  }

  /** Finds the input of a batch that reached what is new, by halves, and begins with it as well from now on. */
  #keep(batch: readonly Uint8Array[], fresh: readonly string[]): void {
    const { takeCoverage } = this.#parts;
    let suspects = batch;
    while (suspects.length > 1) {
      const half = suspects.slice(0, suspects.length / 2);
      this.#firstFinding(half);
      const covered = takeCoverage();
      suspects = fresh.some((block) => covered.has(block)) ? half : suspects.slice(half.length);
    }
    for (const block of fresh) this.#covered.add(block);
    this.#kept.push(...suspects);
    this.#corpus.push(...suspects);
  }

  #firstFinding(inputs: readonly Uint8Array[]): Finding | undefined {
    for (const input of inputs) {
      const error = this.#try(input);
      if (error) return { input, error };
    }
    return undefined;
  }

  #try(input: Uint8Array): Error | undefined {
    const { target, note, cpuMs } = this.#parts;
    note(input);
    this.#runs++;
    let fastestMs = Infinity;
    for (let left = TRIES; left > 0 && fastestMs > HANG_MS; left--) {
      const startMs = cpuMs();
      try {
        target.run(input);
      } catch (error) {
        return error instanceof Error ? error : new Error(String(error));
      }
      fastestMs = Math.min(fastestMs, cpuMs() - startMs);
    }
    this.#slowestMs = Math.max(this.#slowestMs, fastestMs);
    return fastestMs > HANG_MS ? new Error(`took ${Math.round(fastestMs)} ms`) : undefined;
  }

  /** Takes away what the finding does not need, in ever smaller pieces. */
  #minimise({ input, error }: Finding): Uint8Array {
    let smallest = input;
    for (let piece = Math.ceil(input.length / 2); piece >= 1; piece = piece === 1 ? 0 : Math.ceil(piece / 2)) {
      for (let at = 0; at < smallest.length;) {
        const without = Uint8Array.from([...smallest.subarray(0, at), ...smallest.subarray(at + piece)]);
        // Another failure is another finding.
        if (this.#try(without)?.message === error.message) smallest = without;
        else at += piece;
      }
    }
    return smallest;
  }
}
