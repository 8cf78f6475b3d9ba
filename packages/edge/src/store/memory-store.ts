import type { SessionEvent } from '@microturn/protocol';
import { elapsedMs, type Stamp } from './stamp.js';
import {
  KEPT_EVENTS,
  KEPT_HISTORY,
  isHistory,
  type SessionStore,
  type StoreChange,
  type StoredRecord,
  type StoredSession,
} from './types.js';

interface Entry {
  session: StoredSession;
  events: SessionEvent[];
  /** By kind and id. */
  readonly records: Map<string, StoredRecord>;
}

/** Sessions for as long as this object lives: for an edge that nobody takes over from, for two in one process, for tests. */
export class MemoryStore implements SessionStore {
  readonly durable = false;
  readonly #entries = new Map<string, Entry>();

  write(changes: readonly StoreChange[]): Promise<void> {
    for (const change of changes) this.#make(change);
    return Promise.resolve();
  }

  find(tokenHash: string, now: Stamp): Promise<{ session: StoredSession; events: SessionEvent[] } | undefined> {
    const entry = [...this.#entries.values()].find(({ session }) => session.tokenHash === tokenHash);
    const found = entry && !expired(entry.session, now) ? entry : undefined;
    return Promise.resolve(found && { session: found.session, events: [...found.events] });
  }

  list(sessionId: string, kind: string): Promise<StoredRecord[]> {
    const records = [...(this.#entries.get(sessionId)?.records.values() ?? [])];
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

  #make(change: StoreChange): void {
    switch (change.do) {
      case 'save': {
        const { session, events } = change;
        const before = this.#entries.get(session.id);
        this.#entries.set(session.id, {
          session,
          events: kept([...(before?.events ?? []), ...events]),
          records: before?.records ?? new Map<string, StoredRecord>(),
        });
        return;
      }
      case 'remove':
        this.#entries.delete(change.sessionId);
        return;
      case 'put': {
        const { record } = change;
        const records = this.#entries.get(record.sessionId)?.records;
        const key = JSON.stringify([record.kind, record.id]);
        if ((records?.get(key)?.revision ?? -Infinity) <= record.revision) records?.set(key, record);
        return;
      }
      case 'delete': {
        const { sessionId, kind, id } = change.key;
        this.#entries.get(sessionId)?.records.delete(JSON.stringify([kind, id]));
        return;
      }
      default:
        change satisfies never;
    }
  }
}

export function expired({ savedAt, leaseMs }: Pick<StoredSession, 'savedAt' | 'leaseMs'>, now: Stamp): boolean {
  return elapsedMs(savedAt, now) >= leaseMs;
}

/** By `seq`, each once. */
function kept(events: readonly SessionEvent[]): SessionEvent[] {
  const bySeq = [...new Map(events.map((event) => [event.seq, event])).values()].sort((a, b) => a.seq - b.seq);
  const newest = bySeq.at(-1)?.seq ?? 0;
  const recent = bySeq.filter(({ seq }) => seq > newest - KEPT_EVENTS);
  const history = bySeq.filter((event) => event.seq <= newest - KEPT_EVENTS && isHistory(event));
  return [...history.slice(-KEPT_HISTORY), ...recent];
}
