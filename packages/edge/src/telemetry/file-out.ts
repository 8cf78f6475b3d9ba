import { write, writeSync } from 'node:fs';

/** After a write that failed: a disk that is full may have room by then. */
const RETRY_MS = 250;

/**
 * Writes a file on another thread, one write at a time. What it does not take waits, and is tried again; at the end of the process
 * once and no more, which is why this is not pino's own: on a full disk that one tries for ever then.
 */
export class FileOut {
  readonly #fd: number;
  /** Oldest first. */
  #waiting: Buffer[] = [];
  #length = 0;
  /** The first of them is being written. */
  #writing = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(fd: number) {
    this.#fd = fd;
    process.once('exit', () => this.#writeLast());
  }

  /** Bytes that are not written yet. */
  get writableLength(): number {
    return this.#length;
  }

  write(text: string): void {
    const bytes = Buffer.from(text);
    this.#waiting.push(bytes);
    this.#length += bytes.length;
    this.#writeOn();
  }

  #writeOn(): void {
    if (this.#writing || this.#retry || this.#length === 0) return;
    this.#writing = true;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [bytes];
    write(this.#fd, bytes, (error, written) => {
      this.#writing = false;
      if (error) {
        this.#retry = setTimeout(() => {
          this.#retry = undefined;
          this.#writeOn();
        }, RETRY_MS).unref();
        return;
      }
      this.#waiting[0] = bytes.subarray(written);
      this.#length -= written;
      this.#writeOn();
    });
  }

  #writeLast(): void {
    // What is being written is on its way.
    let left = Buffer.concat(this.#writing ? this.#waiting.slice(1) : this.#waiting);
    try {
      while (left.length > 0) left = left.subarray(writeSync(this.#fd, left));
    } catch {
      // There is nobody left to tell.
    }
  }
}
