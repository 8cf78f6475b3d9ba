import { MicroturnError } from '@microturn/protocol';
import { randomUUID } from 'node:crypto';
import type { RoomWatcher } from '../session/index.js';

/** An agent that was sent to a room. */
export interface Dispatch {
  readonly id: string;
  readonly room: string;
  readonly agentName: string;
  /** As it was given; no agent reads it. */
  readonly metadata: string;
  readonly createdAtMs: number;
}

/** Of all rooms. Policy: dropOldest. */
const MOST = 4096;
/** A page that is reloaded, or a join that fails, leaves a room empty for a moment. As long as a room of LiveKit stays. */
const OUTLIVES_ROOM_MS = 20_000;

/**
 * Which agent the app's server sent to which room. Whoever joins after that talks with it; a room that nobody is in yet may
 * have one as well. Dispatches end when their room has been closed for a while.
 */
export class Dispatches {
  readonly #agents: readonly string[];
  readonly #after: (ms: number, fn: () => void) => () => void;
  readonly #byId = new Map<string, Dispatch>();
  /** By room, where it has closed: calls its end off. */
  readonly #ending = new Map<string, () => void>();

  /**
   * @param agents those that there are, by name
   * @param after runs `fn` once, `ms` from now; the result calls it off
   */
  constructor(agents: readonly string[], after: (ms: number, fn: () => void) => () => void) {
    this.#agents = agents;
    this.#after = after;
  }

  /** Ends those of a room some time after that, and tells `watcher` all that happens there. */
  watch(room: string, watcher: RoomWatcher): RoomWatcher {
    return {
      ...watcher,
      opened: () => {
        this.#keep(room);
        watcher.opened();
      },
      closed: () => {
        this.#endLater(room);
        watcher.closed();
      },
    };
  }

  /** Ends no room any more. */
  close(): void {
    for (const room of [...this.#ending.keys()]) this.#keep(room);
  }

  /** @throws {MicroturnError} `protocol/malformed` where there is no such agent */
  create({ room, agentName, metadata }: Pick<Dispatch, 'room' | 'agentName' | 'metadata'>): Dispatch {
    if (!this.#agents.includes(agentName)) {
      throw new MicroturnError('protocol/malformed', `agentName: expected one of ${this.#agents.join(', ')}`);
    }
    const dispatch = { id: `AD_${randomUUID()}`, room, agentName, metadata, createdAtMs: Date.now() };
    this.#byId.set(dispatch.id, dispatch);
    const [oldest] = this.#byId.keys();
    if (this.#byId.size > MOST && oldest !== undefined) this.#byId.delete(oldest);
    return dispatch;
  }

  /** Those of a room, in the order in which they were made, or the one of an id. */
  list(room: string, id?: string): Dispatch[] {
    return [...this.#byId.values()].filter((one) => one.room === room && (id === undefined || one.id === id));
  }

  /** @throws {MicroturnError} `room/unknown` where there is none */
  delete(room: string, id: string): Dispatch {
    const [dispatch] = this.list(room, id);
    if (!dispatch) throw new MicroturnError('room/unknown', 'no such dispatch');
    this.#byId.delete(id);
    return dispatch;
  }

  /** Who talks to those who join now: the latest that was sent. */
  agentFor(room: string): string | undefined {
    return this.list(room).at(-1)?.agentName;
  }

  #keep(room: string): void {
    this.#ending.get(room)?.();
    this.#ending.delete(room);
  }

  #endLater(room: string): void {
    // One that is made from now on is for the next room of this name.
    const over = this.list(room);
    if (over.length === 0) return;
    this.#keep(room);
    const cancel = this.#after(OUTLIVES_ROOM_MS, () => {
      this.#ending.delete(room);
      for (const { id } of over) this.#byId.delete(id);
    });
    this.#ending.set(room, cancel);
  }
}
