/** What one side pushes and the other takes in its own time. Its writer bounds it. */
export class Inbox<T> implements AsyncIterable<T> {
  readonly #items: T[] = [];
  #over: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  push(...items: readonly T[]): void {
    this.#items.push(...items);
    this.#wake?.();
  }

  /** What is there is still taken, and then this is thrown. */
  fail(error: unknown): void {
    this.#over ??= { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, never, undefined> {
    for (;;) {
      while (this.#items.length > 0) yield this.#items.shift()!;
      if (this.#over) throw this.#over.error;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
