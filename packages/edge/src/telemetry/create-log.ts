import pino from 'pino';
import { standardError } from './log-sink.js';
import type { Log } from './log.js';

export const logLevels = ['silent', 'error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** JSON lines on standard error, which may be slow to take them. Anything that could be speech or a secret is removed, should it ever get in. */
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
    standardError(),
  );
}
