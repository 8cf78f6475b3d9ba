import pino from 'pino';
import type { Log } from './log.js';

export const logLevels = ['silent', 'error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** JSON lines on standard error. Anything that could be speech or a secret is removed, should it ever get in. */
export function createLog(level: LogLevel): Log {
  return pino(
    {
      level,
      base: null,
      redact: {
        paths: ['text', 'token', 'secret', 'identity', 'participant', '*.text', '*.token', '*.secret'],
        censor: '[removed]',
      },
    },
    pino.destination({ fd: 2, sync: false }),
  );
}
