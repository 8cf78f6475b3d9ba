import { MicroturnError } from '@microturn/protocol';
import type { ChatUsage } from './types.js';

export interface BudgetLimits {
  readonly tokens?: number | undefined;
  /** In the currency of the prices. What has no price costs nothing here. */
  readonly cost?: number | undefined;
}

/** What may be spent, and what was. One for each session; requests that run at once share it. */
export class Budget {
  readonly #limits: BudgetLimits;
  #tokensIn: number;
  #tokensOut: number;
  #cost: number;

  constructor(limits: BudgetLimits = {}, spent = { tokensIn: 0, tokensOut: 0, cost: 0 }) {
    this.#limits = limits;
    this.#tokensIn = spent.tokensIn;
    this.#tokensOut = spent.tokensOut;
    this.#cost = spent.cost;
  }

  get spent(): { readonly tokensIn: number; readonly tokensOut: number; readonly cost: number } {
    return { tokensIn: this.#tokensIn, tokensOut: this.#tokensOut, cost: this.#cost };
  }

  /** Tokens that may still be used: what an answer is bounded by. */
  get tokensLeft(): number {
    return (this.#limits.tokens ?? Infinity) - this.#tokensIn - this.#tokensOut;
  }

  /** @throws {MicroturnError} `llm/budget` where nothing is left */
  assertLeft(): void {
    const { tokens, cost } = this.#limits;
    if (this.tokensLeft <= 0) throw new MicroturnError('llm/budget', `${String(tokens)} tokens`);
    if (cost !== undefined && this.#cost >= cost) throw new MicroturnError('llm/budget', `a cost of ${cost}`);
  }

  spend({ tokensIn, tokensOut, cost = 0 }: Omit<ChatUsage, 'estimated'>): void {
    this.#tokensIn += tokensIn;
    this.#tokensOut += tokensOut;
    this.#cost += cost;
  }
}
