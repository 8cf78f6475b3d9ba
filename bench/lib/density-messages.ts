/** What a process that carries sessions is asked for, and answers. */
export type DensityRequest =
  /** So many rows have micro-turns from now on, and the others none. */
  { readonly do: 'carry'; readonly rows: number } | { readonly do: 'measure'; readonly ms: number };

export interface DensityReport {
  readonly turns: number;
  /** Decided more than one micro-turn after they ended. */
  readonly late: number;
  readonly lagP99Ms: number;
  /** CPU time of the process meanwhile, ms. */
  readonly cpuMs: number;
}
