import type { Clock } from '../clock.js';
import type { AnswerPart, ModelReport } from './messages.js';

/** Between two parcels. The first word after a pause leaves at once; nobody hears 25 ms of the others. */
const EVERY_MS = 25;

export interface AnswerOutboxParts {
  readonly clock: Clock;
  readonly after: (ms: number, fn: () => void) => () => void;
  readonly post: (parcel: ModelReport & { type: 'parcel' }) => void;
}

/**
 * What the answers of all models bring, on its way to main: in few parcels, so that fifty streams wake main no more often
 * than one. The next leaves only when main has read the last: where it is busy, parcels grow instead of a queue. What
 * waits here is bounded by what the answers under way may have, since each is cut at its bound.
 */
export class AnswerOutbox {
  readonly #parts: AnswerOutboxParts;
  readonly #answers = new Map<number, AnswerPart[]>();
  #unread = false;
  #sentAtMs = -Infinity;
  #cancel: (() => void) | undefined;

  constructor(parts: AnswerOutboxParts) {
    this.#parts = parts;
  }

  push(id: number, part: AnswerPart): void {
    const parts = this.#answers.get(id);
    const last = parts?.at(-1);
    if (!parts) this.#answers.set(id, [part]);
    else if (last?.type === 'text' && part.type === 'text')
      parts[parts.length - 1] = { type: 'text', text: last.text + part.text };
    else parts.push(part);
    this.#schedule();
  }

  /** Nobody waits for it any more. */
  drop(id: number): void {
    this.#answers.delete(id);
  }

  /** Main has read the last parcel. */
  onRead(): void {
    this.#unread = false;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#unread || this.#cancel || this.#answers.size === 0) return;
    const waitMs = this.#sentAtMs + EVERY_MS - this.#parts.clock.now();
    if (waitMs <= 0) this.#send();
    else this.#cancel = this.#parts.after(waitMs, () => this.#send());
  }

  #send(): void {
    this.#cancel = undefined;
    if (this.#answers.size === 0) return;
    this.#unread = true;
    this.#sentAtMs = this.#parts.clock.now();
    const answers = [...this.#answers];
    this.#answers.clear();
    this.#parts.post({ type: 'parcel', answers });
  }
}
