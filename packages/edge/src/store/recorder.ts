import { createHash } from 'node:crypto';
import { MicroturnError, type SessionEvent } from '@microturn/protocol';
import type { Log } from '../telemetry/log.js';
import { elapsedMs, stampNow, type Stamp } from './stamp.js';
import type { RecordKey, SessionStore, StoreChange, StoredRecord, StoredSession } from './types.js';

/** What a session has not saved when its process is killed is at most this old, and the time of one write. */
const WRITE_EVERY_MS = 250;
/** After a failure. */
const RETRY_MS = 5000;
const EXPIRE_EVERY_MS = 60_000;
/** Records that wait to be written, by key. Policy: dropOldest. */
const MAX_RECORDS = 4096;
/** The kind of a session's one record of what its model remembers. */
const REMEMBERED = 'remembered';

/** A session that is kept, for as long as it lives. */
export interface Recordable {
  readonly id: string;
  /** Of its newest event. */
  readonly seq: number;
  eventsAfter(seq: number): readonly SessionEvent[];
  toStored(savedAt: Stamp): StoredSession;
  /** What its model remembers, as JSON; undefined where nothing is kept of that. */
  remembered?(): string | undefined;
}

/** A session of a process that is gone. */
export interface FoundSession {
  readonly session: StoredSession;
  /** By `seq`. */
  readonly events: readonly SessionEvent[];
  /** Since it was saved. */
  readonly elapsedMs: number;
  /** As its `Recordable` gave it, where that process handed it over. */
  readonly remembered?: string | undefined;
}

export interface SessionRecorderOptions {
  readonly store: SessionStore;
  readonly log: Log;
  /** Runs `fn` once, `ms` from now; the result calls it off. */
  readonly after: (ms: number, fn: () => void) => () => void;
  readonly now?: () => Stamp;
}

interface Kept {
  readonly source: Recordable;
  /** Its events up to here are written. */
  writtenSeq: number;
}

/**
 * Saves the sessions of an edge as they go on, in batches, and never makes one wait. There is no queue of events: a batch
 * takes what each session's own journal has since the last one, so a slow disk costs no memory, and what it missed is
 * written again from the journals once it is well.
 */
export class SessionRecorder {
  readonly #options: SessionRecorderOptions;
  readonly #now: () => Stamp;
  readonly #sessions = new Map<string, Kept>();
  readonly #removed = new Set<string>();
  /** Of records, by key. */
  readonly #records = new Map<string, StoreChange>();
  #cancel: (() => void) | undefined;
  #expiredAt: Stamp | undefined;
  #writing: Promise<void> = Promise.resolve();
  #degraded = false;
  #closed = false;

  constructor(options: SessionRecorderOptions) {
    this.#options = options;
    this.#now = options.now ?? stampNow;
    this.#schedule(0);
  }

  /** Whether sessions outlive this process as things are. */
  get durable(): boolean {
    return this.#options.store.durable && !this.#degraded;
  }
  /** The store fails: sessions go on in memory. */
  get degraded(): boolean {
    return this.#degraded;
  }

  /** @param origin what it was taken up from: nobody is to go back to that */
  add(source: Recordable, origin?: Pick<FoundSession, 'remembered'>): void {
    this.#sessions.set(source.id, { source, writtenSeq: 0 });
    if (origin?.remembered !== undefined) this.delete({ sessionId: source.id, kind: REMEMBERED, id: '' });
  }

  /** The session is over. */
  remove(id: string): void {
    if (this.#closed || !this.#sessions.delete(id)) return;
    this.#removed.add(id);
  }

  /**
   * The session that a client may come back to with this token; undefined where there is none.
   * @throws {MicroturnError} `edge/store` where that cannot be known now: it may well be there, so its client tries again
   */
  async find(resumeToken: string): Promise<FoundSession | undefined> {
    const now = this.#now();
    try {
      const found = await this.#options.store.find(hashToken(resumeToken), now);
      if (!found || this.#removed.has(found.session.id)) return undefined;
      const events = found.events.map((event) => withToken(event, resumeToken));
      const [record] = await this.#options.store.list(found.session.id, REMEMBERED);
      return { ...found, events, elapsedMs: elapsedMs(found.session.savedAt, now), remembered: record?.json };
    } catch (error) {
      this.#options.log.warn({ err: error }, 'a session was not looked for');
      // What the disk said is for whoever runs the edge.
      throw new MicroturnError('edge/store', undefined, { cause: error });
    }
  }

  /** Keeps a record of a session for as long as the session is kept. A newer revision takes an older one's place. */
  put(record: StoredRecord): void {
    this.#change(record, { do: 'put', record });
  }

  delete(key: RecordKey): void {
    this.#change(key, { do: 'delete', key });
  }

  /** The records of a session, by id, with what was put before. @throws {MicroturnError} `edge/store` */
  async list(sessionId: string, kind: string): Promise<StoredRecord[]> {
    await this.flush();
    return this.#options.store.list(sessionId, kind);
  }

  /** Resolves when what happened until now is written, or cannot be. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  /**
   * Writes what there is for a process that is to follow, with what the models remember, and no more after that. Where there
   * is no room for the latter, sessions go on without it.
   */
  async handOver(): Promise<void> {
    await this.flush();
    if (this.#degraded) return this.close();
    for (const { source } of this.#sessions.values()) {
      const json = source.remembered?.();
      if (json !== undefined) {
        this.put({ sessionId: source.id, kind: REMEMBERED, id: '', revision: source.seq, json });
      }
    }
    await this.close();
  }

  /** Writes what there is, and no more after that. Closing twice is harmless. */
  async close(): Promise<void> {
    if (this.#closed) return this.#writing;
    const last = this.flush();
    this.#closed = true;
    this.#cancel?.();
    await last;
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#cancel = this.#options.after(ms, () => {
      void this.#expire()
        .then(() => this.flush())
        .then(() => this.#schedule(this.#degraded ? RETRY_MS : WRITE_EVERY_MS));
    });
  }

  #change({ sessionId, kind, id }: RecordKey, change: StoreChange): void {
    if (this.#closed) return;
    const key = JSON.stringify([sessionId, kind, id]);
    this.#records.delete(key); // so that the newest is last
    this.#records.set(key, change);
    const [oldest] = this.#records.keys();
    if (this.#records.size > MAX_RECORDS && oldest !== undefined) this.#records.delete(oldest);
  }

  async #write(): Promise<void> {
    const savedAt = this.#now();
    const removed = [...this.#removed];
    const grown = [...this.#sessions.values()]
      .map((kept) => ({ kept, seq: kept.source.seq }))
      .filter(({ kept, seq }) => seq > kept.writtenSeq);
    const records = [...this.#records];
    const changes: StoreChange[] = [
      ...removed.map((sessionId) => ({ do: 'remove', sessionId }) as const),
      ...grown.map(({ kept: { source, writtenSeq } }) => {
        const events = source.eventsAfter(writtenSeq).map((event) => withToken(event, ''));
        return { do: 'save', session: source.toStored(savedAt), events } as const;
      }),
      ...records.map(([, change]) => change),
    ];
    // After a failure an empty one shows that there is a file to write again: an edge without calls is told of it, too.
    if (changes.length === 0 && !this.#degraded) return;
    try {
      await this.#options.store.write(changes);
      for (const { kept, seq } of grown) kept.writtenSeq = seq;
      for (const [key, change] of records) if (this.#records.get(key) === change) this.#records.delete(key);
      this.#recovered();
    } catch (error) {
      this.#failed(error);
    }
    // Where it failed they are left to their leases.
    for (const id of removed) this.#removed.delete(id);
  }

  async #expire(): Promise<void> {
    const now = this.#now();
    if (this.#expiredAt && elapsedMs(this.#expiredAt, now) < EXPIRE_EVERY_MS) return;
    this.#expiredAt = now;
    try {
      await this.#options.store.expire(now);
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    // Another file may have taken the place of the one that they were in.
    for (const kept of this.#sessions.values()) kept.writtenSeq = 0;
    if (this.#degraded) return;
    this.#degraded = true;
    this.#options.log.error({ err: error }, 'sessions are not kept: calls go on, and end with this process');
  }

  #recovered(): void {
    if (!this.#degraded) return;
    this.#degraded = false;
    this.#options.log.info({}, 'sessions are kept again');
  }
}

/** One event tells its client the resume token: kept without it, since a store has the hash only, and found with it again. */
function withToken(event: SessionEvent, resumeToken: string): SessionEvent {
  return event.type === 'session.started' ? { ...event, resumeToken } : event;
}

export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
