import type { SpeechFrame } from './speech-queue.js';

const FRAME_MS = 20;

/** A run of one response's speech as it was sent. */
export interface SentRun {
  readonly responseId: string;
  /** Monotonic ms at which its sound was due. */
  readonly startMs: number;
  readonly endMs: number;
  /** Where in the response's audio it begins. */
  readonly offsetMs: number;
}

/** Where each response lies on the agent's timeline. Holds the newest runs; policy: dropOldest. */
export class PlayoutMap {
  readonly #limit: number;
  readonly #runs: SentRun[] = [];

  constructor(limit = 256) {
    this.#limit = limit;
  }

  /** Oldest first. */
  get runs(): readonly SentRun[] {
    return this.#runs;
  }

  add(dueMs: number, { responseId, offsetMs, speechMs }: SpeechFrame): void {
    const run = { responseId, startMs: dueMs, endMs: dueMs + speechMs, offsetMs };
    const last = this.#runs.at(-1);
    if (last && last.responseId === responseId && Math.abs(last.endMs - dueMs) < FRAME_MS / 100) {
      this.#runs[this.#runs.length - 1] = { ...last, endMs: run.endMs };
      return;
    }
    this.#runs.push(run);
    if (this.#runs.length > this.#limit) this.#runs.shift();
  }

  /** How much of a response lies before a moment of the timeline; undefined where none of it does. */
  lengthAt(responseId: string, atMs: number): number | undefined {
    for (let i = this.#runs.length - 1; i >= 0; i--) {
      const run = this.#runs[i]!;
      if (run.responseId === responseId && run.startMs <= atMs)
        return run.offsetMs + Math.min(atMs, run.endMs) - run.startMs;
    }
    return undefined;
  }
}
