/** One at a time for each key: what is asked for while another is under way waits for its end. */
export class Turnstile {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Keys with somebody at them: 0 at rest. */
  get size(): number {
    return this.#last.size;
  }

  pass<T>(key: string, step: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(step, step);
    this.#last.set(key, turn);
    const forget = () => {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    };
    turn.then(forget, forget);
    return turn;
  }
}
