import { MicroturnError, type SessionEvent } from '@microturn/protocol';
import { KeptEvents, toKept } from './kept-events.js';
import { elapsedMs, type Stamp } from './stamp.js';
import type { RecordKey, SessionStore, StoreChange, StoredRecord, StoredSession } from './types.js';

export interface MemoryStoreOptions {
  /** Beyond which nothing more is taken; 512 MiB where nothing is given. */
  readonly maxBytes?: number;
}

/** What is to be done for one change, and the bytes that it takes at most. */
interface Step {
  readonly bytes: number;
  make(): void;
}

/**
 * Sessions for as long as this object lives: for an edge that nobody takes over from, for two in one process, for tests.
 * Bound: `maxBytes` as JSON, `reject`: a batch that has no room is refused whole, as by a disk that is full.
 */
export class MemoryStore implements SessionStore {
  readonly durable = false;
  readonly #maxBytes: number;
  readonly #entries = new Map<string, Entry>();

  constructor({ maxBytes = 2 ** 29 }: MemoryStoreOptions = {}) {
    this.#maxBytes = maxBytes;
  }

  write(changes: readonly StoreChange[]): Promise<void> {
    const removed = new Set(changes.flatMap((change) => (change.do === 'remove' ? [change.sessionId] : [])));
    let room = this.#maxBytes;
    for (const [id, { bytes }] of this.#entries) if (!removed.has(id)) room -= bytes;
    const steps: Step[] = [];
    for (const change of changes) {
      const step = this.#prepare(change, removed);
      room -= step.bytes;
      if (step.bytes > 0 && room < 0) {
        return Promise.reject(new MicroturnError('edge/store', `more than its ${this.#maxBytes} bytes`));
      }
      steps.push(step);
    }
    for (const step of steps) step.make();
    return Promise.resolve();
  }

  find(tokenHash: string, now: Stamp): Promise<{ session: StoredSession; events: SessionEvent[] } | undefined> {
    const entry = [...this.#entries.values()].find(({ session }) => session.tokenHash === tokenHash);
    const found = entry && !expired(entry.session, now) ? entry : undefined;
    return Promise.resolve(found && { session: found.session, events: found.events.toEvents() });
  }

  list(sessionId: string, kind: string): Promise<StoredRecord[]> {
    const records = this.#entries.get(sessionId)?.records ?? [];
    return Promise.resolve(records.filter((record) => record.kind === kind).sort((a, b) => (a.id < b.id ? -1 : 1)));
  }

  expire(now: Stamp): Promise<number> {
    const over = [...this.#entries.values()].filter(({ session }) => expired(session, now));
    for (const { session } of over) this.#entries.delete(session.id);
    return Promise.resolve(over.length);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** @param removed sessions that the batch removes */
  #prepare(change: StoreChange, removed: ReadonlySet<string>): Step {
    switch (change.do) {
      case 'save': {
        const { session } = change;
        const { newest = 0 } = removed.has(session.id) ? {} : (this.#entries.get(session.id)?.events ?? {});
        const events = change.events.filter(({ seq }) => seq > newest).map(toKept);
        const sessionBytes = Buffer.byteLength(JSON.stringify(session));
        return {
          bytes: events.reduce((sum, { bytes }) => sum + bytes, sessionBytes),
          make: () => {
            let entry = this.#entries.get(session.id);
            if (!entry) this.#entries.set(session.id, (entry = new Entry(session)));
            entry.session = session;
            entry.sessionBytes = sessionBytes;
            entry.events.append(events);
          },
        };
      }
      case 'remove':
        return { bytes: 0, make: () => void this.#entries.delete(change.sessionId) };
      case 'put': {
        const { record } = change;
        return {
          bytes: Buffer.byteLength(record.json),
          make: () => this.#entries.get(record.sessionId)?.put(record),
        };
      }
      case 'delete':
        return { bytes: 0, make: () => this.#entries.get(change.key.sessionId)?.delete(change.key) };
      default:
        return change satisfies never;
    }
  }
}

/** A session with all that belongs to it. */
class Entry {
  session: StoredSession;
  sessionBytes = 0;
  readonly events = new KeptEvents();
  /** By kind and id. */
  readonly #records = new Map<string, StoredRecord>();
  #recordBytes = 0;

  constructor(session: StoredSession) {
    this.session = session;
  }
  get records(): StoredRecord[] {
    return [...this.#records.values()];
  }
  get bytes(): number {
    return this.sessionBytes + this.events.bytes + this.#recordBytes;
  }

  put(record: StoredRecord): void {
    const before = this.#records.get(keyOf(record));
    if (before && before.revision > record.revision) return;
    this.delete(record);
    this.#records.set(keyOf(record), record);
    this.#recordBytes += Buffer.byteLength(record.json);
  }
  delete(key: RecordKey): void {
    const record = this.#records.get(keyOf(key));
    if (!record) return;
    this.#records.delete(keyOf(key));
    this.#recordBytes -= Buffer.byteLength(record.json);
  }
}

function keyOf({ kind, id }: RecordKey): string {
  return JSON.stringify([kind, id]);
}

export function expired({ savedAt, leaseMs }: Pick<StoredSession, 'savedAt' | 'leaseMs'>, now: Stamp): boolean {
  return elapsedMs(savedAt, now) >= leaseMs;
}
