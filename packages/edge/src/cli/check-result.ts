/** What `microturn doctor` says of one thing. */
export interface CheckResult {
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly fix?: string;
}
