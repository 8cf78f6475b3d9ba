import type { SessionEvent } from '@microturn/protocol';

/** About eight minutes of an ordinary call. */
const KEPT = 1024;

/** The latest events of a session, for a client that comes back. Bound: 1024 events, `dropOldest`. */
export class EventJournal {
  readonly #limit: number;
  #events: SessionEvent[];

  constructor(events: readonly SessionEvent[] = [], limit = KEPT) {
    this.#limit = limit;
    this.#events = events.slice(-limit);
  }

  get events(): readonly SessionEvent[] {
    return this.#events;
  }

  push(event: SessionEvent): void {
    this.#events.push(event);
    // In blocks, so that an event costs the same whether or not the journal is full.
    if (this.#events.length >= this.#limit * 2) this.#events = this.#events.slice(-this.#limit);
  }

  /**
   * What a client that has everything up to `seq` has missed.
   * @returns `lostMs` session time of which events are no longer here: at most, since when `seq` was is not known then
   */
  after(seq: number): { readonly missed: readonly SessionEvent[]; readonly lostMs: number } {
    const kept = this.#events.slice(-this.#limit);
    const [oldest] = kept;
    const lostMs = oldest && oldest.seq > seq + 1 ? oldest.at : 0;
    return { missed: kept.filter((event) => event.seq > seq), lostMs };
  }
}
