/** What a process that carries sessions is asked for, and answers. */
export type DensityRequest =
  /** Adds rows until there are so many. */
  { readonly do: 'grow'; readonly rows: number } | { readonly do: 'measure'; readonly ms: number };

export interface DensityReport {
  readonly turns: number;
  /** Decided more than one micro-turn after they ended. */
  readonly late: number;
  readonly lagP99Ms: number;
  /** CPU time of the process meanwhile, ms. */
  readonly cpuMs: number;
}
