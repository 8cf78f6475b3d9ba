/**
 * What the edge needs of a logger. `error` gave up, `warn` recovered, `info` once per lifecycle change, `debug` the rest;
 * nothing per packet, and never what was said or by whom. pino satisfies it.
 */
export interface Log {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

export const silentLog: Log = { error() {}, warn() {}, info() {}, debug() {} };
