import { fstatSync } from 'node:fs';
import type { Writable } from 'node:stream';
import pino, { type DestinationStream } from 'pino';

/** Of lines that wait for their reader. Policy: dropNewest. */
const WAITING_BYTES = 1024 * 1024;
const STANDARD_ERROR = 2;
/** As pino counts levels. */
const WARN = 40;

/** Takes lines for a reader that may be slow, or gone, and never waits for it: what is too much is dropped, and counted. */
export class LogSink implements DestinationStream {
  readonly #out: Pick<Writable, 'write' | 'writableLength'>;
  readonly #wallMs: () => number;
  #dropped = 0;

  constructor(out: Pick<Writable, 'write' | 'writableLength'>, wallMs: () => number = Date.now) {
    this.#out = out;
    this.#wallMs = wallMs;
  }

  write(line: string): void {
    if (this.#out.writableLength + line.length > WAITING_BYTES) {
      this.#dropped++;
      return;
    }
    if (this.#dropped > 0) {
      const told = {
        level: WARN,
        time: this.#wallMs(),
        dropped: this.#dropped,
        msg: 'the log was not read, and lines were dropped',
      };
      this.#dropped = 0;
      this.#out.write(`${JSON.stringify(told)}\n`);
    }
    this.#out.write(line);
  }
}

/**
 * Standard error, for a log. A pipe is written as far as it takes something, without blocking; pino's own way has a write
 * that its reader does not take keep the process from ending. A file or a terminal is written on another thread.
 */
export function standardError(): DestinationStream {
  const kind = fstatSync(STANDARD_ERROR);
  if (kind.isFIFO() || kind.isSocket()) return new LogSink(process.stderr);
  return pino.destination({ fd: STANDARD_ERROR, sync: false, maxLength: WAITING_BYTES });
}
