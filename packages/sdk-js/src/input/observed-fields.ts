import type { Clock } from '../clock.js';
import type { TransportLink } from '../connection/transport.js';
import { observeInput, type ObservedField, type ObserveInputOptions, type TypedField } from './observe-input.js';

/** Fields whose drafts are taken back where they went while the link was lost; of more, those that were typed into first are left. */
const MOST_DRAFTS = 64;

/** The fields of a page that the agent reads along in, and what the edge was told of each. */
export class ObservedFields {
  readonly #link: () => TransportLink | undefined;
  readonly #clock: Clock;
  readonly #fields = new Set<ObservedField>();
  /** Names of fields that the edge was told of over this link: in its mind something may stand in them. */
  #drafts = new Set<string>();

  constructor(link: () => TransportLink | undefined, clock: Clock) {
    this.#link = link;
    this.#clock = clock;
  }

  /** @returns ends it */
  observe(element: TypedField, options: ObserveInputOptions): () => void {
    const field = observeInput(element, options, (name, text) => this.#tell(name, text), this.#clock);
    this.#fields.add(field);
    return () => {
      if (this.#fields.delete(field)) field.stop();
    };
  }

  /** Over a link that is new. The edge remembers what it was told over the one before, whatever became of it meanwhile. */
  tellAgain(link: TransportLink): void {
    const before = this.#drafts;
    this.#drafts = new Set();
    for (const field of this.#fields) field.tellAgain();
    for (const field of before)
      if (!this.#drafts.has(field)) link.notify({ type: 'typing', field, text: '', sent: false });
  }

  /** What was being typed is a message now: nobody is to be told that it still stands in its field. */
  sent(message: string): void {
    for (const field of this.#fields) field.sent(message);
  }

  /** The edge of a new call was told of nothing. */
  startOver(): void {
    this.#drafts.clear();
  }

  /** Ends all of it, and tells that they stand empty, while there is somebody to tell. */
  close(): void {
    for (const field of this.#fields) field.stop();
    this.#fields.clear();
  }

  #tell(field: string, text: string): void {
    const link = this.#link();
    if (!link) return;
    this.#drafts.delete(field);
    this.#drafts.add(field);
    for (const oldest of this.#drafts) if (this.#drafts.size > MOST_DRAFTS) this.#drafts.delete(oldest);
    link.notify({ type: 'typing', field, text, sent: false });
  }
}
