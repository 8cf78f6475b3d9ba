/**
 * Lets one pass in each turn of the event loop; the others wait for the next ones, first come first served. To begin a task
 * copies a conversation, and may encode a clip: fifty that begin at once would hold main up for as long as all of them take,
 * and so get in between everything else that main has to do.
 *
 * What waits is bounded by those who pass: for tasks, by how many each session may run at once.
 */
export class Turnstile {
  readonly #nextTurn: (fn: () => void) => void;
  readonly #waiting: (() => void)[] = [];
  #taken = false;

  constructor(nextTurn: (fn: () => void) => void = setImmediate) {
    this.#nextTurn = nextTurn;
  }

  /** Resolves when it is the caller's turn. */
  pass(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#taken) this.#next();
    });
  }

  #next(): void {
    const pass = this.#waiting.shift();
    this.#taken = pass !== undefined;
    if (!pass) return;
    pass();
    this.#nextTurn(() => this.#next());
  }
}
