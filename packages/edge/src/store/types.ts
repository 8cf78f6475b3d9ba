import type { SessionEvent, SessionEventOf } from '@microturn/protocol';
import type { Stamp } from './stamp.js';

export interface StoredSpending {
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly cost: number;
}

/** What a session needs to go on in another process, besides its events. */
export interface StoredSession {
  readonly id: string;
  /** SHA-256 of the resume token, in hex: whoever reads the store cannot come back as somebody else. */
  readonly tokenHash: string;
  readonly room: string;
  readonly participant: string;
  /** Name and version. */
  readonly model: string;
  readonly microTurnMs: number;
  /** Micro-turns decided so far, and those of them that were late. */
  readonly turns: number;
  readonly late: number;
  /** By its language models so far: the one that speaks, and those of its background with its tasks. */
  readonly spent?: {
    readonly speaking?: StoredSpending | undefined;
    readonly background?: (StoredSpending & { readonly tasks: number }) | undefined;
    /** Of its transcriber and its voice. */
    readonly services?: Pick<SessionEventOf<'session.usage'>, 'transcriber' | 'voice'> | undefined;
  };
  /** What its participant asked to be told of later, as its session keeps it. */
  readonly notes?: unknown;
  /** Session ms at `savedAt`. */
  readonly sessionMs: number;
  readonly savedAt: Stamp;
  /** For how long from `savedAt` on its client may come back. */
  readonly leaseMs: number;
}

/** Whatever else belongs to a session and should outlive the process, such as a background task. */
export interface StoredRecord {
  readonly sessionId: string;
  readonly kind: string;
  /** One of its kind in its session. */
  readonly id: string;
  /** A newer revision takes the place of an older one, never the other way round. */
  readonly revision: number;
  readonly json: string;
}
export type RecordKey = Pick<StoredRecord, 'sessionId' | 'kind' | 'id'>;

export type StoreChange =
  /** The session as it is now, and its events that were not saved before. */
  | { readonly do: 'save'; readonly session: StoredSession; readonly events: readonly SessionEvent[] }
  /** The session is over: it goes with its events and records. */
  | { readonly do: 'remove'; readonly sessionId: string }
  /** Ignored where the session is not there. */
  | { readonly do: 'put'; readonly record: StoredRecord }
  | { readonly do: 'delete'; readonly key: RecordKey };

/**
 * Keeps sessions for another process to go on with. Implementations: memory, and libsql on disk; one contract suite runs
 * against both. Nothing here is called in the path of a micro-turn.
 */
export interface SessionStore {
  /** Whether what was written outlives this process. */
  readonly durable: boolean;
  /**
   * Makes the changes of one moment, in order, all or none.
   * @throws {MicroturnError} `edge/store` where they could not be made; the same changes may be tried again
   */
  write(changes: readonly StoreChange[]): Promise<void>;
  /** The session with this token, and its events by `seq`, unless its lease has run out. @throws as `write` */
  find(tokenHash: string, now: Stamp): Promise<{ session: StoredSession; events: SessionEvent[] } | undefined>;
  /** By id. @throws as `write` */
  list(sessionId: string, kind: string): Promise<StoredRecord[]>;
  /** Removes the sessions whose leases have run out. Resolves with how many. @throws as `write` */
  expire(now: Stamp): Promise<number>;
  /** Closing twice is harmless. */
  close(): Promise<void>;
}

/** Events of a session that are kept whatever they tell: as many as its journal holds. */
export const KEPT_EVENTS = 1024;
/** Events that are kept beyond those, for what was said: some hours of talk. Policy: dropOldest. */
export const KEPT_HISTORY = 16_384;
/** Of all events of one session, as JSON: eight times what its journal holds. Above it the oldest go, down to `TRIMMED_BYTES`. */
export const KEPT_BYTES = 4 * 2 ** 20;
/** Lower than the bound, so that looking for the oldest is not each event's business. */
export const TRIMMED_BYTES = 3 * 2 ** 20;

const PASSING: ReadonlySet<SessionEvent['type']> = new Set([
  'stats',
  'session.usage',
  'floor.changed',
  'response.heard',
  'response.cut',
  // All of its text comes once more at its end.
  'task.delta',
  'tool.call',
  'tool.result',
  'error',
]);

/** Whether an event says what happened in the conversation, and not only how things stood at a moment. */
export function isHistory({ type }: SessionEvent): boolean {
  return !PASSING.has(type);
}
