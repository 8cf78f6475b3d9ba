import { isOpusRate, type OpusRate } from './opus.js';

/** 20 ms of one response. */
export interface SpeechFrame {
  readonly responseId: string;
  /** [rateHz / 50] samples; zeros where the response ends or runs dry inside of it. */
  readonly pcm: Float32Array;
  readonly rateHz: OpusRate;
  /** Where in the response's audio it begins, and how much of it there is here. */
  readonly offsetMs: number;
  readonly speechMs: number;
}

export interface Speech {
  readonly responseId: string;
  readonly pcm: Float32Array;
  readonly rateHz: number;
  readonly last: boolean;
}

/** `refused`: the response was cut or had ended. `full`: it does not fit, and the response ends with what was queued. */
export type SpeechVerdict = 'queued' | 'refused' | 'full';

interface Clause {
  readonly responseId: string;
  readonly pcm: Float32Array;
  readonly rateHz: OpusRate;
  /** Samples of it that were taken. */
  taken: number;
  /** No speech of this response follows. */
  last: boolean;
}

/** Responses that are remembered: those that are over, so that their late speech is refused, and those that never end. */
const REMEMBERED = 256;

/** Speech that waits to be said, clause by clause in order of arrival. Bounded in ms; policy: reject. */
export class SpeechQueue {
  readonly #limitMs: number;
  readonly #over = new Set<string>();
  readonly #offsetMs = new Map<string, number>();
  #clauses: Clause[] = [];
  #lengthMs = 0;

  constructor(limitMs = 60_000) {
    this.#limitMs = limitMs;
  }

  /** Of speech that waits. */
  get lengthMs(): number {
    return this.#lengthMs;
  }

  /** Whether there is a frame to take without padding it, or no more to wait for. */
  get ready(): boolean {
    const first = this.#clauses[0];
    if (!first) return false;
    let samples = 0;
    for (const clause of this.#clauses) {
      // Speech of another response, or at another rate, starts a frame of its own.
      if (!continues(first, clause)) return samples > 0;
      samples += clause.pcm.length - clause.taken;
      if (clause.last || samples >= first.rateHz / 50) return samples > 0;
    }
    return false;
  }

  get empty(): boolean {
    return this.#clauses.length === 0;
  }

  push({ responseId, pcm, rateHz, last }: Speech): SpeechVerdict {
    if (!isOpusRate(rateHz)) throw new RangeError(`speech must come at a rate that Opus codes, got ${rateHz} Hz`);
    if (this.#over.has(responseId)) return 'refused';
    const lengthMs = (pcm.length * 1000) / rateHz;
    const full = this.#lengthMs + lengthMs > this.#limitMs;
    if (!this.#offsetMs.has(responseId)) this.#offsetMs.set(responseId, 0);
    dropOldest(this.#offsetMs);
    if (full || last) this.#remember(responseId);
    else if (pcm.length === 0) return 'queued';
    this.#clauses.push({ responseId, pcm: full ? new Float32Array(0) : pcm, rateHz, taken: 0, last: full || last });
    if (!full) this.#lengthMs += lengthMs;
    return full ? 'full' : 'queued';
  }

  /** The next frame: padded where there is not enough for a whole one. Undefined where nothing waits. */
  take(): SpeechFrame | undefined {
    this.#dropEmpty();
    const first = this.#clauses[0];
    if (!first || first.taken === first.pcm.length) return undefined;
    const { responseId, rateHz } = first;
    const pcm = new Float32Array(rateHz / 50);
    let filled = 0;
    while (filled < pcm.length) {
      const clause = this.#clauses[0];
      if (!clause || !continues(first, clause)) break;
      const part = clause.pcm.subarray(clause.taken, clause.taken + pcm.length - filled);
      pcm.set(part, filled);
      filled += part.length;
      clause.taken += part.length;
      if (clause.taken < clause.pcm.length || clause.last) break;
      this.#clauses.shift();
    }
    const speechMs = (filled * 1000) / rateHz;
    const offsetMs = this.#offsetMs.get(responseId) ?? 0;
    this.#offsetMs.set(responseId, offsetMs + speechMs);
    this.#lengthMs = this.#clauses.length === 0 ? 0 : this.#lengthMs - speechMs;
    return { responseId, pcm, rateHz, offsetMs, speechMs };
  }

  /** The response at the head whose last sample was taken, and its length. It leaves the queue. */
  takeEnded(): { responseId: string; lengthMs: number } | undefined {
    this.#dropEmpty();
    const first = this.#clauses[0];
    if (!first?.last || first.taken < first.pcm.length) return undefined;
    this.#clauses.shift();
    const lengthMs = this.#offsetMs.get(first.responseId) ?? 0;
    this.#offsetMs.delete(first.responseId);
    return { responseId: first.responseId, lengthMs };
  }

  /** Flushes a response wherever it waits, and refuses it from now on. Returns how much of it was taken, ms. */
  cut(responseId: string): number {
    const takenMs = this.#offsetMs.get(responseId) ?? 0;
    this.#offsetMs.delete(responseId);
    this.#remember(responseId);
    this.#clauses = this.#clauses.filter((clause) => clause.responseId !== responseId);
    this.#lengthMs = this.#clauses.reduce(
      (ms, clause) => ms + ((clause.pcm.length - clause.taken) * 1000) / clause.rateHz,
      0,
    );
    return takenMs;
  }

  /** Clauses that hold nothing and end nothing. */
  #dropEmpty(): void {
    for (
      let first = this.#clauses[0];
      first && !first.last && first.taken === first.pcm.length;
      first = this.#clauses[0]
    ) {
      this.#clauses.shift();
    }
  }

  #remember(responseId: string): void {
    this.#over.add(responseId);
    dropOldest(this.#over);
  }
}

function dropOldest(memory: Set<string> | Map<string, unknown>): void {
  for (const oldest of memory.keys()) {
    if (memory.size <= REMEMBERED) return;
    memory.delete(oldest);
  }
}

function continues(first: Clause, clause: Clause): boolean {
  return clause.responseId === first.responseId && clause.rateHz === first.rateHz;
}
