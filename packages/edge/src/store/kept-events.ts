import type { SessionEvent } from '@microturn/protocol';
import { KEPT_BYTES, KEPT_EVENTS, KEPT_HISTORY, TRIMMED_BYTES, isHistory } from './types.js';

/** An event as it is kept. */
export interface KeptEvent {
  readonly seq: number;
  readonly history: boolean;
  readonly json: string;
  /** Of `json`. */
  readonly bytes: number;
}

export function toKept(event: SessionEvent): KeptEvent {
  const json = JSON.stringify(event);
  return { seq: event.seq, history: isHistory(event), json, bytes: Buffer.byteLength(json) };
}

/** Older events go once in as many, so that each costs the same however many there are. */
const PRUNE_EVERY = 64;

/** The events of one session in memory: the newest, and of the older ones the newest that are history; no more than `KEPT_BYTES`. */
export class KeptEvents {
  readonly #history: KeptEvent[] = [];
  readonly #recent: KeptEvent[] = [];
  #newest = 0;
  #bytes = 0;

  /** `seq` of the last; 0 where there is none. */
  get newest(): number {
    return this.#newest;
  }
  get bytes(): number {
    return this.#bytes;
  }

  /** By `seq`. What is not newer than what is here was here before. */
  append(events: readonly KeptEvent[]): void {
    for (const event of events) {
      if (event.seq <= this.#newest) continue;
      this.#newest = event.seq;
      this.#recent.push(event);
      this.#bytes += event.bytes;
    }
    if (this.#recent.length >= KEPT_EVENTS + PRUNE_EVERY) this.#prune();
    if (this.#bytes > KEPT_BYTES) this.#trim();
  }

  toEvents(): SessionEvent[] {
    return [...this.#history, ...this.#recent].map(({ json }) => JSON.parse(json) as SessionEvent);
  }

  #prune(): void {
    for (const event of this.#recent.splice(0, this.#recent.length - KEPT_EVENTS)) {
      if (event.history) this.#history.push(event);
      else this.#bytes -= event.bytes;
    }
    const tooMany = Math.max(0, this.#history.length - KEPT_HISTORY);
    for (const { bytes } of this.#history.splice(0, tooMany)) this.#bytes -= bytes;
  }

  #trim(): void {
    for (const events of [this.#history, this.#recent]) {
      let over = 0;
      for (; this.#bytes > TRIMMED_BYTES && over < events.length; over++) this.#bytes -= events[over]!.bytes;
      events.splice(0, over);
    }
  }
}
