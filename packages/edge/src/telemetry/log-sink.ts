import { fstatSync } from 'node:fs';
import type { DestinationStream } from 'pino';
import { FileOut } from './file-out.js';

/** Of lines that wait for their reader. Policy: dropNewest. */
const WAITING_BYTES = 1024 * 1024;
const STANDARD_ERROR = 2;
/** As pino counts levels. */
const WARN = 40;

export interface LogOut {
  readonly writableLength: number;
  write(text: string): unknown;
}

/** Takes lines for a reader that may be slow, or gone, and never waits for it: what is too much is dropped, and counted. */
export class LogSink implements DestinationStream {
  readonly #out: LogOut;
  readonly #wallMs: () => number;
  #dropped = 0;

  constructor(out: LogOut, wallMs: () => number = Date.now) {
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
        msg: 'the log was not taken, and lines were dropped',
      };
      this.#dropped = 0;
      this.#out.write(`${JSON.stringify(told)}\n`);
    }
    this.#out.write(line);
  }
}

let standard: DestinationStream | undefined;

/**
 * Standard error, for a log: one for the whole process. A pipe is written as far as it takes something, without blocking; a file
 * or a terminal is written on another thread. A reader that is gone, or a disk that is full, costs lines and never a call.
 */
export function standardError(): DestinationStream {
  return (standard ??= new LogSink(openStandardError()));
}

function openStandardError(): LogOut {
  const kind = fstatSync(STANDARD_ERROR);
  if (!kind.isFIFO() && !kind.isSocket()) return new FileOut(STANDARD_ERROR);
  // Without a listener, the first line after its reader has gone would end the process.
  return process.stderr.on('error', () => {});
}
