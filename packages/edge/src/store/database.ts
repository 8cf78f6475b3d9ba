import { chmodSync, closeSync, existsSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SessionEvent } from '@microturn/protocol';
import Database from 'libsql';
import { expired } from './memory-store.js';
import type { Stamp } from './stamp.js';
import {
  KEPT_BYTES,
  KEPT_EVENTS,
  KEPT_HISTORY,
  TRIMMED_BYTES,
  isHistory,
  type StoreChange,
  type StoredRecord,
  type StoredSession,
} from './types.js';

// Runs on the store thread: every call blocks until the disk has answered.

export interface DatabaseOptions {
  readonly file: string;
  /** Beyond which nothing more is taken. */
  readonly maxBytes: number;
  /** A file that could not be used was given another name, and a new one begun. */
  readonly onSetAside: (name: string, reason: string) => void;
}

/** What the database of each version lacks for the next one; `user_version` counts them. */
const MIGRATIONS = [
  `create table sessions (
     id text primary key,
     token_hash text not null unique,
     json text not null
   ) without rowid;
   create table events (
     session text not null references sessions (id) on delete cascade,
     seq integer not null,
     history integer not null,
     json text not null,
     primary key (session, seq)
   ) without rowid;
   create table records (
     session text not null references sessions (id) on delete cascade,
     kind text not null,
     id text not null,
     revision integer not null,
     json text not null,
     primary key (session, kind, id)
   ) without rowid;`,
];

const PAGE_BYTES = 4096;
const BUSY_MS = 1000;
/** A disk is well that has room for this: more than most batches. */
const PROBE_BYTES = 64 * 1024;
/** Older events go once in as many. */
const PRUNE_EVERY = 64;

/** Sessions in one libsql file, which is this process's alone while it is open, and readable by its user alone. */
export class SessionDatabase {
  readonly #db: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();
  /** What the events of a session take at most, by session: counted as they come, and looked at where that is too much. */
  readonly #bytes = new Map<string, number>();

  /**
   * Opens the file, or makes it. One that is not a sound database, or of a newer version, is set aside by name.
   * @throws {Error} where it cannot be opened or made, or another process has it
   */
  static open(options: DatabaseOptions): SessionDatabase {
    try {
      return new SessionDatabase(options);
    } catch (error) {
      const reason = unusable(error);
      if (reason === undefined) throw error;
      options.onSetAside(setAside(options.file), reason);
      return new SessionDatabase(options);
    }
  }

  private constructor({ file, maxBytes }: DatabaseOptions) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // Made here, since its write-ahead log is given the same permissions.
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
    this.#db = new Database(file);
    try {
      // For the one before, which may be ending.
      this.#db.pragma(`busy_timeout = ${BUSY_MS}`);
      this.#db.pragma('locking_mode = exclusive');
      this.#db.pragma('journal_mode = wal');
      // Commits outlive the process at once, and a loss of power to within the last few.
      this.#db.pragma('synchronous = normal');
      this.#db.pragma('foreign_keys = on');
      this.#db.pragma(`max_page_count = ${Math.floor(maxBytes / PAGE_BYTES)}`);
      const sound = this.#db.prepare('pragma quick_check(1)').get() as { quick_check: string };
      if (sound.quick_check !== 'ok') throw new UnusableError(sound.quick_check);
      this.#migrate();
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** All or none. Of nothing, it is a test of whether anything could be written. */
  write(changes: readonly StoreChange[]): void {
    if (changes.length === 0) return this.#probe();
    this.#db.transaction(() => {
      for (const change of changes) this.#make(change);
    })();
  }

  find(tokenHash: string, now: Stamp): { session: StoredSession; events: SessionEvent[] } | undefined {
    const row = this.#prepare('select json from sessions where token_hash = ?').get(tokenHash) as
      { json: string } | undefined;
    if (!row) return undefined;
    const session = JSON.parse(row.json) as StoredSession;
    if (expired(session, now)) return undefined;
    const events = this.#prepare('select json from events where session = ? order by seq').all(session.id);
    return { session, events: (events as { json: string }[]).map(({ json }) => JSON.parse(json) as SessionEvent) };
  }

  list(sessionId: string, kind: string): StoredRecord[] {
    return this.#prepare(
      'select session as sessionId, kind, id, revision, json from records where session = ? and kind = ? order by id',
    ).all(sessionId, kind) as StoredRecord[];
  }

  expire(now: Stamp): number {
    const rows = this.#prepare('select json from sessions').all() as { json: string }[];
    const over = rows.map(({ json }) => JSON.parse(json) as StoredSession).filter((session) => expired(session, now));
    if (over.length > 0) this.write(over.map(({ id }) => ({ do: 'remove', sessionId: id })));
    return over.length;
  }

  /**
   * Takes room and gives it back, not in one transaction: what is gone before its commit is never written. What one that
   * failed leaves is in nobody's way.
   */
  #probe(): void {
    this.#db.exec('create table if not exists probe (bytes blob)');
    this.#db.prepare('insert into probe values (zeroblob(?))').run(PROBE_BYTES);
    this.#db.exec('drop table probe');
  }

  #migrate(): void {
    const { user_version: version } = this.#db.prepare('pragma user_version').get() as { user_version: number };
    if (version > MIGRATIONS.length) throw new UnusableError(`it is of version ${version}, newer than this edge`);
    for (const [index, migration] of MIGRATIONS.slice(version).entries()) {
      this.#db.transaction(() => {
        this.#db.exec(migration);
        this.#db.pragma(`user_version = ${version + index + 1}`);
      })();
    }
  }

  #make(change: StoreChange): void {
    switch (change.do) {
      case 'save': {
        const { session, events } = change;
        this.#prepare(
          `insert into sessions (id, token_hash, json) values (?, ?, ?)
           on conflict (id) do update set token_hash = excluded.token_hash, json = excluded.json`,
        ).run(session.id, session.tokenHash, JSON.stringify(session));
        const insert = this.#prepare('insert or replace into events (session, seq, history, json) values (?, ?, ?, ?)');
        let bytes = this.#bytes.get(session.id) ?? this.#bytesOf(session.id);
        for (const event of events) {
          const json = JSON.stringify(event);
          insert.run(session.id, event.seq, isHistory(event) ? 1 : 0, json);
          bytes += Buffer.byteLength(json);
        }
        this.#bytes.set(session.id, bytes);
        if (events.some(({ seq }) => seq % PRUNE_EVERY === 0)) this.#prune(session.id);
        if (bytes > KEPT_BYTES) this.#trim(session.id);
        return;
      }
      case 'remove':
        this.#bytes.delete(change.sessionId);
        this.#prepare('delete from sessions where id = ?').run(change.sessionId);
        return;
      case 'put': {
        const { sessionId, kind, id, revision, json } = change.record;
        this.#prepare(
          `insert into records (session, kind, id, revision, json)
           select ?, ?, ?, ?, ? where exists (select 1 from sessions where id = ?)
           on conflict (session, kind, id) do update set revision = excluded.revision, json = excluded.json
           where excluded.revision >= revision`,
        ).run(sessionId, kind, id, revision, json, sessionId);
        return;
      }
      case 'delete': {
        const { sessionId, kind, id } = change.key;
        this.#prepare('delete from records where session = ? and kind = ? and id = ?').run(sessionId, kind, id);
        return;
      }
      default:
        change satisfies never;
    }
  }

  /** Leaves the newest events, and of the older ones the newest that are history. */
  #prune(session: string): void {
    const { newest } = this.#prepare('select max(seq) as newest from events where session = ?').get(session) as {
      newest: number | null;
    };
    if (newest === null) return;
    const recent = newest - KEPT_EVENTS;
    this.#prepare('delete from events where session = ? and seq <= ? and history = 0').run(session, recent);
    this.#prepare(
      `delete from events where session = ? and seq <= (
         select seq from events where session = ? and seq <= ? order by seq desc limit 1 offset ?)`,
    ).run(session, session, recent, KEPT_HISTORY);
  }

  /** Leaves the newest events that have room. */
  #trim(session: string): void {
    if (this.#bytesOf(session) > KEPT_BYTES) {
      this.#prepare(
        `delete from events where session = ? and seq <= (
           select max(seq) from (
             select seq, sum(length(cast(json as blob))) over (order by seq desc) as bytes from events where session = ?)
           where bytes > ?)`,
      ).run(session, session, TRIMMED_BYTES);
    }
    this.#bytes.set(session, this.#bytesOf(session));
  }

  #bytesOf(session: string): number {
    const { bytes } = this.#prepare(
      'select coalesce(sum(length(cast(json as blob))), 0) as bytes from events where session = ?',
    ).get(session) as { bytes: number };
    return bytes;
  }

  #prepare(sql: string): Database.Statement {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }
}

class UnusableError extends Error {}

/** What is wrong with the file itself; undefined where something else is. */
function unusable(error: unknown): string | undefined {
  if (error instanceof UnusableError) return error.message;
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return /^SQLITE_(CORRUPT|NOTADB)/.test(code) ? `${code} ${message}` : undefined;
}

/** Gives a file, and what libsql keeps beside it, a name of their own. @returns the new name */
function setAside(file: string): string {
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  const name = `${file}.unusable-${stamp}`;
  for (const end of ['', '-wal', '-shm']) if (existsSync(file + end)) renameSync(file + end, name + end);
  return name;
}
