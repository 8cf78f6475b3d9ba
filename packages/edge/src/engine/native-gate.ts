const INSIDE = 1;
const ENDED = 2;

/** Makes a call into ONNX Runtime, and says so to whoever must not end this thread meanwhile. */
export type NativeCall = <T>(call: () => Promise<T>) => Promise<T>;

export const ungated: NativeCall = (call) => call();

/**
 * Whether an engine thread is inside ONNX Runtime. What ends a thread there aborts the process: the addon throws when its call
 * comes back to an environment that is gone. So a thread is ended outside only, and ends itself when it comes out and was to end.
 */
export class NativeGate {
  readonly buffer: SharedArrayBuffer;
  readonly #word: Int32Array;

  constructor(buffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#word = new Int32Array(buffer);
  }

  get inside(): boolean {
    return (Atomics.load(this.#word, 0) & INSIDE) !== 0;
  }

  /** It was to end, and is inside still. */
  get left(): boolean {
    return Atomics.load(this.#word, 0) === (INSIDE | ENDED);
  }

  /** For the thread, which makes one call at a time. Its promise does not settle where the thread was to end. */
  readonly pass: NativeCall = async (call) => {
    if ((Atomics.or(this.#word, 0, INSIDE) & ENDED) !== 0) process.exit();
    try {
      return await call();
    } finally {
      if ((Atomics.and(this.#word, 0, ~INSIDE) & ENDED) !== 0) process.exit();
    }
  };

  /** For main. @returns false where the thread is inside, and ends by itself once it comes out */
  end(): boolean {
    return (Atomics.or(this.#word, 0, ENDED) & INSIDE) === 0;
  }
}
