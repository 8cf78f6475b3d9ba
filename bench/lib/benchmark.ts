import type { ProviderChoice } from '../../packages/edge/src/engine/types.js';

/** USD. */
export interface Prices {
  /** A million tokens, in and out. */
  readonly tokensIn: number;
  readonly tokensOut: number;
  /** A minute of sound that is transcribed. */
  readonly transcribedMinute: number;
  /** A million characters that are spoken. */
  readonly chars: number;
}

/** One published number. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: 'ms' | 's' | 'µs' | 'kB' | 'MB' | 'sessions' | 'ratio' | 'share' | 'count' | 'USD';
  /** What the value is to be held against: something that ran in the same run, or a limit. Never nothing. */
  readonly baseline: { readonly name: string; readonly value: number };
  /** Of the first landings; absent where none was set. */
  readonly budget?: number;
  /** False where more is better. */
  readonly lowerIsBetter?: boolean;
  readonly conditions: Conditions;
}

/** `n` is how many observations the value is made of. */
export type Conditions = { readonly n: number } & Readonly<Record<string, unknown>>;

export interface Context {
  /** Fewer trials: to see that it works, not to publish. */
  readonly quick: boolean;
  /** Where a benchmark runs a model that could run elsewhere. */
  readonly provider: ProviderChoice;
  /** The folder of the bundle whose floor is measured. */
  readonly bundle: string;
  /** In virtual time, where a benchmark knows how. */
  readonly virtual: boolean;
  /** What the LLM of any-llm takes to its first token, where it is not as fast as the benchmark says itself. */
  readonly llmMs?: number;
  /** What any-llm reckons with, where it is not what it says itself. */
  readonly prices?: Prices;
  /** How long churn goes on, where it is not as long as it says itself. */
  readonly minutes?: number;
  /** Tells a person how far it is. */
  note(text: string): void;
}

/** One script of this folder. */
export interface Benchmark {
  readonly name: string;
  /** One line for `--list`. */
  readonly about: string;
  run(context: Context): Promise<readonly Figure[]>;
}
