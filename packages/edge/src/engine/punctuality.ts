import { RecentSamples } from './recent-samples.js';
import type { EngineStats } from './types.js';

/** How a model has kept up with its micro-turns, of `microTurnMs` each. */
export class Punctuality {
  dropped = 0;
  muted = 0;
  readonly #microTurnMs: number;
  #steps = 0;
  #late = 0;
  readonly #stepMs = new RecentSamples();
  readonly #lagMs = new RecentSamples();

  constructor(microTurnMs: number) {
    this.#microTurnMs = microTurnMs;
  }

  step(ms: number): void {
    this.#steps++;
    this.#stepMs.add(ms);
  }

  /** @returns what it was given */
  lag(ms: number): number {
    this.#lagMs.add(ms);
    if (ms > this.#microTurnMs) this.#late++;
    return ms;
  }

  get stats(): Omit<EngineStats, 'leases'> {
    return {
      steps: this.#steps,
      late: this.#late,
      dropped: this.dropped,
      muted: this.muted,
      stepP50Ms: this.#stepMs.percentile(0.5),
      stepP99Ms: this.#stepMs.percentile(0.99),
      lagP50Ms: this.#lagMs.percentile(0.5),
      lagP99Ms: this.#lagMs.percentile(0.99),
    };
  }
}
