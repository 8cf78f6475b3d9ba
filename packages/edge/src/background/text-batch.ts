/** Tokens come faster than anybody reads them, and nothing is said but once in a micro-turn: what comes within this is passed on as one. */
const BATCH_MS = 200;

/** Gathers the tokens of one run, so that a fast model does not fill the session's journal with single words. */
export class TextBatch {
  readonly #after: (ms: number, fn: () => void) => () => void;
  readonly #onText: (text: string) => void;
  #text = '';
  #cancel: (() => void) | undefined;

  constructor(after: (ms: number, fn: () => void) => () => void, onText: (text: string) => void) {
    this.#after = after;
    this.#onText = onText;
  }

  push(text: string): void {
    this.#text += text;
    this.#cancel ??= this.#after(BATCH_MS, () => this.flush());
  }

  /** Passes on what there is: before anything that follows it. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const text = this.#text;
    this.#text = '';
    if (text !== '') this.#onText(text);
  }

  /** Nobody wants it any more. */
  drop(): void {
    this.#text = '';
    this.flush();
  }
}
