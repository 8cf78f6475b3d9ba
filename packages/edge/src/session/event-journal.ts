import type { SessionEvent } from '@microturn/protocol';

/**
 * About eight minutes of an ordinary call; and of one whose page is drawn again and again, half of what a client may leave
 * unread on its socket before it is cut off: what it missed is sent at once when it comes back.
 */
const KEPT = { events: 1024, bytes: 512 * 1024 };

interface Entry {
  readonly event: SessionEvent;
  /** As it is sent. */
  readonly bytes: number;
}

/** The latest events of a session, for a client that comes back. Bound: 1024 events, of 512 KiB as JSON, `dropOldest`. */
export class EventJournal {
  readonly #limit: { readonly events: number; readonly bytes: number };
  readonly #entries: Entry[] = [];
  #bytes = 0;

  constructor(events: readonly SessionEvent[] = [], limit: Partial<typeof KEPT> = {}) {
    this.#limit = { ...KEPT, ...limit };
    for (const event of events) this.push(event);
  }

  /** @returns it as JSON */
  push(event: SessionEvent): string {
    const json = JSON.stringify(event);
    const bytes = Buffer.byteLength(json);
    this.#entries.push({ event, bytes });
    this.#bytes += bytes;
    while (this.#entries.length > 1 && this.#isFull) this.#bytes -= this.#entries.shift()!.bytes;
    return json;
  }

  /**
   * What a client that has everything up to `seq` has missed.
   * @returns `lostMs` session time of which events are no longer here: at most, since when `seq` was is not known then
   */
  after(seq: number): { readonly missed: readonly SessionEvent[]; readonly lostMs: number } {
    const oldest = this.#entries[0]?.event;
    const lostMs = oldest && oldest.seq > seq + 1 ? oldest.at : 0;
    // The newest are asked for several times a second, to be saved.
    let from = this.#entries.length;
    while (from > 0 && this.#entries[from - 1]!.event.seq > seq) from--;
    return { missed: this.#entries.slice(from).map(({ event }) => event), lostMs };
  }

  get #isFull(): boolean {
    return this.#entries.length > this.#limit.events || this.#bytes > this.#limit.bytes;
  }
}
